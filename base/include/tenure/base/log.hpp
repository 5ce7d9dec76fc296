#pragma once

#include <tenure/base/clock.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One event, one line. Who must act decides the level: error, a part goes down; warning, an operator should look;
// info, rare events of a life; debug, one job.
namespace tenure::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

// The facts of a line besides its message, in the order in which OPERATIONS names them; empty ones are left out.
struct Fields {
  std::string_view pool = {};
  std::int64_t process = -1;
  std::string_view kind = {};
  std::string_view queue = {};
  std::int64_t attempt = -1;
  std::int64_t duration_ms = -1;
  std::string_view error = {};
};

// Where lines go, set once in main before threads start. An empty file means stderr.
struct Options {
  Level level = Level::info;
  Format format = Format::text;
  std::string file = {};
  std::string node = {};
};
void configure(const Options& options);

// The format "auto" of the configuration: text on a terminal, else JSON.
[[nodiscard]] Format format_for_stderr();

// Writes a line if `level` is on. `event` is a stable word such as `worker.exited`. Tenant and job come from the
// thread's context and not from the caller, so a line cannot name the wrong ones.
void write(Level level, std::string_view event, std::string_view message, const Fields& fields = {});

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
  friend void write(Level, std::string_view, std::string_view, const Fields&);
};

// Receives every line instead of the configured place, for tests. Pass nullptr to end it.
void capture_for_test(std::vector<std::string>* lines);

}  // namespace tenure::log
