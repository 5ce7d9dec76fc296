#include "exec_host.hpp"

#include "../dispatcher/processes.hpp"
#include "../protocol/slot_board.hpp"
#include "memory_kills.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <string_view>
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

queue::ProcessExit exit_of(int status) {
  if (WIFEXITED(status)) return {queue::ProcessExit::By::code, WEXITSTATUS(status)};
  return {queue::ProcessExit::By::signal, WTERMSIG(status)};
}

constexpr int kPipeBytes = 1 << 20;  // how much a job can print while the daemon does something else

// All zero where there is none.
ProgramFile program_file(const std::filesystem::path& program) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size,
          status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec};
}

bool may_lack_memory(const queue::ProcessExit& exit, std::optional<std::int64_t> kills_before) {
  if (exit != queue::ProcessExit{queue::ProcessExit::By::signal, SIGKILL}) return false;
  const auto kills = memory_kills();
  return !kills || !kills_before || *kills != *kills_before;
}

int open_pid(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

ExecHost::ExecHost(boost::asio::any_io_executor executor, WorkerSurroundings surroundings)
    : executor_(std::move(executor)),
      surroundings_(std::move(surroundings)),
      groups_(delegated_group()),
      next_sweep_(executor_) {
  if (!groups_.own().empty())
    log::write(log::Level::info, "workers.grouped",
               "each worker process has a control group of its own below " + groups_.own().string());
}

// Whoever leaves in a hurry leaves no worker behind: the lock must be free when we are gone.
ExecHost::~ExecHost() {
  for (auto& [process, child] : children_) {
    ::kill(child.pid, SIGKILL);
    wait_for_end(child);
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

  static_assert(kBoardEndsMore >= kAheadJobsMax);
  // One thread more than there are slots performs (runtime.cpp).
  auto board = make_board(static_cast<std::size_t>(pool.slots) + 1);
  if (!board) return tl::unexpected(board.error());

  const ProgramFile program =
      program_file(pool.program);  // before the start: if it changes meanwhile, it is new again
  const auto kills = memory_kills();
  ControlGroup group = group_for(process, pool.name);
  const auto pid = start_worker(pool, surroundings_,
                                {.socket = theirs.number(),
                                 .output = printed.number(),
                                 .board = board->number(),
                                 .group = group.entry.number()});
  if (!pid) {
    groups_.end(group.folder);
    return tl::unexpected(pid.error());
  }
  const int watch = open_pid(*pid);
  if (watch < 0) {
    const int error = errno;
    ::kill(*pid, SIGKILL);
    static_cast<void>(wait_for_process(*pid));
    groups_.end(group.folder);
    return tl::unexpected(system_failure("cannot watch the worker process", error));
  }
  const auto [child, fresh] = children_.try_emplace(
      process, Child{*pid, pool.program, program, boost::asio::posix::stream_descriptor{executor_, watch},
                     std::make_shared<WorkerOutput>(executor_, std::move(output), pool.name, process),
                     std::move(*board), kills, std::move(group.folder), std::move(on_gone)});
  TENURE_INVARIANT(fresh);
  child->second.output->start();
  await_end(process);
  return ours.release();
}

// Asio may report a descriptor ready for one of the same number before it: that one is in the epoll set for as long as a process which was
// forked meanwhile, and has not yet become its program, has a copy of it. So the process itself is asked.
void ExecHost::await_end(queue::ProcessNumber process) {
  const auto child = children_.find(process);
  if (child == children_.end()) return;
  child->second.watch.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 [this, process](error_code error) {
                                   if (error) return;
                                   if (has_ended(process)) reap(process);
                                   else await_end(process);
                                 });
}

bool ExecHost::has_ended(queue::ProcessNumber process) const {
  const auto child = children_.find(process);
  siginfo_t ended{};
  return child != children_.end() &&
         ::waitid(P_PID, static_cast<id_t>(child->second.pid), &ended, WEXITED | WNOWAIT | WNOHANG) == 0 &&
         ended.si_pid != 0;
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

void ExecHost::use(const config::Settings& settings) { surroundings_.settings = settings; }

// While it is not reaped its number is nobody else's, and so is its process group's. Whatever its jobs have started goes with it.
queue::ProcessExit ExecHost::wait_for_end(const Child& child) {
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(child.pid), &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR)
    continue;
  ::kill(-child.pid, SIGKILL);
  groups_.end(child.group);
  return exit_of(wait_for_process(child.pid));
}

// Without one its jobs' processes are ended by their process group alone, and jobs run all the same.
ControlGroup ExecHost::group_for(queue::ProcessNumber process, std::string_view pool) {
  auto group = groups_.make(process);
  if (group) return std::move(*group);
  log::write(log::Level::warning, "worker.ungrouped", group.error().message,
             {.pool = pool, .process = process.value, .error = group.error().where});
  return {};
}

// A killed process is in its group until the kernel has taken it down.
void ExecHost::sweep_groups() {
  constexpr std::chrono::milliseconds kPause{100};
  if (groups_.sweep()) return;
  next_sweep_.expires_after(kPause);
  next_sweep_.async_wait([this](error_code error) {
    if (!error) sweep_groups();
  });
}

void ExecHost::reap(queue::ProcessNumber process) {
  auto child = children_.extract(process);
  const queue::ProcessExit exit = wait_for_end(child.mapped());
  sweep_groups();
  constexpr queue::ProcessExit kInTrouble{queue::ProcessExit::By::code, number_of(ExitCode::sync_failed)};
  child.mapped().output->finish();
  child.mapped().on_gone({.process = process,
                          .cause = queue::text_of(exit),
                          .is_in_trouble = exit == kInTrouble,
                          .exit = exit,
                          .slots = read_board(child.mapped().board.number(), exit),
                          .may_lack_memory = may_lack_memory(exit, child.mapped().memory_kills)});
}

}  // namespace tenure::daemon
