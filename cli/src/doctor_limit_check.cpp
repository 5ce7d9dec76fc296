#include "doctor_checks.hpp"
#include "limit_text.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tenure::cli {
namespace {

constexpr std::chrono::minutes kLongWait{30};
constexpr std::size_t kWaitLooks = 1'000;  // of the jobs that limits hold, the oldest

struct WaitingBehind {
  std::int64_t jobs = 0;
  WallTime first_due = WallTime::max();
  std::string who;  // of the first of them
};
struct LimitsFound {
  std::vector<queue::LimitRecord> limits;
  std::map<std::string, WaitingBehind> waiting;  // for long, by limit
};

queue::Filter held_by_limits() {
  queue::Filter filter;
  queue::FilterTerm reasons{queue::FilterField::reason, false, {}};
  for (const queue::JobReason reason : {queue::JobReason::limit_cap, queue::JobReason::limit_rate})
    reasons.values.emplace_back(queue::Glob{std::string(queue::name_of(reason)), true});
  filter.terms.push_back(std::move(reasons));
  return filter;
}

LimitsFound limits_found(queue::JobReader& reader, WallTime now) {
  LimitsFound found{.limits = reader.limits(), .waiting = {}};
  if (found.limits.empty()) return found;
  const queue::ListOptions options{
      .limit = kWaitLooks, .after = {}, .order = queue::ListOrder::oldest_first, .looks_max = 0};
  for (const queue::JobRecord& job : reader.list_jobs(held_by_limits(), options, now).jobs) {
    if (now - job.due < kLongWait) continue;
    for (const queue::LimitStanding& standing : reader.limits_of(job)) {
      if (standing.gate() == queue::JobReason::none) continue;
      WaitingBehind& waiting = found.waiting[standing.limit.name];
      if (waiting.jobs++ == 0) waiting.who = short_text(standing);
      waiting.first_due = std::min(waiting.first_due, job.due);
    }
  }
  return found;
}

}  // namespace

void check_limits(Examination& examination) {
  const WallTime now = examination.session().now();
  const LimitsFound found =
      examination.ask([&](queue::JobReader& reader) { return limits_found(reader, now); });
  for (const auto& [name, waiting] : found.waiting)
    examination.add(FindingLevel::warn, "limits",
                    fmt::format("{} behind {}, the first since {}",
                                counted(waiting.jobs, "job waits", "jobs wait", examination.style()),
                                waiting.who, full_time_text(waiting.first_due, examination.style())),
                    "tenure limit show " + escaped(name));
  if (!found.waiting.empty()) return;
  examination.add(FindingLevel::ok, "limits",
                  found.limits.empty() ? std::string{"there are none"}
                                       : counted(std::ssize(found.limits), "limit", examination.style()) +
                                             ", and nothing waits long for any");
}

}  // namespace tenure::cli
