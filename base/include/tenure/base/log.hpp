#pragma once

#include <tenure/base/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One event, one line. Who must act decides the level: error, a part goes down; warning, an operator should
// look; info, rare events of a life; debug, one job.
namespace tenure::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

// Bytes of a line, whatever is written. journald splits at 48 KiB, and what follows would begin a record of its own.
inline constexpr std::size_t kLineMax = 24UL * 1024;
// Bytes of a text within a line, as it is written, but for message and error, which have limits::kErrorTextMax.
inline constexpr std::size_t kFieldMax = 256;

// Bytes of lines that wait where nobody reads the pipe, socket or terminal that they go to. A line that finds no room is dropped, and
// a line log.lines_dropped says how many were, once there is room.
inline constexpr std::size_t kWaitingMax = 256UL * 1024;
// How long finish() waits for whoever reads.
inline constexpr std::chrono::milliseconds kFinishMax{500};

// The facts of a line besides its message, in the order in which they are written (docs/manual/log-events.md); empty ones are left
// out.
struct Fields {
  std::string_view pool = {};
  std::int64_t process = -1;
  std::string_view kind = {};
  std::string_view queue = {};
  std::int64_t attempt = -1;
  std::string_view claim = {};
  std::int64_t duration_ms = -1;
  std::string_view error = {};
  std::string_view code = {};
};

// Where lines go, set in main before threads start; until then, text on stderr, of warnings and errors alone: an application
// that enqueues has not asked for more. An empty file means stderr.
struct Options {
  Level level = Level::info;
  Format format = Format::text;
  std::string file = {};
  std::string node = {};
  const Clock* clock =
      nullptr;  // for the time of a line, kept until the next configure(); nullptr: the real one
};
// A file that is made is for its user and group only. DiskError if it cannot be opened; then lines go where they went before.
void configure(const Options& options);

// The same for what a library finds in its configuration: does nothing where the program has called configure() or silence() itself.
// Where the file is not there yet, which is for those to make whose file it is, or cannot be opened, lines go to standard error.
void configure_as_default(const Options& options);

// No line is written until the next configure(): for programs whose standard error is a document.
void silence();

// Opens the file by its name again, after it was moved away. DiskError as configure().
void reopen();
// The same before the next line is written; where the file cannot be opened, lines go where they went before. Safe in a signal
// handler.
void reopen_at_next_line() noexcept;

// Writes what waits as far as whoever reads takes it within kFinishMax. exit() does it by itself.
void finish() noexcept;
// std::_Exit after finish().
[[noreturn]] void exit_at_once(int exit_code);

// The format "auto" of the configuration: text on a terminal, else JSON.
[[nodiscard]] Format format_for_stderr();

// Writes a line if `level` is on. `event` is a stable word such as `worker.exited`. Tenant and job come from
// the thread's context and not from the caller, so a line cannot name the wrong ones. Control, invisible and
// direction-changing characters are escaped, bad UTF-8 is replaced, and a text that is too long ends in "...". In the text
// format a value with a blank, =, " or \ stands in quotes, a message with one of the last three too, and " and \ in quotes
// have a \ before them: no text can begin a line or a field of its own. Never throws, and never waits for whoever reads the lines.
// Threads: any.
void write(Level level, std::string_view event, std::string_view message, const Fields& fields = {}) noexcept;

// Sets the tenant and job of this thread's lines until it is destroyed; then the former ones are back.
class Context {
 public:
  Context(std::string_view tenant, std::int64_t generation, std::string_view job);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  std::string tenant_, job_;
  std::int64_t generation_;
  const Context* previous_;
  friend struct Line;  // of log.cpp
};

// Receives every line (of info and above, where nobody has configured another level) instead of where they are configured to
// go, for tests. Pass nullptr to end it.
void capture_for_test(std::vector<std::string>* lines);

}  // namespace tenure::log
