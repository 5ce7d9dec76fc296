#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::sqlite {
namespace {

constexpr mode_t kQueueMode = 0660;

[[noreturn]] void raise_system(int error, const std::string& what, const std::filesystem::path& file) {
  const bool refused = error == EACCES || error == EPERM || error == ELOOP;
  const bool descriptors = error == EMFILE || error == ENFILE;
  const ErrorCode code = refused       ? ErrorCode::access_refused
                         : descriptors ? ErrorCode::handle_budget_exhausted
                                       : ErrorCode::disk;
  raise(code, what + ": " + std::strerror(error), {}, file.string());
}

int open_queue(const std::filesystem::path& file) {
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  int descriptor = ::open(file.c_str(), kFlags | O_CREAT | O_EXCL, kQueueMode);
  if (descriptor >= 0) {
    // The umask may have taken the group's bits, and then the other user's processes could not line up.
    if (::fchmod(descriptor, kQueueMode) == 0) return descriptor;
    const int error = errno;
    ::close(descriptor);
    raise_system(error, "the mode of the writers' lock file cannot be set", file);
  }
  if (errno == EEXIST) descriptor = ::open(file.c_str(), kFlags);
  if (descriptor < 0) raise_system(errno, "the writers' lock file cannot be opened", file);
  return descriptor;
}

}  // namespace

WriterQueue::WriterQueue(const std::filesystem::path& lock_file) : descriptor_(open_queue(lock_file)) {}

WriterQueue::~WriterQueue() { ::close(descriptor_); }

WriterQueue::Turn WriterQueue::wait() {
  std::unique_lock lock(mutex_);  // flock knows descriptors, not threads
  while (::flock(descriptor_, LOCK_EX) != 0)
    if (errno != EINTR) raise_system(errno, "the writers' lock file cannot be locked", "writer queue");
  lock.release();
  return Turn{this};
}

WriterQueue::Turn::Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}

WriterQueue::Turn& WriterQueue::Turn::operator=(Turn&& other) noexcept {
  if (this != &other) {
    end();
    queue_ = std::exchange(other.queue_, nullptr);
  }
  return *this;
}

void WriterQueue::Turn::end() {
  WriterQueue* queue = std::exchange(queue_, nullptr);
  if (queue == nullptr) return;
  ::flock(queue->descriptor_, LOCK_UN);
  queue->mutex_.unlock();
}

}  // namespace tenure::sqlite
