#include "write_lane.hpp"

#include <algorithm>

namespace tenure::detail {

std::optional<WriteLane::Turn> WriteLane::wait(std::chrono::milliseconds wait_max) {
  std::unique_lock lock{mutex_};
  const std::uint64_t ticket = ++last_ticket_;
  queue_.push_back(ticket);
  const auto has_turn = [&] { return queue_.front() == ticket; };
  moved_.wait_for(lock, wait_max, [&] { return has_turn() || ticket <= refused_up_to_; });
  if (has_turn()) return Turn{this};
  queue_.erase(std::ranges::find(queue_, ticket));
  return std::nullopt;
}

void WriteLane::refuse_waiting() {
  {
    const std::lock_guard lock{mutex_};
    refused_up_to_ = last_ticket_;
  }
  moved_.notify_all();
}

std::size_t WriteLane::queued_for_test() {
  const std::lock_guard lock{mutex_};
  return queue_.size();
}

void WriteLane::Turn::end() {
  WriteLane* lane = std::exchange(lane_, nullptr);
  if (lane == nullptr) return;
  {
    const std::lock_guard lock{lane->mutex_};
    lane->queue_.pop_front();
  }
  lane->moved_.notify_all();
}

}  // namespace tenure::detail
