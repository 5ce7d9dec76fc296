#pragma once

#include "process.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <termios.h>
#include <vector>

namespace tenure::testing {

// A program on a terminal of its own, which is its controlling one; killed and reaped when the object ends.
class TerminalProgram {
 public:
  // Of so many columns and rows.
  TerminalProgram(const std::vector<std::string>& command, int columns, int rows);
  ~TerminalProgram();
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  void type(std::string_view keys) const;
  void resize(int columns, int rows) const;
  void signal(int number) const;
  // From now on the terminal takes nothing that is written, as one whose other side reads no more; until it does again.
  void take_nothing() const;
  void take_again() const;
  // Whether it comes to be written within the bound, behind what was waited for before.
  [[nodiscard]] bool shows(const std::string& text);
  // All that was written so far.
  [[nodiscard]] const std::string& screen();
  // How the terminal is set now, and how it was before the program began.
  [[nodiscard]] termios mode() const;
  [[nodiscard]] const termios& mode_before() const { return mode_before_; }
  // "exit 0", "signal 9", "stopped"; nothing if none of them has come within the bound.
  [[nodiscard]] std::optional<std::string> wait();

 private:
  void read_what_is_there();

  int ours_ = -1;
  int theirs_ = -1;  // kept open, so that its mode can be asked for when the program has ended
  termios mode_before_{};
  pid_t pid_ = 0;
  bool has_ended_ = false;
  std::string written_;
  std::size_t seen_ = 0;
};

}  // namespace tenure::testing
