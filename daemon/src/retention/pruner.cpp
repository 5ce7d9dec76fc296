#include "pruner.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace tenure::daemon {

queue::Retention retention_of(const config::Settings& settings) {
  const config::RetentionSettings& rules = settings.retention;
  return {.succeeded = rules.succeeded,
          .dead = rules.dead,
          .discarded = rules.discarded,
          .cancelled = rules.cancelled,
          .dead_max = rules.dead_max};
}

Pruner::Pruner(queue::Store& store, const Clock& clock, const queue::Retention& rules,
               std::function<void(const queue::Pruned&)> tell, const PrunerLimits& limits)
    : store_(store), clock_(clock), rules_(rules), tell_(std::move(tell)), limits_(limits) {}

std::chrono::microseconds Pruner::step() {
  try {
    return do_step();
  } catch (const Error& error) {  // a thread's entry: jobs that stay a while longer harm nobody
    log::write(log::Level::warning, "retention.failed",
               std::string{"old jobs were not removed, and are later: "} + error.what());
    pass_.reset();
    found_.clear();
    return limits_.behind_trouble;
  }
}

bool Pruner::is_time_doubtful() {
  const Instant now = clock_.steady();
  if (leaps_.saw(clock_.wall(), now))
    log::write(
        log::Level::warning, "retention.kept",
        "the clock has been put forward, or the machine was suspended: no old job is removed for an hour, in "
        "which a clock that is wrong can be put right");
  return leaps_.has_leapt_within(limits_.behind_leap, now);
}

void Pruner::use(const queue::Retention& rules) {
  const std::lock_guard lock(mutex_);
  next_rules_ = rules;
}

void Pruner::take_rules() {
  const std::lock_guard lock(mutex_);
  if (!next_rules_ || *next_rules_ == rules_) return;
  rules_ = *next_rules_;
  pass_.reset();
  found_.clear();
}

std::chrono::microseconds Pruner::do_step() {
  take_rules();
  if (is_time_doubtful()) {
    pass_.reset();
    found_.clear();
    return limits_.between_passes;
  }
  if (!pass_) {
    pass_.emplace();
    store_.read([&](queue::JobReader& reader) { pass_->rules = reader.begin_pruning(rules_); });
  }
  if (!found_.empty()) {
    remove_some();
    return limits_.between_commits;
  }
  if (pass_->is_read) return end_pass();
  read_on();
  return found_.empty() && !pass_->is_read ? limits_.between_commits : std::chrono::milliseconds{0};
}

void Pruner::read_on() {
  store_.read([&](queue::JobReader& reader) {
    queue::PrunableJobs page =
        reader.prunable_jobs(pass_->looked_until, pass_->rules, clock_.wall(), limits_.looks);
    pass_->looked_until = page.looked_until;
    pass_->is_read = page.is_end;
    found_ = std::move(page.jobs);
  });
}

void Pruner::remove_some() {
  const auto some = std::span(found_).first(std::min(found_.size(), limits_.at_once));
  queue::Pruned removed;
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    removed = writer.prune(some, pass_->rules, clock_.wall());
  });
  found_.erase(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(some.size()));
  if (removed.total() == 0) return;
  pruned_ += removed;
  if (tell_) tell_(pruned_);
}

std::chrono::microseconds Pruner::end_pass() {
  std::int64_t forgotten = 0;
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    const auto now = clock_.wall();
    forgotten = std::max({writer.forget_pruned(pass_->looked_until, limits_.at_once),
                          writer.forget_results(now, limits_.at_once),
                          writer.batches().forget(now - rules_.succeeded, limits_.at_once)});
  });
  if (forgotten == static_cast<std::int64_t>(limits_.at_once)) return limits_.between_commits;
  pass_.reset();
  return limits_.between_passes;
}

}  // namespace tenure::daemon
