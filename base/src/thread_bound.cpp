#include <tenure/base/error.hpp>
#include <tenure/base/thread_bound.hpp>

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenure {
namespace {

// As `ps -L` shows it. A thread may be named after it was bound, so the name is asked for when it is needed.
std::string name_of_thread(std::int32_t thread) {
  std::ifstream file(fmt::format("/proc/self/task/{}/comm", thread));
  std::string name;
  std::getline(file, name);
  return fmt::format("{} ({})", name.empty() ? "a thread that has ended" : name, thread);
}

}  // namespace

std::int32_t ThreadBound::this_thread() {
  thread_local const auto number = static_cast<std::int32_t>(::syscall(SYS_gettid));
  return number;
}

void ThreadBound::bind_or_abort(std::int32_t caller, const char* file, int line) const {
  std::int32_t owner = kNobody;
  if (owner_.compare_exchange_strong(owner, caller, std::memory_order_relaxed)) return;
  const std::string text = fmt::format("{} is bound to {} and was called on {}", object_,
                                       name_of_thread(owner), name_of_thread(caller));
  invariant_broken(text.c_str(), file, line);
}

void ThreadBound::release(const char* file, int line) {
  check(file, line);
  owner_.store(kNobody, std::memory_order_relaxed);
}

}  // namespace tenure
