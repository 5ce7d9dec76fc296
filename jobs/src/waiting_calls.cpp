#include "waiting_calls.hpp"

#include <string>

namespace tenure::detail {

// Compared so that no sum can wrap.
Result<void> WaitingCalls::add(CallNumber number, Weight weight) {
  if (is_closed_)
    return fail(ErrorCode::interrupted, "the client has ended, and nothing of this call was stored");
  if (weight.jobs > limits_.jobs_max - sum_.jobs)
    return fail(ErrorCode::limit_reached, std::to_string(sum_.jobs) +
                                              " jobs wait to be stored already; at most " +
                                              std::to_string(limits_.jobs_max) + " may (waiting_jobs_max)");
  if (weight.bytes > limits_.bytes_max - sum_.bytes)
    return fail(ErrorCode::limit_reached, "jobs with " + std::to_string(sum_.bytes) +
                                              " bytes wait to be stored already; at most " +
                                              std::to_string(limits_.bytes_max) + " may (waiting_bytes_max)");
  const bool is_new = waiting_.emplace(number, weight).second;
  TENURE_INVARIANT(is_new && !under_way_.contains(number));
  sum_.jobs += weight.jobs;
  sum_.bytes += weight.bytes;
  return {};
}

std::vector<CallNumber> WaitingCalls::take(std::size_t jobs_max) {
  std::vector<CallNumber> taken;
  std::size_t jobs = 0;
  while (!waiting_.empty()) {
    const auto next = waiting_.begin();
    if (!taken.empty() && next->second.jobs > jobs_max - jobs) break;
    jobs += next->second.jobs;
    taken.push_back(next->first);
    under_way_.insert(waiting_.extract(next));
    if (jobs >= jobs_max) break;
  }
  return taken;
}

bool WaitingCalls::withdraw(CallNumber number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return false;
  subtract(found->second);
  waiting_.erase(found);
  return true;
}

void WaitingCalls::end(CallNumber number) {
  const auto found = under_way_.find(number);
  TENURE_INVARIANT(found != under_way_.end());
  subtract(found->second);
  under_way_.erase(found);
}

std::vector<CallNumber> WaitingCalls::close() {
  is_closed_ = true;
  std::vector<CallNumber> left;
  for (const auto& [number, weight] : waiting_) {
    left.push_back(number);
    subtract(weight);
  }
  waiting_.clear();
  return left;
}

void WaitingCalls::subtract(Weight weight) {
  TENURE_INVARIANT(sum_.jobs >= weight.jobs && sum_.bytes >= weight.bytes);
  sum_.jobs -= weight.jobs;
  sum_.bytes -= weight.bytes;
}

}  // namespace tenure::detail
