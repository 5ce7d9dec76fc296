#pragma once

#include <tenure/base/function_ref.hpp>

#include <chrono>
#include <filesystem>
#include <memory>

namespace tenure::sqlite {

// Lines up the processes that write to one database, by a blocking flock on a file beside it (mode 0660). SQLite's
// waiters poll with growing sleeps and are never queued, so a busy process starves the others. It orders, it does not
// protect: SQLite's own lock stays the guarantee.
// A wait has a bound, because a process that was stopped in its turn never ends it. flock has none, and a signal that
// interrupts it could meet the program's own: where the turn is not free, a thread of the queue's own (`writer-queue`)
// waits in flock, and does what was to be done when it has the turn: handing the turn over first would cost every turn a
// change of threads. It keeps its place when its caller gives up, for the next one.
// Threads: run() from any thread; one turn at a time in a process.
class WriterQueue {
 public:
  static constexpr std::chrono::milliseconds kWaitMax{30'000};
  using Deadline = std::chrono::steady_clock::time_point;

  // Creates the file where it is missing.
  explicit WriterQueue(const std::filesystem::path& lock_file);
  // Waits for nobody.
  ~WriterQueue();
  WriterQueue(const WriterQueue&) = delete;
  WriterQueue& operator=(const WriterQueue&) = delete;

  class Turn {
   public:
    Turn() = default;
    ~Turn() { end(); }
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&& other) noexcept;
    // Safe twice.
    void end();

   private:
    friend class WriterQueue;
    explicit Turn(WriterQueue* queue) : queue_(queue) {}
    WriterQueue* queue_ = nullptr;
  };
  // Waits for the turn and calls `work` with it, once, on this thread or on the queue's own; returns when `work` has. What it
  // throws is passed on. StoreBusy, and no call, where the turn has not come by the deadline: names the file and, where
  // /proc/locks knows it, the process whose turn it is.
  void run(Deadline deadline, FunctionRef<void(Turn&)> work);
  // 0: now or not at all.
  void run(std::chrono::milliseconds wait_max, FunctionRef<void(Turn&)> work);

 private:
  struct Line;
  void release();  // the end of a turn

  const std::shared_ptr<Line> line_;  // the thread's too, which may outlive the queue
};

}  // namespace tenure::sqlite
