#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>
#include <tenure/cli/program_run.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tenure::cli {
namespace {

constexpr std::array kEnds{SIGINT, SIGQUIT, SIGTERM, SIGHUP};

// As nohup and shells leave them: to a blocked signal the kernel does not apply that.
bool is_left_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t held_signals() {
  sigset_t held;
  ::sigemptyset(&held);
  for (const int number : kEnds)
    if (!is_left_ignored(number)) ::sigaddset(&held, number);
  return held;
}

// What the child needs between fork and exec, where nothing may be allocated.
struct ChildStart {
  std::vector<char*> arguments, variables;
  sigset_t mask{};
  int report = -1;  // where errno is written if the program cannot be started; closed by its start
  pid_t parent = -1;
  bool data_as_messages = false;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// In the child: calls that signal-safety(7) lists, and nothing else.
[[noreturn]] void become_program(const ChildStart& start) {
  constexpr int kCannotStart = 127;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) ::_exit(kCannotStart);
  ::signal(SIGPIPE, SIG_DFL);
  if (start.data_as_messages) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::sigprocmask(SIG_SETMASK, &start.mask, nullptr);
  ::execve(start.arguments.front(), start.arguments.data(), start.variables.data());
  const int error = errno;
  static_cast<void>(!::write(start.report, &error, sizeof error));
  ::_exit(kCannotStart);
}

class RunningProgram {
 public:
  RunningProgram(const ProgramStart& start, const Clock& clock) : start_(start), clock_(clock) {
    hold_ends();
    // A parent may have left it ignored, and then ends of children are not told.
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t looked = held_signals();
    ::sigaddset(&looked, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &looked, &mask_before_);
    signals_ = Descriptor{::signalfd(-1, &looked, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!signals_.is_open()) raise_system(errno, "no descriptor for signals", {});
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  ProgramEnd run() {
    if (const int error = begin(); error != 0) return {.why = ProgramEnd::Why::cannot_start, .error = error};
    if (start_.has_said_hello) look_at_ = clock_.steady() + start_.hello_max;
    while (!end_) {
      wait();
      obey_signals();
      if (!end_) obey_time();
    }
    return *end_;
  }

 private:
  // errno where it cannot be started.
  int begin() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
    const Descriptor told{ends[0]};
    Descriptor report{ends[1]};
    ChildStart child{.arguments = pointers_to(start_.command),
                     .variables = pointers_to(start_.variables),
                     .report = report.number(),
                     .parent = ::getpid(),
                     .data_as_messages = start_.data_as_messages};
    child.mask = mask_before_;
    for (const int number : kEnds) ::sigdelset(&child.mask, number);
    pid_ = ::fork();
    if (pid_ == 0) become_program(child);
    if (pid_ < 0) return errno;
    report = Descriptor{};
    int error = 0;
    ssize_t got = -1;
    while ((got = ::read(told.number(), &error, sizeof error)) < 0 && errno == EINTR) continue;
    if (got != sizeof error) return 0;
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
    return error;
  }

  void wait() const {
    int timeout = -1;
    if (look_at_) {
      const auto left = *look_at_ - clock_.steady();
      timeout = static_cast<int>(
          std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
    }
    pollfd looked{signals_.number(), POLLIN, 0};
    static_cast<void>(::poll(&looked, 1, timeout));
  }

  void obey_signals() {
    signalfd_siginfo told{};
    while (::read(signals_.number(), &told, sizeof told) == sizeof told) {
      const int number = static_cast<int>(told.ssi_signo);
      if (number == SIGCHLD) collect();
      else if (!end_) hand_on(number);
    }
  }

  void collect() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
    using By = queue::ProcessExit::By;
    end_ = {.why = why_,
            .exit = WIFSIGNALED(status) ? queue::ProcessExit{By::signal, WTERMSIG(status)}
                                        : queue::ProcessExit{By::code, WEXITSTATUS(status)}};
  }

  // From a terminal the program has had it too, and twice does no harm. A debugger makes of Ctrl-C what it likes.
  void hand_on(int number) {
    if (start_.has_the_terminal && (number == SIGINT || number == SIGQUIT)) return;
    ::kill(pid_, start_.has_the_terminal ? SIGTERM : number);
    if (why_ != ProgramEnd::Why::by_itself) return;
    why_ = ProgramEnd::Why::told_to_end;
    look_at_ = clock_.steady() + start_.grace;
  }

  void obey_time() {
    if (!look_at_ || clock_.steady() < *look_at_) return;
    look_at_.reset();
    if (why_ == ProgramEnd::Why::by_itself && start_.has_said_hello()) return;
    if (why_ == ProgramEnd::Why::by_itself) why_ = ProgramEnd::Why::silent;
    ::kill(pid_, SIGKILL);
  }

  const ProgramStart& start_;
  const Clock& clock_;
  sigset_t mask_before_{};
  Descriptor signals_;
  pid_t pid_ = -1;
  ProgramEnd::Why why_ = ProgramEnd::Why::by_itself;
  std::optional<Instant> look_at_;  // for its hello, and later for its end
  std::optional<ProgramEnd> end_;
};

}  // namespace

void hold_ends() {
  const sigset_t held = held_signals();
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

ProgramEnd run_program(const ProgramStart& start, const Clock& clock) {
  return RunningProgram(start, clock).run();
}

}  // namespace tenure::cli
