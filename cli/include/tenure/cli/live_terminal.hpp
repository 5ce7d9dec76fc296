#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// The terminal as whatever draws on all of it needs it. Threads: one at a time.
namespace tenure::cli {

struct TerminalSize {
  int columns = 80;
  int rows = 24;
  friend bool operator==(const TerminalSize&, const TerminalSize&) = default;
};

struct TerminalEvent {
  enum class What : std::uint8_t {
    time_passed,  // nothing else has come in that time
    typed,        // `bytes`, as keys send them
    resized,
    stop_asked,  // to stop until somebody has it go on (SIGTSTP)
    end_asked,   // by a signal, or nobody is at the terminal any more
  };
  What what = What::time_passed;
  std::string bytes = {};
};

class LiveTerminal {
 public:
  // Gives it back.
  virtual ~LiveTerminal() = default;

  // Keys come as they are typed, signals and sizes as events, and what is written goes to a screen of its own, without a cursor.
  virtual void take() = 0;
  // As it was before. Both may be called twice.
  virtual void give_back() = 0;
  [[nodiscard]] virtual TerminalSize size() = 0;
  // Never waits: wait() writes the rest, and what has not begun gives way to the next. False where nobody is there.
  [[nodiscard]] virtual bool write(std::string_view text) = 0;
  [[nodiscard]] virtual TerminalEvent wait(std::chrono::milliseconds time) = 0;
  // This process, until somebody has it go on.
  virtual void stop_process() = 0;
};

}  // namespace tenure::cli
