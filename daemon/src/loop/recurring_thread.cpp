#include "recurring_thread.hpp"

#include <pthread.h>
#include <utility>

namespace tenure::daemon {

RecurringThread::RecurringThread(std::string name, std::function<std::chrono::microseconds()> once)
    : name_(std::move(name)), once_(std::move(once)), thread_([this] { run(); }) {}

RecurringThread::~RecurringThread() { stop(); }

void RecurringThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool RecurringThread::stops_within(std::chrono::milliseconds bound) {
  {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, bound, [this] { return has_ended_; })) return false;
  }
  stop();
  return true;
}

void RecurringThread::now() {
  {
    const std::lock_guard lock(mutex_);
    is_asked_ = true;
  }
  changed_.notify_all();
}

void RecurringThread::run() {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  while (true) {
    const std::chrono::microseconds rest = once_();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, rest, [this] { return is_stopping_ || is_asked_; });
    is_asked_ = false;
    if (!is_stopping_) continue;
    has_ended_ = true;
    changed_.notify_all();
    return;
  }
}

}  // namespace tenure::daemon
