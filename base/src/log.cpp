#include <tenure/base/error.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <unistd.h>

namespace tenure::log {
namespace {

thread_local const Context* current_context = nullptr;

// The one place of the process to which lines go.
struct Destination {
  std::mutex mutex;
  Options options;
  std::shared_ptr<spdlog::sinks::sink> sink;
  std::vector<std::string>* captured = nullptr;
};

Destination& destination();

// A child of fork() logs on: it must not inherit the mutex from a thread that is not there.
Destination* make_destination() {
  ::pthread_atfork([] { destination().mutex.lock(); }, [] { destination().mutex.unlock(); },
                   [] { destination().mutex.unlock(); });
  return new Destination;  // never destroyed: threads may log until the very end
}

Destination& destination() {
  static Destination* const kept = make_destination();
  return *kept;
}

// Beside the destination, so that a line which is off takes no lock.
std::atomic<Level> level_in_force{Level::info};
std::atomic<bool> is_silent{false};

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string thread_name() {
  std::array<char, 16> name{};
  return ::pthread_getname_np(::pthread_self(), name.data(), name.size()) == 0 ? name.data() : "";
}

// Errors of jobs may quote what only tenants should read; spdlog would make the file readable by everybody.
void make_file(const std::string& file) {
  constexpr mode_t kUserAndGroup = 0640;
  std::error_code ignored;  // the open that follows says it better
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
  const Descriptor made{::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kUserAndGroup)};
}

std::shared_ptr<spdlog::sinks::sink> open_sink(const std::string& file) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  try {
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      make_file(file);
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
  } catch (const spdlog::spdlog_ex& error) {
    raise(ErrorCode::disk, "the log file cannot be opened: " + escaped(error.what()), {}, escaped(file));
  }
  sink->set_pattern("%v");
  return sink;
}

// The most bytes that it takes in a line of either format.
std::size_t written_size_max(const Character& character) {
  constexpr std::string_view kMalformed = "\\xff", kControl = "\\u001b", kHidden = "\\u{202e}";
  constexpr std::string_view kTwoEscapes = "\\udb40\\udc41";
  if (!character.well_formed) return kMalformed.size();
  if (is_hidden(character.code_point)) {
    if (character.code_point > 0xFFFF) return kTwoEscapes.size();
    return character.size == 1 ? kControl.size() : kHidden.size();
  }
  return character.code_point == '"' || character.code_point == '\\' ? 2 : character.size;
}

// The whole text, or as much of it as takes `bytes_max` bytes in a line, and "...".
std::string cut_as_written(std::string_view text, std::size_t bytes_max) {
  std::size_t written = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    written += written_size_max(character);
    if (written > bytes_max) return std::string(text.substr(0, at)) + "...";
    at += character.size;
  }
  return std::string(text);
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// `delimiters` are what a reader of the line would take for the end of the text.
std::string shown(std::string_view text, std::string_view delimiters) {
  const bool ambiguous = text.find_first_of(delimiters) != std::string_view::npos;
  const std::string whole = ambiguous ? in_quotes(text) : std::string(text);
  return escaped(whole, whole.size());
}

}  // namespace

// A line before it has a format: the keys and their order are the same in both.
struct Line {
  WallTime time;
  Level level;
  std::string_view event, message;
  const Fields& fields;
  std::string_view node;
  std::string thread = thread_name();

  // `each_text(key, text)` and `each_number(key, number)` for what is there, from "node" on.
  template <class Text, class Number>
  void visit(Text each_text, Number each_number) const {
    const auto text = [&](std::string_view key, std::string_view value, std::size_t bytes_max = kFieldMax) {
      if (!value.empty()) each_text(key, cut_as_written(value, bytes_max));
    };
    const auto number = [&](std::string_view key, std::int64_t value) {
      if (value >= 0) each_number(key, value);
    };
    text("node", node);
    number("pid", ::getpid());
    text("thread", thread);
    text("pool", fields.pool);
    number("process", fields.process);
    if (const Context* const context = current_context) {
      text("tenant", context->tenant_);
      number("generation", context->generation_ > 0 ? context->generation_ : -1);
      text("job", context->job_);
    }
    text("kind", fields.kind);
    text("queue", fields.queue);
    number("attempt", fields.attempt);
    text("claim", fields.claim);
    number("duration_ms", fields.duration_ms);
    text("error", fields.error, limits::kErrorTextMax);
    text("code", fields.code);
  }

  std::string json() const {
    std::string out;
    json::Writer writer(out);
    const auto text = [&](std::string_view key, std::string_view value) {
      writer.key(key).string(to_utf8(value));
    };
    writer.begin_object();
    text("time", to_rfc3339(time));
    text("level", name_of(level));
    text("event", cut_as_written(event, kFieldMax));
    text("message", cut_as_written(message, limits::kErrorTextMax));
    visit(text, [&](std::string_view key, std::int64_t value) { writer.key(key).integer(value); });
    writer.end_object();
    return json::printable(out);
  }

  std::string plain() const {
    constexpr std::string_view kOfValues = " =\"\\";
    constexpr std::string_view kOfMessages = "=\"\\";
    std::string out = fmt::format("{} {:7} {} {}", to_rfc3339(time), name_of(level),
                                  shown(cut_as_written(event, kFieldMax), kOfValues),
                                  shown(cut_as_written(message, limits::kErrorTextMax), kOfMessages));
    visit([&](std::string_view key,
              std::string_view value) { out += fmt::format(" {}={}", key, shown(value, kOfValues)); },
          [&](std::string_view key, std::int64_t value) { out += fmt::format(" {}={}", key, value); });
    return out;
  }
};

namespace {

void write_line(Level level, std::string_view event, std::string_view message, const Fields& fields) {
  static const RealClock real_clock;
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  const Clock& clock = to.options.clock != nullptr ? *to.options.clock : real_clock;
  const Line line{clock.wall(), level, event, message, fields, to.options.node};
  std::string text = to.options.format == Format::json ? line.json() : line.plain();
  if (to.captured != nullptr) {
    to.captured->push_back(std::move(text));
    return;
  }
  if (!to.sink) to.sink = open_sink(to.options.file);
  to.sink->log(spdlog::details::log_msg({}, spdlog_level(level), text));
  to.sink->flush();
}

}  // namespace

Format format_for_stderr() { return ::isatty(STDERR_FILENO) == 1 ? Format::text : Format::json; }

void configure(const Options& options) {
  auto sink = open_sink(options.file);
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  to.options = options;
  to.sink = std::move(sink);
  level_in_force = options.level;
  is_silent = false;
}

void silence() { is_silent = true; }

void reopen() {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  to.sink = open_sink(to.options.file);
}

void write(Level level, std::string_view event, std::string_view message, const Fields& fields) noexcept {
  if (level < level_in_force.load(std::memory_order_relaxed)) return;
  if (is_silent.load(std::memory_order_relaxed)) return;
  try {
    write_line(level, event, message, fields);
  } catch (const std::exception& error) {
    // A full disk under the log must not stop a job; stderr is the last place that is left.
    std::fprintf(stderr, "tenure: a log line was lost: %s\n", error.what());
  }
}

Context::Context(std::string_view tenant, std::int64_t generation, std::string_view job)
    : tenant_(tenant), job_(job), generation_(generation), previous_(current_context) {
  current_context = this;
}

Context::~Context() { current_context = previous_; }

void capture_for_test(std::vector<std::string>* lines) {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  to.captured = lines;
}

}  // namespace tenure::log
