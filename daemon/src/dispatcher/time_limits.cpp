#include "time_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace tenure::daemon {

namespace {

// Of one process, at one moment.
class Look {
 public:
  Look(Process& process, Instant now, Actions& actions)
      : process_(process),
        now_(now),
        actions_(actions),
        told_before_(std::exchange(process.told_of_limit, {})) {}

  // Those that have had their token for long enough.
  std::vector<queue::JobSeq> at_all_jobs() {
    process_.limit_check.reset();
    process_.jobs.for_each_performing([&](const OutstandingJob& job, Instant since) {
      if (job.time_limit.count() > 0) at_performing(job, since);
    });
    // A later look finds those that have begun by then.
    process_.jobs.for_each([&](const OutstandingJob& job, bool is_performing) {
      if (!is_performing && job.time_limit.count() > 0)
        process_.limit_checked_by(now_ + token_time(job.time_limit));
    });
    return std::move(over_);
  }

 private:
  void at_performing(const OutstandingJob& job, Instant since) {
    const Instant token = since + token_time(job.time_limit);
    if (now_ < token) return process_.limit_checked_by(token);
    const Instant told = told_at(job.claim);
    process_.told_of_limit.push_back({job.claim, told});
    const Instant end = told + (job.time_limit - token_time(job.time_limit));
    if (now_ >= end) over_.push_back(job.claim.seq);
    else process_.limit_checked_by(end);
  }
  Instant told_at(const queue::ClaimRef& claim) {
    const auto before = std::ranges::find(told_before_, claim, &Process::Told::claim);
    if (before != told_before_.end()) return before->at;
    actions_.emplace_back(GiveStopToken{process_.number, claim.seq, queue::StopReason::time_limit});
    return now_;
  }

  Process& process_;
  Instant now_;
  Actions& actions_;
  std::vector<Process::Told> told_before_;
  std::vector<queue::JobSeq> over_;
};

void end_process(Process& process, const std::string& pool, Actions& actions) {
  const std::size_t others = process.jobs.performing() - process.timed_out.size();
  actions.emplace_back(
      Note{Note::Level::warning, "worker.time_limit",
           fmt::format(
               "{} of its jobs ran for longer than their time limit and did not obey the stop token, so the "
               "worker process is ended; {} others run again, and it costs them nothing.",
               process.timed_out.size(), others),
           pool, process.number});
  actions.emplace_back(EndProcess{process.number});
  process.phase = Phase::leaving;
}

}  // namespace

void enforce_time_limits(Processes& processes, const DispatcherSettings& settings, Instant now,
                         Actions& actions) {
  for (auto& [number, process] : processes.all()) {
    if (!process.limit_check || now < *process.limit_check || process.is_ending()) continue;
    std::vector<queue::JobSeq> over = Look(process, now, actions).at_all_jobs();
    if (over.empty() || !settings.can_end_processes) continue;
    process.timed_out = std::move(over);
    end_process(process, settings.pools[process.pool].name, actions);
  }
}

}  // namespace tenure::daemon
