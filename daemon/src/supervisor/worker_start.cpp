#include "worker_start.hpp"

#include "../loop/signals.hpp"

#include <tenure/base/system.hpp>
#include <tenure/config/load.hpp>
#include <tenure/daemon/worker_environment.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

std::vector<std::string> child_environment(const WorkerSurroundings& surroundings, std::string_view pool) {
  std::vector<std::string> result;
  // What an application that runs as a job reads is for it to say; the process itself gets what is in force here.
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable{*entry};
    if (!variable.starts_with("TENURE_WORKER_") && !variable.starts_with("TENURE_CONFIG="))
      result.emplace_back(variable);
  }
  for (const auto& [name, value] : config::variables_of(surroundings.settings))
    result.push_back(std::string{kWorkerSettingPrefix} + name + "=" + value);
  result.push_back("TENURE_CONFIG=" + surroundings.config_file.string());
  result.push_back(std::string{kWorkerSocketVariable} + "=" + std::to_string(kWorkerSocketDescriptor));
  result.push_back(std::string{kWorkerLogVariable} + "=" + std::to_string(kWorkerLogDescriptor));
  result.push_back(std::string{kWorkerBoardVariable} + "=" + std::to_string(kWorkerBoardDescriptor));
  if (surroundings.keys.has_current())
    result.push_back(std::string{kWorkerKeysVariable} + "=" + std::to_string(kWorkerKeysDescriptor));
  result.push_back(std::string{kWorkerParentVariable} + "=" + std::to_string(::getpid()));
  result.push_back(std::string{kWorkerPoolVariable} + "=" + std::string{pool});
  return result;
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
  int keys = -1;    // or -1: there are none
  int group = -1;   // of the control group, or -1
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
  ::setpgid(0, 0);  // a job that signals its group (kill(0, ...)) reaches what it has started only
  if (start.group >= 0) static_cast<void>(!::write(start.group, "0", 1));
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  ::dup2(start.nothing, STDIN_FILENO);
  ::dup2(start.output, STDOUT_FILENO);
  ::dup2(start.output, STDERR_FILENO);
  ::dup2(start.socket, kWorkerSocketDescriptor);
  ::dup2(start.log, kWorkerLogDescriptor);
  ::dup2(start.board, kWorkerBoardDescriptor);
  if (start.keys >= 0) ::dup2(start.keys, kWorkerKeysDescriptor);
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

// A pipe in which the keys lie until the process reads them: on no command line, in no variable and no file. Not open where there are none.
Result<Descriptor> pipe_of_keys(const KeyRing& keys) {
  if (!keys.has_current()) return Descriptor{};
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return tl::unexpected(system_failure("cannot make a pipe for keys", errno));
  Descriptor out{ends[0]};
  const Descriptor in{ends[1]};
  if (!keys.write_to(in.number())) return tl::unexpected(system_failure("cannot hand keys on", errno));
  return out;
}

// Copies for the process, all above the fixed numbers, so that no dup2 can overwrite a source that is still needed.
struct LentDescriptors {
  Descriptor nothing, output, log, socket, board;
  Descriptor keys;    // not open where there are none
  Descriptor report;  // of a pipe whose other end is `told`
  Descriptor told;
};

Result<LentDescriptors> lend(const GivenToWorker& given, const KeyRing& keys) {
  const auto above = [](int descriptor) {
    return Descriptor{::fcntl(descriptor, F_DUPFD_CLOEXEC, kWorkerKeysDescriptor + 1)};
  };
  const auto pipe = pipe_of_keys(keys);
  if (!pipe) return tl::unexpected(pipe.error());
  std::array<int, 2> ends{-1, -1};
  const bool has_ends = ::pipe2(ends.data(), O_CLOEXEC) == 0;
  Descriptor told{ends[0]};
  const Descriptor report{ends[1]};
  const Descriptor nothing{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  LentDescriptors lent{.nothing = above(nothing.number()),
                       .output = above(given.output),
                       .log = above(STDERR_FILENO),
                       .socket = above(given.socket),
                       .board = above(given.board),
                       .keys = pipe->is_open() ? above(pipe->number()) : Descriptor{},
                       .report = above(report.number()),
                       .told = std::move(told)};
  const bool are_open = has_ends && lent.nothing.is_open() && lent.output.is_open() && lent.log.is_open() &&
                        lent.socket.is_open() && lent.board.is_open() && lent.report.is_open() &&
                        lent.keys.is_open() == pipe->is_open();
  if (!are_open) return tl::unexpected(system_failure("no descriptor left", errno));
  return lent;
}

// Why the process could not become its program; nothing where it has. Nobody else has the pipe's other end any more.
std::optional<int> error_told(const Descriptor& told) {
  int error = 0;
  ssize_t size = -1;
  while ((size = ::read(told.number(), &error, sizeof error)) < 0 && errno == EINTR) continue;
  return size == sizeof error ? std::optional{error} : std::nullopt;
}

}  // namespace

Failure system_failure(std::string_view what, int error) {
  return {ErrorCode::disk, std::string{what} + ": " + system_text(error)};
}

Result<pid_t> start_worker(const config::PoolSettings& pool, const WorkerSurroundings& surroundings,
                           const GivenToWorker& given) {
  auto lent = lend(given, surroundings.keys);
  if (!lent) return tl::unexpected(std::move(lent.error()));

  std::string program = pool.program.string();
  const std::array<char*, 2> arguments{program.data(), nullptr};
  std::vector<std::string> variables = child_environment(surroundings, pool.name);
  std::vector<char*> pointers;
  pointers.reserve(variables.size() + 1);
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);

  const auto pid = fork_worker({.program = program.c_str(),
                                .arguments = arguments.data(),
                                .variables = pointers.data(),
                                .nothing = lent->nothing.number(),
                                .output = lent->output.number(),
                                .log = lent->log.number(),
                                .socket = lent->socket.number(),
                                .board = lent->board.number(),
                                .keys = lent->keys.number(),
                                .group = given.group,
                                .report = lent->report.number(),
                                .parent = ::getpid(),
                                .held_back = told_signals()});
  if (!pid) return pid;
  lent->report = Descriptor{};
  const auto error = error_told(lent->told);
  if (!error) return pid;
  static_cast<void>(wait_for_process(*pid));
  return tl::unexpected(system_failure("cannot start " + program, *error));
}

int wait_for_process(pid_t pid) {
  int status = 0;
  pid_t ended = -1;
  while ((ended = ::waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
  TENURE_INVARIANT(ended == pid);
  return status;
}

}  // namespace tenure::daemon
