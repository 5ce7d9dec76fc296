#include "store_thread.hpp"

#include <tenure/base/log.hpp>

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace tenure::daemon {
namespace {

using std::chrono::milliseconds;

// How long an ordered commit may stay off the disk.
constexpr milliseconds kOrderedDelayMax{100};
constexpr milliseconds kIdleBeforeCheckpoint{1000};
constexpr std::chrono::hours kNothingToDo{1};
constexpr std::int64_t kCheckpointBytes = 4LL << 20U;

}  // namespace

StoreThread::StoreThread(queue::Store& store, const Clock& clock, std::function<void(Event)> deliver,
                         std::function<void()> before_round)
    : store_(store),
      clock_(clock),
      deliver_(std::move(deliver)),
      before_round_(std::move(before_round)),
      thread_([this] { run(); }) {}

StoreThread::~StoreThread() { stop(); }

void StoreThread::submit(std::shared_ptr<const RoundWork> work) {
  {
    const std::lock_guard lock(mutex_);
    TENURE_INVARIANT(!work_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

void StoreThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool StoreThread::stops_within(milliseconds bound) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, bound, [this] { return ended_; })) return false;
  }
  stop();
  return true;
}

std::shared_ptr<const RoundWork> StoreThread::wait_for_work(std::chrono::microseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return work_ || stopping_; });
  return std::exchange(work_, nullptr);
}

void StoreThread::run() {
  ::pthread_setname_np(::pthread_self(), "store");
  while (true) {
    if (const auto work = wait_for_work(until_upkeep())) carry_out(*work);
    upkeep();
    const std::lock_guard lock(mutex_);
    if (!stopping_ || work_) continue;
    ended_ = true;
    changed_.notify_all();
    return;
  }
}

void StoreThread::carry_out(const RoundWork& work) {
  inside_.check();
  try {
    before_round_();
    RoundReply reply = run_round(store_, work, clock_.wall());
    if (!reply.was_unchanged) {
      if (!unsynced_since_) unsynced_since_ = clock_.steady();
      checkpoint_at_ = clock_.steady() + kIdleBeforeCheckpoint;
    }
    deliver_(RoundDone{std::move(reply)});
  } catch (const Error& error) {
    deliver_(RoundFailed{error.failure()});
  } catch (const std::exception& error) {
    deliver_(RoundFailed{{ErrorCode::out_of_memory, error.what()}});
  }
}

std::chrono::microseconds StoreThread::until_upkeep() const {
  if (!unsynced_since_ && !checkpoint_at_) return kNothingToDo;
  const Instant due = unsynced_since_ ? *unsynced_since_ + kOrderedDelayMax : *checkpoint_at_;
  return std::max(std::chrono::microseconds{0}, due - clock_.steady());
}

void StoreThread::upkeep() {
  inside_.check();
  if (until_upkeep() > std::chrono::microseconds{0}) return;
  try {
    if (unsynced_since_) {
      store_.sync();
      unsynced_since_.reset();
      store_.checkpoint(kCheckpointBytes);
    } else if (!store_.tidy()) {  // else again at once, where no round has come meanwhile
      checkpoint_at_.reset();
      store_.checkpoint(0);
    }
  } catch (const Error& error) {
    if (unsynced_since_) unsynced_since_ = clock_.steady();  // tried again after the same delay
    if (error.permanence() == Permanence::permanent) return deliver_(RoundFailed{error.failure()});
    log::write(log::Level::warning, "store.upkeep_failed", error.what());
  }
}

}  // namespace tenure::daemon
