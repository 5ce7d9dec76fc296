#include <tenure/base/thread_without_signals.hpp>

#include <tenure/base/error.hpp>
#include <tenure/base/lock_holders.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <condition_variable>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <pthread.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tenure::sqlite {
namespace {

constexpr mode_t kQueueMode = 0660;

Descriptor open_queue(const std::filesystem::path& file) {
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  Descriptor descriptor{::open(file.c_str(), kFlags | O_CREAT | O_EXCL, kQueueMode)};
  if (descriptor.is_open()) {
    // The umask may have taken the group's bits, and then the other user's processes could not line up.
    if (::fchmod(descriptor.number(), kQueueMode) != 0)
      raise_system(errno, "the mode of the writers' lock file cannot be set", file);
    give_to_owner_of_folder(file);
    return descriptor;
  }
  if (errno == EEXIST) descriptor = Descriptor{::open(file.c_str(), kFlags)};
  if (!descriptor.is_open()) raise_system(errno, "the writers' lock file cannot be opened", file);
  return descriptor;
}

// Throws OutOfMemory.
template <class Function>
std::thread start_waiting_thread(Function&& function) {
  try {
    return start_without_signals(std::forward<Function>(function));
  } catch (const std::exception&) {
    raise(ErrorCode::out_of_memory, "no thread could be started to wait for the writers' lock");
  }
}

}  // namespace

// What callers and the waiting thread share, all of it under the mutex.
struct WriterQueue::Line {
  explicit Line(const std::filesystem::path& lock_file)
      : file(lock_file), descriptor(open_queue(lock_file)) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // What a caller wants done, on its stack. Once it has begun the caller waits for its end.
  struct Order {
    WriterQueue& queue;
    FunctionRef<void(Turn&)> work;
    bool begun = false;
    bool done = false;
    std::exception_ptr error = {};
  };

  const std::filesystem::path file;
  const Descriptor descriptor;
  const KeptFromChildren kept{descriptor.number()};
  std::mutex mutex;
  std::condition_variable turn_ended, asked, answered;
  bool taken = false;      // a thread of this process has the turn or waits for it: flock knows no threads
  bool in_flock = false;   // the waiting thread is there, or on its way
  Order* order = nullptr;  // of whoever has `taken` and waits for that thread
  bool closed = false;
  std::thread waiting;

  void give_up_turn() {
    taken = false;
    turn_ended.notify_one();
  }

  // Whether the turn is free at this moment: then the caller has it.
  bool take_free() {
    const int result = lock_file(descriptor.number(), WhenLocked::give_up);
    if (result != 0 && result != EWOULDBLOCK)
      raise_system(result, "the writers' lock file cannot be locked", file);
    return result == 0;
  }

  // False at the deadline. The caller holds the mutex and has `taken`.
  bool let_thread_wait(std::unique_lock<std::mutex>& held, Deadline deadline, Order& mine,
                       const std::shared_ptr<Line>& self) {
    if (!in_flock) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      if (!waiting.joinable()) waiting = start_waiting_thread([self] { self->wait_for_turns(); });
      in_flock = true;
      asked.notify_one();
    }
    order = &mine;
    if (!answered.wait_until(held, deadline, [&] { return mine.begun; })) {
      order = nullptr;
      return false;
    }
    answered.wait(held, [&] { return mine.done; });
    return true;
  }

  void wait_for_turns() {
    ::pthread_setname_np(::pthread_self(), "writer-queue");
    std::unique_lock held(mutex);
    for (;;) {
      asked.wait(held, [&] { return in_flock || closed; });
      if (!in_flock) return;
      held.unlock();
      const int result = lock_file(descriptor.number(), WhenLocked::wait);
      held.lock();
      in_flock = false;
      Order* mine = std::exchange(order, nullptr);
      if (mine == nullptr) {
        if (result == 0) ::flock(descriptor.number(), LOCK_UN);
        continue;
      }
      mine->begun = true;
      held.unlock();
      carry_out(*mine, result);
      held.lock();
      mine->done = true;
      answered.notify_all();
    }
  }

  void carry_out(Order& mine, int result) const {
    try {
      if (result != 0) {
        mine.queue.release();
        raise_system(result, "the writers' lock file cannot be locked", file);
      }
      Turn turn{&mine.queue};
      mine.work(turn);
    } catch (...) {
      mine.error = std::current_exception();
    }
  }
};

WriterQueue::WriterQueue(const std::filesystem::path& lock_file) : line_(std::make_shared<Line>(lock_file)) {}

WriterQueue::~WriterQueue() {
  std::thread waiting;
  {
    const std::lock_guard held(line_->mutex);
    line_->closed = true;
    line_->asked.notify_one();
    if (!line_->waiting.joinable()) return;
    waiting = std::move(line_->waiting);
    if (line_->in_flock) {
      // It may stay there for as long as somebody else's process stands still. It owns what it touches.
      waiting.detach();
      return;
    }
  }
  waiting.join();
}

void WriterQueue::run(Deadline deadline, FunctionRef<void(Turn&)> work) {
  Line& line = *line_;
  std::unique_lock held(line.mutex);
  bool come = line.turn_ended.wait_until(held, deadline, [&] { return !line.taken; });
  if (come) {
    line.taken = true;
    Line::Order order{.queue = *this, .work = work};
    try {
      if (!line.in_flock && line.take_free()) {
        held.unlock();
        Turn turn{this};
        work(turn);
        return;
      }
      come = line.let_thread_wait(held, deadline, order, line_);
    } catch (...) {
      if (held.owns_lock()) line.give_up_turn();
      throw;
    }
    if (order.error) std::rethrow_exception(order.error);
    if (come) return;
    line.give_up_turn();
  }
  raise(ErrorCode::store_busy,
        fmt::format("the turn to write was not given back in time by {}; where it was stopped, let it go on "
                    "or end it",
                    lock_holders(line.descriptor.number())),
        {}, line.file.string());
}

void WriterQueue::run(std::chrono::milliseconds wait_max, FunctionRef<void(Turn&)> work) {
  run(std::chrono::steady_clock::now() + wait_max, work);
}

void WriterQueue::release() {
  ::flock(line_->descriptor.number(), LOCK_UN);
  const std::lock_guard held(line_->mutex);
  line_->give_up_turn();
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
  if (queue != nullptr) queue->release();
}

}  // namespace tenure::sqlite
