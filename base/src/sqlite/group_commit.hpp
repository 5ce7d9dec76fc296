#pragma once

#include <tenure/base/sqlite/database.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace tenure::sqlite {

// The writers of one process in line before one connection. The first in line leads: it runs its own work and
// that of all who wait behind it, commits once, lets the next process write, and syncs once. The others sleep
// meanwhile. Threads: every method from any thread.
class GroupCommit {
 public:
  static constexpr std::size_t kBatchMax = 64;  // calls that share a commit: bounds how long the lock is held

  // Both must outlive it; `queue` may be null. Each call waits for `queue_wait_max` at most for the turn in it: StoreBusy.
  GroupCommit(Connection& writer, WriterQueue* queue, std::chrono::milliseconds queue_wait_max,
              std::function<void(Connection&)> at_begin);

  void write(Durability durability, FunctionRef<void(Connection&)> work);
  // Shares a sync with whoever needs one.
  void sync();
  // Runs `work` outside of transactions, with this process's turn, while nobody else uses the connection.
  void checkpoint(FunctionRef<CheckpointResult(Connection&)> work);

  [[nodiscard]] Database::Counters counters() const;
  [[nodiscard]] std::int64_t bytes_to_checkpoint() const { return bytes_to_checkpoint_; }

 private:
  enum class Kind : std::uint8_t { write, sync, checkpoint };
  enum class Place : std::uint32_t { in_line, first, done };
  struct Request {
    Kind kind;
    Durability durability;
    const FunctionRef<void(Connection&)>* work;  // null for a sync
    WriterQueue::Deadline deadline = {};
    std::exception_ptr error = {};
    std::thread::id caller = std::this_thread::get_id();
    // No condition variable: each caller would be woken only to wait for the mutex of whoever woke it. Once this says done,
    // the request may be gone: waking takes its address only (a futex here).
    std::atomic<Place> place = Place::in_line;

    void move_to(Place next) {
      place.store(next, std::memory_order_release);
      place.notify_one();
    }
  };
  class Batch;

  void submit(Request& request);
  void lead(Request& first);
  void serve(WriterQueue::Turn& turn);
  [[nodiscard]] Batch take_batch();
  static void finish(std::span<Request* const> requests);
  void pass_on();
  void process(Batch& batch, WriterQueue::Turn& turn);
  void commit(Batch& batch);
  void run_behind_savepoint(Request& request);
  void sync_file();
  void refuse_if_lost();

  Connection& writer_;
  WriterQueue* queue_;
  std::chrono::milliseconds queue_wait_max_;
  std::function<void(Connection&)> at_begin_;  // of each transaction; may be none
  std::int64_t page_bytes_;

  mutable std::mutex mutex_;
  std::deque<Request*> waiting_;
  std::optional<std::thread::id> leader_;  // set while somebody leads, to the thread that does the work
  Database::Counters counters_;

  std::atomic<std::int64_t> bytes_to_checkpoint_ = 0;
  bool sync_failed_ = false;  // of the leader only
};

}  // namespace tenure::sqlite
