// The program `tenure`: run_cli in the real world.

#include "real_terminal.hpp"
#include "run_tenured.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/system.hpp>
#include <tenure/cli/run.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace {

using namespace tenure;

class StandardOutput final : public cli::Output {
 public:
  bool data(std::string_view text) override { return write_all(STDOUT_FILENO, text); }
  void message(std::string_view text) override { (void)write_all(STDERR_FILENO, text); }
};

std::uint64_t descriptors_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::vector<std::pair<std::string, std::string>> variables() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const std::size_t equals = text.find('='); equals != std::string_view::npos)
      all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

std::string_view sudo_uid() {
  const char* const text = std::getenv("SUDO_UID");
  return text == nullptr ? "" : text;
}

std::optional<std::string> read_line() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

std::string read_input(std::size_t bytes_max) {
  std::string bytes(bytes_max, '\0');
  ssize_t got = -1;
  do got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  while (got < 0 && errno == EINTR);
  if (got < 0) raise_system(errno, "standard input cannot be read", {});
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

// SIGINT, SIGTERM and SIGHUP as something to ask for. Blocked from begin() on, so that the next question finds what came meanwhile, no
// line is cut in two and nothing half done is left.
class EndAsked {
 public:
  void begin() {
    if (signals_.is_open()) return;
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
      if (!is_ignored(number)) ::sigaddset(&ends, number);
    (void)::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    signals_ = Descriptor{::signalfd(-1, &ends, SFD_CLOEXEC)};
  }
  [[nodiscard]] bool has_come() const {
    pollfd looked{signals_.number(), POLLIN, 0};
    return ::poll(&looked, 1, 0) > 0;
  }
  // Whether one comes within that time, or nobody reads any more what is printed.
  [[nodiscard]] bool comes_within(std::chrono::milliseconds wait) {
    begin();
    std::array<pollfd, 2> looked{{{signals_.number(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
    return ::poll(looked.data(), looked.size(), static_cast<int>(wait.count())) > 0;
  }

 private:
  // As nohup and shells leave them: to a blocked signal the kernel does not apply that.
  static bool is_ignored(int number) {
    struct sigaction action {};
    return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
  }

  Descriptor signals_;
};

// A copy that is told to end removes what there is of it.
std::int64_t copy_until_told_to_end(const std::filesystem::path& control, const std::filesystem::path& target,
                                    const Clock& clock, EndAsked& end_asked,
                                    FunctionRef<void(const queue::CopyProgress&)> progress) {
  end_asked.begin();
  return queue::copy_control_database(control, target, clock, [&](const queue::CopyProgress& so_far) {
    if (end_asked.has_come())
      raise(ErrorCode::interrupted, "the copy was ended before it was complete, and nothing of it is left");
    progress(so_far);
  });
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_streams();
  (void)std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write()
  const RealClock clock;
  StandardOutput output;
  EndAsked end_asked;
  cli::Environment environment{
      .clock = clock,
      .variables = variables(),
      .data_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .messages_are_terminal = ::isatty(STDERR_FILENO) == 1,
      .answers_are_terminal = ::isatty(STDIN_FILENO) == 1,
      .columns = terminal_columns(),
      .descriptors_limit = descriptors_limit(),
      .has_http = TENURE_HAS_HTTP != 0,
      .who = [] { return identify_operator(sudo_uid()); },
      .read_line = read_line,
      .read_input = read_input,
      // Ctrl-C while it waits is how a command that goes on for ever is ended, and no failure.
      .pause = [&](std::chrono::milliseconds wait) { return !end_asked.comes_within(wait); },
      .open_store =
          [&](const queue::SqliteStoreOptions& options) { return queue::open_sqlite_store(options, clock); },
      .look_at_store = [](const std::filesystem::path& path) { return queue::look_at_sqlite_store(path); },
      .open_copy = [](const std::filesystem::path& copy) { return queue::open_control_copy(copy); },
      .copy_store =
          [&](const std::filesystem::path& control, const std::filesystem::path& target,
              FunctionRef<void(const queue::CopyProgress&)> progress) {
            return copy_until_told_to_end(control, target, clock, end_asked, progress);
          },
      .look_at_schema = [](const std::filesystem::path& control,
                           queue::PageCheck pages) { return queue::look_at_schema(control, pages); },
      .look_at_schema_of_copy =
          [](const std::filesystem::path& copy, queue::PageCheck pages) {
            return queue::look_at_schema_of_copy(copy, pages);
          },
      .migrate_store =
          [&](const std::filesystem::path& control, const queue::AuditEntry& entry) {
            return queue::migrate_control_database(control, entry, clock);
          },
      .checkpoint_store =
          [&](const std::filesystem::path& control, const queue::AuditEntry& entry) {
            return queue::checkpoint_control_database(control, entry, clock);
          },
      .compact_store =
          [&](const std::filesystem::path& control, const queue::AuditEntry& entry) {
            return queue::compact_control_database(control, entry, clock);
          },
      .accept_copy =
          [&](const std::filesystem::path& control, queue::AcceptRepeats accept,
              const queue::AuditEntry& entry) {
            return queue::accept_control_copy(control, accept, entry, clock);
          },
      .ask_daemon =
          [](const std::filesystem::path& socket, std::string_view line, std::chrono::milliseconds wait_max) {
            return exchange_line(socket, line, {.wait_max = wait_max});
          },
      .run_tenured = cli::run_tenured,
      .open_terminal = [] { return cli::open_real_terminal(); },
      .hold_ends = cli::hold_ends,
      .run_program = [&](const cli::ProgramStart& start) { return cli::run_program(start, clock); },
      .wake = [](const std::filesystem::path& control) { queue::send_wake_hint(control); },
  };
  return cli::run_cli(std::vector<std::string>(argv + 1, argv + argc), output, environment);
}
