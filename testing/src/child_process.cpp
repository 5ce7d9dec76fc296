#include "child_process.hpp"

#include <tenure/base/system.hpp>
#include <tenure/queue/run.hpp>

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenure::testing::detail {
namespace {

constexpr std::size_t kOutputShown = 4000;  // bytes
constexpr int kNoOutput = 87;

void begin_child(int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || ::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0)
    ::_exit(kNoOutput);
}

// False where the time has passed.
bool wait_for_end(int process, std::chrono::seconds at_most) {
  pollfd waits{.fd = process, .events = POLLIN, .revents = 0};
  const auto milliseconds = std::min<std::int64_t>(std::chrono::milliseconds{at_most}.count(), INT_MAX);
  while (true) {
    const int ready = ::poll(&waits, 1, static_cast<int>(milliseconds));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) raise_system(errno, "a run's process cannot be waited for", {});
  return status;
}

std::string end_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.size() > kOutputShown) text = "..." + text.substr(text.size() - kOutputShown);
  return text;
}

std::string text_of_end(int status, bool is_in_time, std::chrono::seconds at_most) {
  if (!is_in_time) return fmt::format("its process was killed: it had not ended after {} s", at_most.count());
  const bool is_signal = WIFSIGNALED(status);
  const queue::ProcessExit exit{is_signal ? queue::ProcessExit::By::signal : queue::ProcessExit::By::code,
                                is_signal ? WTERMSIG(status) : WEXITSTATUS(status)};
  return fmt::format("its process ended by itself: {}", queue::text_of(exit));
}

}  // namespace

ChildEnd fork_and_wait(FunctionRef<void()> work, const std::filesystem::path& output,
                       std::chrono::seconds at_most) {
  const Descriptor out{::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)};
  if (!out.is_open()) raise_system(errno, "what a run prints cannot be kept", output);
  std::fflush(nullptr);  // or the child would print it once more
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) raise_system(errno, "a run's process cannot be made", {});
  if (child == 0) {
    begin_child(out.number(), parent);
    work();
    ::_exit(kNoOutput);
  }
  const Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  const int error = errno;
  const bool is_in_time = process.is_open() && wait_for_end(process.number(), at_most);
  if (!is_in_time) ::kill(child, SIGKILL);
  const int status = reap(child);
  if (!process.is_open()) raise_system(error, "a run's process cannot be watched", {});
  return {.code = is_in_time && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .text = text_of_end(status, is_in_time, at_most),
          .output = end_of_file(output)};
}

}  // namespace tenure::testing::detail
