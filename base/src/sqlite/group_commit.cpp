#include "group_commit.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace tenure::sqlite {
namespace {

constexpr Query kSavepoint{"savepoint", "savepoint shared"};
constexpr Query kRollBackTo{"rollback_to", "rollback to shared"};
constexpr Query kRelease{"release", "release shared"};
constexpr Query kPageSize{"page_size", "pragma page_size"};

}  // namespace

// What one leader does in one go. Fixed in size, so that taking it cannot fail for want of memory.
class GroupCommit::Batch {
 public:
  void add(Request* request) { requests_[size_++] = request; }
  [[nodiscard]] bool full() const { return size_ == kBatchMax; }
  [[nodiscard]] std::span<Request* const> requests() const { return {requests_.data(), size_}; }
  [[nodiscard]] bool is_checkpoint() const { return requests_[0]->kind == Kind::checkpoint; }

  [[nodiscard]] std::size_t writes() const {
    return static_cast<std::size_t>(std::ranges::count(requests(), Kind::write, &Request::kind));
  }
  // A call that has failed by itself waits for no sync.
  [[nodiscard]] bool needs_sync() const {
    return std::ranges::any_of(requests(), [](const Request* request) {
      return !request->error && (request->kind == Kind::sync || request->durability == Durability::durable);
    });
  }
  void fail(const std::exception_ptr& error) {
    for (Request* request : requests())
      if (!request->error) request->error = error;
  }
  // Moves those that wait for nothing more to the front and takes them out.
  [[nodiscard]] Batch take_finished() {
    Batch finished;
    Batch left;
    for (Request* request : requests()) {
      const bool waits =
          !request->error && (request->kind == Kind::sync || request->durability == Durability::durable);
      (waits ? left : finished).add(request);
    }
    *this = left;
    return finished;
  }

 private:
  std::array<Request*, kBatchMax> requests_{};
  std::size_t size_ = 0;
};

GroupCommit::GroupCommit(Connection& writer, WriterQueue* queue, std::chrono::milliseconds queue_wait_max,
                         std::function<void(Connection&)> at_begin)
    : writer_(writer),
      queue_(queue),
      queue_wait_max_(queue_wait_max),
      at_begin_(std::move(at_begin)),
      page_bytes_(writer.statement(kPageSize).row().integer(0)) {}

void GroupCommit::write(Durability durability, FunctionRef<void(Connection&)> work) {
  Request request{.kind = Kind::write, .durability = durability, .work = &work};
  submit(request);
}

void GroupCommit::sync() {
  Request request{.kind = Kind::sync, .durability = Durability::durable, .work = nullptr};
  submit(request);
}

void GroupCommit::checkpoint(FunctionRef<CheckpointResult(Connection&)> work) {
  const auto run = [&](Connection& gate) {
    if (work(gate).outcome == CheckpointResult::Outcome::complete) bytes_to_checkpoint_ = 0;
  };
  const FunctionRef<void(Connection&)> run_it{run};
  Request request{.kind = Kind::checkpoint, .durability = Durability::ordered, .work = &run_it};
  submit(request);
}

Database::Counters GroupCommit::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void GroupCommit::submit(Request& request) {
  if (queue_ != nullptr) request.deadline = std::chrono::steady_clock::now() + queue_wait_max_;
  {
    const std::lock_guard lock(mutex_);
    if (leader_ == request.caller)
      raise(ErrorCode::internal, "a write transaction must not call its own database again", {},
            writer_.path().string());
    if (request.kind == Kind::write) ++counters_.writes;
    waiting_.push_back(&request);
    if (!leader_) {
      leader_ = request.caller;
      request.place = Place::first;
    }
  }
  request.place.wait(Place::in_line, std::memory_order_acquire);
  if (request.place.load(std::memory_order_acquire) == Place::first) {
    lead(request);
    pass_on();
  }
  if (request.error) std::rethrow_exception(request.error);
}

// Only now, when all of the last batch have been woken, the next in line leads: whoever of them comes again at once shares the
// next commit instead of making one alone.
void GroupCommit::pass_on() {
  Request* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty()) next = waiting_.front();
    leader_ = next == nullptr ? std::nullopt : std::optional{next->caller};
  }
  if (next != nullptr) next->move_to(Place::first);
}

// `first` is the first in line. Where its wait for the turn fails it fails alone: those behind it have come later and lead
// in their turn, each up to its own deadline.
void GroupCommit::lead(Request& first) {
  // A sync needs nobody's lock: it must not wait behind a process that was stopped in its turn.
  if (queue_ == nullptr || first.kind == Kind::sync) {
    WriterQueue::Turn none;
    serve(none);
    return;
  }
  try {
    queue_->run(first.deadline, [this](WriterQueue::Turn& turn) { serve(turn); });
  } catch (...) {
    first.error = std::current_exception();
    const std::lock_guard lock(mutex_);
    waiting_.pop_front();
  }
}

// May run on the queue's thread.
void GroupCommit::serve(WriterQueue::Turn& turn) {
  Batch batch = take_batch();  // after the wait, during which more have come
  process(batch, turn);
  turn.end();
  finish(batch.requests());
}

GroupCommit::Batch GroupCommit::take_batch() {
  const std::lock_guard lock(mutex_);
  leader_ = std::this_thread::get_id();
  Batch batch;
  const bool has_turn = queue_ == nullptr || waiting_.front()->kind != Kind::sync;
  do {
    batch.add(waiting_.front());
    waiting_.pop_front();
  } while (!batch.is_checkpoint() && !batch.full() && !waiting_.empty() &&
           waiting_.front()->kind != Kind::checkpoint && (has_turn || waiting_.front()->kind == Kind::sync));
  return batch;
}

void GroupCommit::finish(std::span<Request* const> requests) {
  for (Request* request : requests) request->move_to(Place::done);
}

void GroupCommit::process(Batch& batch, WriterQueue::Turn& turn) {
  try {
    refuse_if_lost();
    if (batch.is_checkpoint()) {
      (*batch.requests()[0]->work)(writer_);
      return;
    }
    if (batch.writes() > 0) commit(batch);
    turn.end();
    if (!batch.needs_sync()) return;
    finish(batch.take_finished().requests());
    sync_file();
    // What was written to files that have lost their names meanwhile is not kept, however well it was synced.
    refuse_if_lost();
  } catch (const DiskSyncFailed&) {
    sync_failed_ = true;
    batch.fail(std::current_exception());
  } catch (...) {
    batch.fail(std::current_exception());
  }
}

void GroupCommit::commit(Batch& batch) {
  WriteTransaction transaction{writer_};
  if (at_begin_) at_begin_(writer_);
  // A sync that waits in the same batch must not hear of a write's error either.
  const bool shared = batch.requests().size() > 1;
  for (Request* request : batch.requests()) {
    if (request->kind != Kind::write) continue;
    if (shared) run_behind_savepoint(*request);
    else (*request->work)(writer_);
  }
  transaction.commit();
  bytes_to_checkpoint_ = writer_.wal_pages() * page_bytes_;
  const std::lock_guard lock(mutex_);
  ++counters_.commits;
}

// What `work` throws is its caller's alone, unless SQLite has rolled the whole transaction back with it.
void GroupCommit::run_behind_savepoint(Request& request) {
  writer_.statement(kSavepoint).run();
  try {
    (*request.work)(writer_);
  } catch (const DiskSyncFailed&) {
    throw;
  } catch (...) {
    if (!writer_.in_transaction()) throw;
    request.error = std::current_exception();
    writer_.statement(kRollBackTo).run();
  }
  writer_.statement(kRelease).run();
}

void GroupCommit::sync_file() {
  sync_wal(writer_);
  const std::lock_guard lock(mutex_);
  ++counters_.syncs;
}

void GroupCommit::refuse_if_lost() {
  if (sync_failed_)
    raise(ErrorCode::disk_sync_failed,
          "a sync of this database has failed before, so nothing more can be promised; restart the process",
          {}, writer_.path().string());
  if (!writer_.still_on_disk())
    raise(ErrorCode::database_moved,
          "the database, its -wal or its -shm was deleted, moved, replaced or linked to a second name while "
          "it was open; "
          "what was written last may not be in the file that has the name now",
          {}, writer_.path().string());
}

}  // namespace tenure::sqlite
