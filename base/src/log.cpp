#include "log_output.hpp"
#include <tenure/base/thread_without_signals.hpp>

#include <tenure/base/error.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tenure::log {
namespace {

thread_local const Context* current_context = nullptr;

// The one place of the process to which lines go.
struct Destination {
  std::mutex mutex;
  Options options;
  std::shared_ptr<Output> output;  // shared with who waits for its room
  Backlog backlog;
  bool has_failed = false;  // and that was said
  bool has_thread = false;  // which writes when whoever reads goes on
  std::vector<std::string>* captured = nullptr;
  bool is_configured = false;
};

Destination& destination();

// A child of fork() logs on: it must not inherit the mutex from a thread that is not there, nor write its parent's lines.
void begin_child() {
  Destination& to = destination();
  to.backlog.clear();
  to.has_thread = false;
  to.mutex.unlock();
}

Destination* make_destination() {
  ::pthread_atfork([] { destination().mutex.lock(); }, [] { destination().mutex.unlock(); }, begin_child);
  std::atexit(finish);
  return new Destination;  // never destroyed: threads may log until the very end
}

Destination& destination() {
  static Destination* const kept = make_destination();
  return *kept;
}

// Beside the destination, so that a line which is off takes no lock. Nobody configures it in an application that enqueues, whose
// standard error is no place for the life of our database.
constexpr Level kUnconfiguredLevel = Level::warning;
std::atomic<Level> level_in_force{kUnconfiguredLevel};
std::atomic<bool> is_silent{false};
// For a signal handler, which may take no lock.
std::atomic<bool> is_reopen_asked{false};

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

std::string thread_name() {
  std::array<char, 16> name{};
  return ::pthread_getname_np(::pthread_self(), name.data(), name.size()) == 0 ? name.data() : "";
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

constexpr std::chrono::milliseconds kLookAgain{100};  // for another output

// --- Under the mutex.

std::string written(const Destination& to, Level level, std::string_view event, std::string_view message,
                    const Fields& fields) {
  static const RealClock real_clock;
  const Clock& clock = to.options.clock != nullptr ? *to.options.clock : real_clock;
  const Line line{clock.wall(), level, event, message, fields, to.options.node};
  return to.options.format == Format::json ? line.json() : line.plain();
}

// False where there is no room for it yet. One count for many lines: it waits until the reader has taken half of what waits.
bool add_line_of_dropped(Destination& to) {
  if (to.backlog.dropped() == 0) return true;
  if (!to.backlog.has_room_for(kWaitingMax / 2)) return false;
  std::string line =
      written(to, Level::warning, "log.lines_dropped",
              fmt::format("{} lines were dropped: they could not be written", to.backlog.dropped()), {}) +
      '\n';
  to.backlog.forget_dropped();
  return to.backlog.add(std::move(line));
}

void add_line(Destination& to, std::string line) {
  // Behind the lines that were dropped there is none without their count.
  if (add_line_of_dropped(to)) {
    static_cast<void>(to.backlog.add(std::move(line)));
  } else {
    to.backlog.drop();
  }
}

// A full disk under the log must not stop a job; standard error is the last place that is left.
void say_beside_the_log(const std::string& text) {
  write_last_words("tenure: " + text + "\n", std::chrono::milliseconds{0});
}

void say_that_it_failed(Destination& to, int error) {
  if (std::exchange(to.has_failed, true) || to.options.file.empty()) return;
  say_beside_the_log("the log file cannot be written: " + system_text(error));
}

Backlog::End write_backlog(Destination& to) {
  if (!to.output) to.output = std::make_shared<Output>(to.options.file);
  Backlog::End end = to.backlog.write_to(*to.output);
  if (end == Backlog::End::all_written && to.backlog.dropped() > 0 && add_line_of_dropped(to))
    end = to.backlog.write_to(*to.output);
  if (end == Backlog::End::failed) {
    say_that_it_failed(to, errno);
  } else if (end == Backlog::End::all_written) {
    to.has_failed = false;
  }
  return end;
}

// ---

void use(Destination& to, std::shared_ptr<Output> output) {
  to.output = std::move(output);
  to.backlog.begin_line_anew();
  to.has_failed = false;
}

void reopen_if_asked(Destination& to) {
  if (!is_reopen_asked.exchange(false)) return;
  try {
    use(to, std::make_shared<Output>(to.options.file));
  } catch (const Error& error) {
    say_beside_the_log(error.what());
  }
}

// Who is to be waited for before more can be written, or nobody.
std::shared_ptr<Output> write_on(Destination& to) {
  return write_backlog(to) == Backlog::End::reader_waited_for ? to.output : nullptr;
}

// ---

std::shared_ptr<Output> write_on_or_end_thread() {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  std::shared_ptr<Output> waits_for;
  try {
    waits_for = write_on(to);
  } catch (const std::exception& error) {  // the next line tries again
    say_beside_the_log(std::string{"log lines wait: "} + error.what());
  }
  to.has_thread = waits_for != nullptr;
  return waits_for;
}

// Lives while lines wait for their reader.
void run_thread() {
  ::pthread_setname_np(::pthread_self(), "log");
  while (const std::shared_ptr<Output> output = write_on_or_end_thread()) output->await_room(kLookAgain);
}

void start_thread(Destination& to) {
  if (to.has_thread) return;
  try {
    start_without_signals(run_thread).detach();
    to.has_thread = true;
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): lines wait for the next one
  }
}

void write_line(Level level, std::string_view event, std::string_view message, const Fields& fields) {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  std::string text = written(to, level, event, message, fields);
  if (to.captured != nullptr) {
    to.captured->push_back(std::move(text));
    return;
  }
  reopen_if_asked(to);
  add_line(to, std::move(text) + '\n');
  if (write_backlog(to) == Backlog::End::reader_waited_for) start_thread(to);
}

}  // namespace

Format format_for_stderr() { return ::isatty(standard_error()) == 1 ? Format::text : Format::json; }

namespace {

// By the program, whose word goes before that of a library's configuration.
std::atomic<bool> is_decided{false};

void use_options(const Options& options) {
  auto output = std::make_shared<Output>(options.file);
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  to.options = options;
  use(to, std::move(output));
  to.is_configured = true;
  level_in_force = options.level;
}

}  // namespace

void configure(const Options& options) {
  use_options(options);
  is_decided = true;
  is_silent = false;
}

void configure_as_default(const Options& options) {
  if (is_decided) return;
  Options beside = options;
  std::error_code ignored;
  if (!std::filesystem::exists(beside.file, ignored)) beside.file.clear();
  try {
    use_options(beside);
  } catch (const Error&) {
    beside.file.clear();
    use_options(beside);
  }
}

void silence() {
  is_decided = true;
  is_silent = true;
}

void reopen() {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  use(to, std::make_shared<Output>(to.options.file));
}

void reopen_at_next_line() noexcept { is_reopen_asked = true; }

void finish() noexcept {
  const RealClock clock;
  const Instant end = clock.steady() + kFinishMax;
  Destination& to = destination();
  try {
    while (clock.steady() < end) {
      std::unique_lock lock(to.mutex);
      const std::shared_ptr<Output> waits_for = write_on(to);
      lock.unlock();
      if (!waits_for) return;
      waits_for->await_room(kLookAgain);
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): no later line can say it
  }
}

void exit_at_once(int exit_code) {
  finish();
  std::_Exit(exit_code);
}

void write(Level level, std::string_view event, std::string_view message, const Fields& fields) noexcept {
  if (level < level_in_force.load(std::memory_order_relaxed)) return;
  if (is_silent.load(std::memory_order_relaxed)) return;
  try {
    write_line(level, event, message, fields);
  } catch (const std::exception& error) {
    say_beside_the_log(std::string{"a log line was lost: "} + error.what());
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
  LineLimit::begin_anew();
  level_in_force = lines != nullptr || to.is_configured ? to.options.level : kUnconfiguredLevel;
}

}  // namespace tenure::log
