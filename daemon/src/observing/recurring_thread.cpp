#include "recurring_thread.hpp"

#include <pthread.h>
#include <utility>

namespace tenure::daemon {

RecurringThread::RecurringThread(std::string name, std::function<std::chrono::microseconds()> once)
    : name_(std::move(name)), once_(std::move(once)), thread_([this] { run(); }) {}

RecurringThread::~RecurringThread() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
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
    if (is_stopping_) return;
    is_asked_ = false;
  }
}

}  // namespace tenure::daemon
