#include "time_limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tenure::daemon {

using std::chrono::microseconds;

namespace {

// Of one process, at one moment.
class Look {
 public:
  Look(Process& process, Instant now, Actions& actions) : process_(process), now_(now), actions_(actions) {}

  void at_all_jobs() {
    process_.limit_check.reset();
    process_.jobs.for_each_performing([&](const OutstandingJob& job, Instant since) {
      if (job.time_limit.count() > 0) at_performing(job, since);
    });
    // A later look finds those that have begun by then.
    process_.jobs.for_each([&](const OutstandingJob& job, bool is_performing) {
      if (!is_performing && job.time_limit.count() > 0) look_again(now_ + token_time(job.time_limit));
    });
    std::erase_if(process_.told_of_limit, [&](queue::JobSeq seq) { return !process_.jobs.contains(seq); });
  }

 private:
  void at_performing(const OutstandingJob& job, Instant since) {
    const Instant end = since + job.time_limit;
    const Instant token = since + token_time(job.time_limit);
    if (now_ >= end) {
      process_.timed_out.push_back(job.claim.seq);
    } else if (now_ < token) {
      look_again(token);
    } else {
      give_token(job.claim.seq);
      look_again(end);
    }
  }
  void give_token(queue::JobSeq seq) {
    if (std::ranges::find(process_.told_of_limit, seq) != process_.told_of_limit.end()) return;
    process_.told_of_limit.push_back(seq);
    actions_.emplace_back(GiveStopToken{process_.number, seq, queue::StopReason::time_limit});
  }
  void look_again(Instant moment) { process_.limit_checked_by(moment); }

  Process& process_;
  Instant now_;
  Actions& actions_;
};

void end_process(const Process& process, const std::string& pool, Actions& actions) {
  const std::size_t others = process.jobs.performing() - process.timed_out.size();
  actions.emplace_back(Note{Note::Level::warning, "worker.time_limit",
                            fmt::format("{} of its jobs ran for longer than their time limit and did not "
                                        "obey the stop token, so the worker "
                                        "process is ended; {} others run again, and it costs them nothing.",
                                        process.timed_out.size(), others),
                            pool, process.number});
  actions.emplace_back(EndProcess{process.number});
}

}  // namespace

void enforce_time_limits(Processes& processes, const DispatcherSettings& settings, Instant now,
                         Actions& actions) {
  for (auto& [number, process] : processes.all()) {
    if (!process.limit_check || now < *process.limit_check || process.is_ending()) continue;
    Look(process, now, actions).at_all_jobs();
    if (!process.timed_out.empty()) end_process(process, settings.pools[process.pool].name, actions);
  }
}

}  // namespace tenure::daemon
