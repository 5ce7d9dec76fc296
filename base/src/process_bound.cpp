#include <tenure/base/error.hpp>
#include <tenure/base/process_bound.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <pthread.h>
#include <unistd.h>
#include <vector>

namespace tenure {
namespace {

// What a child does first, on its only thread. Whoever forks has the mutex meanwhile, so that no list is cut in two.
class Children {
 public:
  static Children& of_process() {
    static Children* const kept = new Children;  // never destroyed: threads may fork until the very end
    return *kept;
  }

  [[nodiscard]] std::uint64_t forks() const { return forks_.load(std::memory_order_relaxed); }

  void keep_from(int descriptor) {
    const std::lock_guard lock(mutex_);
    descriptors_.push_back(descriptor);
  }
  void no_longer_keep_from(int descriptor) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(descriptors_, descriptor);
    if (found != descriptors_.end()) descriptors_.erase(found);
  }
  void give_default(int signal) {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(signals_, signal) == signals_.end()) signals_.push_back(signal);
  }

 private:
  Children() {
    const auto before = [] { of_process().mutex_.lock(); };
    const auto in_parent = [] { of_process().mutex_.unlock(); };
    const auto in_child = [] {
      of_process().begin_child();
      of_process().mutex_.unlock();
    };
    if (::pthread_atfork(before, in_parent, in_child) != 0)
      raise(ErrorCode::out_of_memory, "what a child process begins with cannot be registered");
  }

  // The numbers stay in use, so that a descriptor that the child opens is never closed by an owner of ours.
  void begin_child() {
    forks_.fetch_add(1, std::memory_order_relaxed);
    for (const int signal : signals_) std::signal(signal, SIG_DFL);
    if (descriptors_.empty()) return;
    int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int descriptor : descriptors_) {
      if (null < 0) {  // none was left: this one makes room
        ::close(descriptor);
        null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      }
      if (null != descriptor) ::dup3(null, descriptor, O_CLOEXEC);
    }
    if (std::ranges::find(descriptors_, null) == descriptors_.end()) ::close(null);
  }

  std::atomic<std::uint64_t> forks_{0};
  std::mutex mutex_;
  std::vector<int> descriptors_;
  std::vector<int> signals_;
};

}  // namespace

std::uint64_t forks_of_process() { return Children::of_process().forks(); }

void refuse_in_child(std::string_view object) {
  raise(ErrorCode::forked_process, fmt::format("{} belongs to the process that this one was forked from; "
                                               "open it after fork(), or execute a program "
                                               "in the child",
                                               object));
}

KeptFromChildren::KeptFromChildren(int descriptor) : descriptor_(descriptor) {
  Children::of_process().keep_from(descriptor);
}

KeptFromChildren::~KeptFromChildren() { Children::of_process().no_longer_keep_from(descriptor_); }

void default_in_children(int signal) { Children::of_process().give_default(signal); }

}  // namespace tenure
