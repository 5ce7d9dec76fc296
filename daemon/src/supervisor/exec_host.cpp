#include "exec_host.hpp"

#include "../loop/signals.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/system.hpp>
#include <tenure/daemon/worker_environment.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using boost::system::error_code;

class SpawnSetup {
 public:
  SpawnSetup(int socket, int lock) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, socket, kWorkerSocketDescriptor);
    posix_spawn_file_actions_adddup2(&actions_, lock, kWorkerLockDescriptor);

    posix_spawnattr_init(&attributes_);
    // Let through by worker_main, once it has handlers for them.
    const sigset_t held_back = told_signals();
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &held_back);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    // A job that signals its group (kill(0, ...)) reaches its own process only.
    posix_spawnattr_setpgroup(&attributes_, 0);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<std::string> child_environment(const ExecHost::Environment& environment, std::string_view pool) {
  std::vector<std::string> result;
  // Settings given by variables must reach the workers too, or they would open other files than the daemon means.
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable{*entry};
    if (!variable.starts_with("TENURE_WORKER_") && !variable.starts_with("TENURE_CONFIG="))
      result.emplace_back(variable);
  }
  result.push_back("TENURE_CONFIG=" + environment.config_file.string());
  result.push_back(std::string{kWorkerSocketVariable} + "=" + std::to_string(kWorkerSocketDescriptor));
  result.push_back(std::string{kWorkerLockVariable} + "=" + std::to_string(kWorkerLockDescriptor));
  result.push_back(std::string{kWorkerParentVariable} + "=" + std::to_string(::getpid()));
  result.push_back(std::string{kWorkerPoolVariable} + "=" + std::string{pool});
  return result;
}

std::string describe_end(int status) {
  if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  return "signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
}

Failure system_failure(std::string_view what, int error) {
  return {ErrorCode::disk, std::string{what} + ": " + system_text(error)};
}

Result<pid_t> spawn(const config::PoolSettings& pool, const ExecHost::Environment& environment, int socket) {
  // Above the fixed numbers, so that no dup2 can overwrite a source that is still needed.
  const Descriptor socket_copy{::fcntl(socket, F_DUPFD_CLOEXEC, kWorkerLockDescriptor + 1)};
  const Descriptor lock_copy{
      ::fcntl(environment.lock_descriptor, F_DUPFD_CLOEXEC, kWorkerLockDescriptor + 1)};
  if (!socket_copy.is_open() || !lock_copy.is_open())
    return tl::unexpected(system_failure("no descriptor left", errno));

  const SpawnSetup setup{socket_copy.number(), lock_copy.number()};
  std::string program = pool.program.string();
  const std::array<char*, 2> arguments{program.data(), nullptr};
  std::vector<std::string> variables = child_environment(environment, pool.name);
  std::vector<char*> pointers;
  pointers.reserve(variables.size() + 1);
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);

  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), setup.actions(), setup.attributes(),
                                  arguments.data(), pointers.data());
  if (error != 0) return tl::unexpected(system_failure("cannot start " + program, error));
  return pid;
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

  const auto pid = spawn(pool, environment_, theirs.number());
  if (!pid) return tl::unexpected(pid.error());
  const int watch = open_pid(*pid);
  if (watch < 0) {
    const int error = errno;
    ::kill(*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return tl::unexpected(system_failure("cannot watch the worker process", error));
  }
  const auto [child, fresh] = children_.try_emplace(
      process, Child{*pid, boost::asio::posix::stream_descriptor{executor_, watch}, std::move(on_gone)});
  TENURE_INVARIANT(fresh);
  child->second.watch.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 [this, process](error_code error) {
                                   if (!error) reap(process);
                                 });
  return ours.release();
}

void ExecHost::end(queue::ProcessNumber process, EndProcess::By by) {
  const auto child = children_.find(process);
  // Not reaped yet, so the pid is still its own.
  if (child != children_.end()) ::kill(child->second.pid, by == EndProcess::By::abort ? SIGABRT : SIGKILL);
}

void ExecHost::tell_to_open_log() {
  for (const auto& [process, child] : children_) ::kill(child.pid, SIGUSR1);
}

void ExecHost::reap(queue::ProcessNumber process) {
  auto child = children_.extract(process);
  int status = 0;
  TENURE_INVARIANT(::waitpid(child.mapped().pid, &status, 0) == child.mapped().pid);
  const bool is_in_trouble = WIFEXITED(status) && WEXITSTATUS(status) == number_of(ExitCode::sync_failed);
  child.mapped().on_gone({process, describe_end(status), is_in_trouble});
}

}  // namespace tenure::daemon
