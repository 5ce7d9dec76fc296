#include "exec_host.hpp"

#include "../loop/signals.hpp"
#include "../protocol/slot_board.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/system.hpp>
#include <tenure/config/load.hpp>
#include <tenure/daemon/worker_environment.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using boost::system::error_code;

std::vector<std::string> child_environment(const ExecHost::Environment& environment, std::string_view pool) {
  std::vector<std::string> result;
  // What an application that runs as a job reads is for it to say; the process itself gets what is in force here.
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable{*entry};
    if (!variable.starts_with("TENURE_WORKER_") && !variable.starts_with("TENURE_CONFIG="))
      result.emplace_back(variable);
  }
  for (const auto& [name, value] : config::variables_of(environment.settings))
    result.push_back(std::string{kWorkerSettingPrefix} + name + "=" + value);
  result.push_back("TENURE_CONFIG=" + environment.config_file.string());
  result.push_back(std::string{kWorkerSocketVariable} + "=" + std::to_string(kWorkerSocketDescriptor));
  result.push_back(std::string{kWorkerLogVariable} + "=" + std::to_string(kWorkerLogDescriptor));
  result.push_back(std::string{kWorkerBoardVariable} + "=" + std::to_string(kWorkerBoardDescriptor));
  result.push_back(std::string{kWorkerParentVariable} + "=" + std::to_string(::getpid()));
  result.push_back(std::string{kWorkerPoolVariable} + "=" + std::string{pool});
  return result;
}

queue::ProcessExit exit_of(int status) {
  if (WIFEXITED(status)) return {queue::ProcessExit::By::code, WEXITSTATUS(status)};
  return {queue::ProcessExit::By::signal, WTERMSIG(status)};
}

Failure system_failure(std::string_view what, int error) {
  return {ErrorCode::disk, std::string{what} + ": " + system_text(error)};
}

// What a child needs between fork and exec, where nothing may be allocated.
struct Start {
  const char* program = nullptr;
  char* const* arguments = nullptr;
  char* const* variables = nullptr;
  int nothing = -1;  // /dev/null
  int output = -1;   // of what it prints
  int log = -1;      // our standard error
  int socket = -1;
  int board = -1;
  int report = -1;  // where errno is written if the program cannot be started; closed by its start
  pid_t parent = -1;
  sigset_t held_back{};
};

// In the child: calls that signal-safety(7) lists, and nothing else. The death signal outlives exec: no program, however long it takes to
// reach worker_main, outlives its daemon.
[[noreturn]] void become_worker(const Start& start) {
  constexpr int kCannotStart = 127;  // as a shell says it
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) ::_exit(kCannotStart);
  ::setpgid(0, 0);  // a job that signals its group (kill(0, ...)) reaches its own process only
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  ::dup2(start.nothing, STDIN_FILENO);
  ::dup2(start.output, STDOUT_FILENO);
  ::dup2(start.output, STDERR_FILENO);
  ::dup2(start.socket, kWorkerSocketDescriptor);
  ::dup2(start.log, kWorkerLogDescriptor);
  ::dup2(start.board, kWorkerBoardDescriptor);
  // Let through by worker_main, once it has handlers for them.
  ::sigprocmask(SIG_SETMASK, &start.held_back, nullptr);
  ::execve(start.program, start.arguments, start.variables);
  const int error = errno;
  static_cast<void>(!::write(start.report, &error, sizeof error));
  ::_exit(kCannotStart);
}

// No handler of ours may run in the child before it is another program.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeldBack() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_{};
};

Result<pid_t> fork_worker(const Start& start) {
  const SignalsHeldBack held_back;
  const pid_t pid = ::fork();
  if (pid == 0) become_worker(start);
  if (pid < 0) return tl::unexpected(system_failure("cannot make a process", errno));
  return pid;
}

constexpr int kPipeBytes = 1 << 20;  // how much a job can print while the daemon does something else

// What a child is given of ours.
struct Given {
  int socket = -1;
  int output = -1;
  int board = -1;
};

Result<pid_t> spawn(const config::PoolSettings& pool, const ExecHost::Environment& environment,
                    const Given& given) {
  // Above the fixed numbers, so that no dup2 can overwrite a source that is still needed.
  const auto above = [](int descriptor) {
    return Descriptor{::fcntl(descriptor, F_DUPFD_CLOEXEC, kWorkerBoardDescriptor + 1)};
  };
  const Descriptor socket_copy = above(given.socket);
  const Descriptor output_copy = above(given.output);
  const Descriptor board_copy = above(given.board);
  const Descriptor log = above(STDERR_FILENO);
  const Descriptor null_low{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const Descriptor nothing = above(null_low.number());
  std::array<int, 2> ends{-1, -1};
  const bool has_pipe = ::pipe2(ends.data(), O_CLOEXEC) == 0;
  const Descriptor result{ends[0]};
  Descriptor report_low{ends[1]};
  Descriptor report = above(report_low.number());
  if (!has_pipe || !socket_copy.is_open() || !output_copy.is_open() || !board_copy.is_open() ||
      !log.is_open() || !nothing.is_open() || !report.is_open())
    return tl::unexpected(system_failure("no descriptor left", errno));

  std::string program = pool.program.string();
  const std::array<char*, 2> arguments{program.data(), nullptr};
  std::vector<std::string> variables = child_environment(environment, pool.name);
  std::vector<char*> pointers;
  pointers.reserve(variables.size() + 1);
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);

  const auto pid = fork_worker({.program = program.c_str(),
                                .arguments = arguments.data(),
                                .variables = pointers.data(),
                                .nothing = nothing.number(),
                                .output = output_copy.number(),
                                .log = log.number(),
                                .socket = socket_copy.number(),
                                .board = board_copy.number(),
                                .report = report.number(),
                                .parent = ::getpid(),
                                .held_back = told_signals()});
  if (!pid) return pid;
  report = Descriptor{};
  report_low = Descriptor{};
  int error = 0;
  if (::read(result.number(), &error, sizeof error) != sizeof error) return pid;
  ::waitpid(*pid, nullptr, 0);
  return tl::unexpected(system_failure("cannot start " + program, error));
}

// All zero where there is none.
ProgramFile program_file(const std::filesystem::path& program) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size,
          status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec};
}

int open_pid(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

ExecHost::ExecHost(boost::asio::any_io_executor executor, Environment environment)
    : executor_(std::move(executor)), environment_(std::move(environment)) {}

// Whoever leaves in a hurry leaves no worker behind: the lock must be free when we are gone.
ExecHost::~ExecHost() {
  for (auto& [process, child] : children_) {
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
  }
}

Result<int> ExecHost::start(queue::ProcessNumber process, const config::PoolSettings& pool, OnGone on_gone) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return tl::unexpected(system_failure("cannot make a socket pair", errno));
  Descriptor ours{pair[0]};
  const Descriptor theirs{pair[1]};

  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return tl::unexpected(system_failure("cannot make a pipe", errno));
  Descriptor output{pipe[0]};
  const Descriptor printed{pipe[1]};
  ::fcntl(printed.number(), F_SETPIPE_SZ, kPipeBytes);  // less, where the system allows no more, is fine, too

  // One thread more than there are slots performs (runtime.cpp).
  auto board = make_board(static_cast<std::size_t>(pool.slots) + 1);
  if (!board) return tl::unexpected(board.error());

  const ProgramFile program =
      program_file(pool.program);  // before the start: if it changes meanwhile, it is new again
  const auto pid = spawn(pool, environment_,
                         {.socket = theirs.number(), .output = printed.number(), .board = board->number()});
  if (!pid) return tl::unexpected(pid.error());
  const int watch = open_pid(*pid);
  if (watch < 0) {
    const int error = errno;
    ::kill(*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return tl::unexpected(system_failure("cannot watch the worker process", error));
  }
  const auto [child, fresh] = children_.try_emplace(
      process, Child{*pid, pool.program, program, boost::asio::posix::stream_descriptor{executor_, watch},
                     std::make_shared<WorkerOutput>(executor_, std::move(output), pool.name, process),
                     std::move(*board), std::move(on_gone)});
  TENURE_INVARIANT(fresh);
  child->second.output->start();
  child->second.watch.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 [this, process](error_code error) {
                                   if (!error) reap(process);
                                 });
  return ours.release();
}

pid_t ExecHost::pid_of(queue::ProcessNumber process) const {
  const auto child = children_.find(process);
  return child == children_.end() ? 0 : child->second.pid;
}

void ExecHost::end(queue::ProcessNumber process, EndProcess::By by) {
  const auto child = children_.find(process);
  // Not reaped yet, so the pid is still its own.
  if (child != children_.end()) ::kill(child->second.pid, by == EndProcess::By::abort ? SIGABRT : SIGKILL);
}

void ExecHost::tell_to_open_log() {
  for (const auto& [process, child] : children_) ::kill(child.pid, SIGUSR1);
}

// A file that is not there for a moment is no new one.
std::vector<queue::ProcessNumber> ExecHost::of_old_programs() const {
  std::vector<queue::ProcessNumber> old;
  for (const auto& [process, child] : children_) {
    const ProgramFile now = program_file(child.program);
    if (!(now == ProgramFile{}) && !(now == child.file)) old.push_back(process);
  }
  return old;
}

std::int64_t ExecHost::memory_of(queue::ProcessNumber process) const {
  const auto child = children_.find(process);
  if (child == children_.end()) return 0;
  std::int64_t size = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/" + std::to_string(child->second.pid) + "/statm") >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

void ExecHost::use(const config::Settings& settings) { environment_.settings = settings; }

void ExecHost::reap(queue::ProcessNumber process) {
  auto child = children_.extract(process);
  int status = 0;
  TENURE_INVARIANT(::waitpid(child.mapped().pid, &status, 0) == child.mapped().pid);
  const queue::ProcessExit exit = exit_of(status);
  constexpr queue::ProcessExit kInTrouble{queue::ProcessExit::By::code, number_of(ExitCode::sync_failed)};
  child.mapped().output->finish();
  child.mapped().on_gone({.process = process,
                          .cause = queue::text_of(exit),
                          .is_in_trouble = exit == kInTrouble,
                          .exit = exit,
                          .slots = read_board(child.mapped().board.number(), exit)});
}

}  // namespace tenure::daemon
