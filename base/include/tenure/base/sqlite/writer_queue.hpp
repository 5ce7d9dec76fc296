#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

namespace tenure::sqlite {

// Lines up the processes that write to one database, by a blocking flock on a file beside it (mode 0660). SQLite's
// waiters poll with growing sleeps and are never queued, so a busy process starves the others. It orders, it does not
// protect: SQLite's own lock stays the guarantee.
// Threads: wait() from any thread; one turn at a time in a process.
class WriterQueue {
 public:
  // Creates the file where it is missing.
  explicit WriterQueue(const std::filesystem::path& lock_file);
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
  [[nodiscard]] Turn wait();

 private:
  std::mutex mutex_;
  int descriptor_;
};

}  // namespace tenure::sqlite
