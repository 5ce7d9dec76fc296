#pragma once

#include <tenure/base/clock.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One event, one line. Who must act decides the level: error, a part goes down; warning, an operator should
// look; info, rare events of a life; debug, one job.
namespace tenure::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

// The facts of a line besides its message, in the order in which OPERATIONS names them; empty ones are left
// out.
struct Fields {
  std::string_view pool = {};
  std::int64_t process = -1;
  std::string_view kind = {};
  std::string_view queue = {};
  std::int64_t attempt = -1;
  std::string_view claim = {};
  std::int64_t duration_ms = -1;
  std::string_view error = {};  // cut at limits::kErrorTextMax
  std::string_view code = {};
};

// Where lines go, set in main before threads start; until then, text on stderr. An empty file means stderr.
struct Options {
  Level level = Level::info;
  Format format = Format::text;
  std::string file = {};
  std::string node = {};
  const Clock* clock =
      nullptr;  // for the time of a line, kept until the next configure(); nullptr: the real one
};
// DiskError if the file cannot be opened; then lines go where they went before.
void configure(const Options& options);

// Opens the file by its name again, after it was moved away.
void reopen();

// The format "auto" of the configuration: text on a terminal, else JSON.
[[nodiscard]] Format format_for_stderr();

// Writes a line if `level` is on. `event` is a stable word such as `worker.exited`. Tenant and job come from
// the thread's context and not from the caller, so a line cannot name the wrong ones. Control characters are
// escaped and bad UTF-8 is replaced: no text can begin a line of its own. Never throws. Threads: any.
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

// Receives every line instead of where they are configured to go, for tests. Pass nullptr to end it.
void capture_for_test(std::vector<std::string>* lines);

}  // namespace tenure::log
