#include "job_board.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tenure::daemon {

bool JobBoard::add(AssignedJob job, std::size_t slots) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(job));
  if (performers_ >= slots) return false;
  ++performers_;
  return true;
}

std::optional<JobBoard::Running> JobBoard::take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    --performers_;
    return std::nullopt;
  }
  AssignedJob job = std::move(waiting_.front());
  waiting_.pop_front();
  const auto stop = running_.try_emplace(job.claim.seq).first->second.get_token();
  return Running{std::move(job), stop};
}

void JobBoard::finished(queue::JobSeq seq) {
  const std::lock_guard lock(mutex_);
  running_.erase(seq);
}

std::optional<AssignedJob> JobBoard::recall(const queue::ClaimRef& claim) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const AssignedJob& job) { return job.claim == claim; });
  if (found == waiting_.end()) return std::nullopt;
  AssignedJob job = std::move(*found);
  waiting_.erase(found);
  return job;
}

std::vector<AssignedJob> JobBoard::recall_all() {
  const std::lock_guard lock(mutex_);
  std::vector<AssignedJob> jobs(std::make_move_iterator(waiting_.begin()),
                                std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  return jobs;
}

void JobBoard::give_stop_token(queue::JobSeq seq) {
  const std::lock_guard lock(mutex_);
  for (auto& [running, source] : running_)
    if (seq.value == 0 || running == seq) source.request_stop();
}

bool JobBoard::idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() && running_.empty();
}

}  // namespace tenure::daemon
