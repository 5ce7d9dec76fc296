#include "counted_reasons.hpp"

#include "filter_text.hpp"
#include "job.hpp"
#include "released_tenants.hpp"

#include <tenure/queue/why.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;
using queue::ShownState;

// They are those of jobs that nothing in the store holds.
bool is_held_by_nothing(JobReason reason) {
  return reason == JobReason::tenant_turn || reason == JobReason::slots_full ||
         reason == JobReason::slots_reserved;
}

// Jobs show a reason of their own, but for those that nothing holds.
std::string filter_of_reason(std::span<const std::string> words, const CountedReason& row) {
  std::vector<std::string> terms(words.begin(), words.end());
  const auto add = [&](std::string term) {
    if (std::ranges::find(terms, term) == terms.end()) terms.push_back(std::move(term));
  };
  add(fmt::format("state={}", name_of(row.state)));
  const bool is_shown = !is_held_by_nothing(row.reason) && row.reason != JobReason::no_dispatcher &&
                        row.reason != JobReason::tenant_busy && row.reason != JobReason::none;
  if (is_shown) add(fmt::format("reason={}", name_of(row.reason)));
  return shell_text(terms);
}

// By reason, state, and whether their pools are quiet.
using ReasonCounts = std::map<std::tuple<JobReason, ShownState, bool>, CountedReason>;

void count(CountedReason& row, const CountedReason& more) {
  row.state = more.state;
  row.reason = more.reason;
  row.is_quiet = more.is_quiet;
  row.jobs += more.jobs;
  row.first_due = std::min(row.first_due, more.first_due);
  row.last_due = std::max(row.last_due, more.last_due);
}

void count_into(ReasonCounts& counted, const CountedReason& more) {
  count(counted[{more.reason, more.state, more.is_quiet}], more);
}

// Of the jobs that nothing holds, whether their tenants are busy.
class HeldByNothing {
 public:
  void add(const TenantName& tenant, const CountedReason& job) {
    count(rows_[{std::string(tenant.text()), job.state, job.reason}], job);
  }
  void move_into(ReasonCounts& counted, queue::JobReader& reader, WallTime now) {
    std::map<std::string, bool> busy;
    for (auto& [key, row] : rows_) {
      const auto [known, is_new] = busy.try_emplace(std::get<0>(key), false);
      if (is_new && busy.size() <= kTenantsLooks)
        known->second = recent_release(reader, TenantName(std::get<0>(key)), now).has_value();
      if (known->second) row.reason = JobReason::tenant_busy;
      count_into(counted, row);
    }
  }

 private:
  static constexpr std::size_t kTenantsLooks = 1'000;
  std::map<std::tuple<std::string, ShownState, JobReason>, CountedReason> rows_;
};

bool are_all_quiet(const std::vector<queue::PoolSlots>& pools, std::span<const QuietPool> quiet) {
  return !pools.empty() && std::ranges::all_of(pools, [&](const queue::PoolSlots& pool) {
    return std::ranges::find(quiet, pool.name, &QuietPool::name) != quiet.end();
  });
}

// Counts jobs by their deciding reasons, in one snapshot.
class ReasonCounter {
 public:
  ReasonCounter(queue::JobReader& reader, std::span<const QuietPool> quiet, WallTime now)
      : reader_(reader), dispatcher_(dispatcher_facts(reader)), quiet_(quiet), now_(now) {}

  void add(const JobRecord& job) {
    CountedReason one{.state = job.state,
                      .reason = queue::deciding_reason(job, dispatcher_, now_),
                      .jobs = 1,
                      .first_due = job.due,
                      .last_due = job.due};
    if (is_held_by_nothing(one.reason) && has_quiet_pools_alone(job)) {
      one.reason = JobReason::tenant_turn;
      one.is_quiet = true;
    }
    if (is_held_by_nothing(one.reason) && !one.is_quiet && job.tenant) turns_.add(*job.tenant, one);
    else count_into(counted_, one);
  }

  // Once, behind the last job.
  [[nodiscard]] ReasonCounts take() {
    turns_.move_into(counted_, reader_, now_);
    return std::move(counted_);
  }

 private:
  [[nodiscard]] bool has_quiet_pools_alone(const JobRecord& job) const {
    return !quiet_.empty() && are_all_quiet(queue::performing_pools(dispatcher_, job), quiet_);
  }

  queue::JobReader& reader_;
  queue::DispatcherFacts dispatcher_;
  std::span<const QuietPool> quiet_;
  WallTime now_;
  HeldByNothing turns_;
  ReasonCounts counted_;
};

}  // namespace

CountedReasons counted_reasons(queue::JobReader& reader, const JobsToCount& jobs, WallTime now) {
  const queue::ListOptions options{.limit = static_cast<std::size_t>(kCountMax) + 1, .looks_max = jobs.looks};
  CountedReasons all;
  ReasonCounter counter(reader, jobs.quiet, now);
  std::int64_t visited = 0;
  const bool left_out = reader.visit_jobs(jobs.filter, options, now, [&](const JobRecord& job) {
    all.total.capped = ++visited > kCountMax;
    if (!all.total.capped) counter.add(job);
    return !all.total.capped;
  });
  if (left_out) all.total.looked_at = jobs.looks;
  for (auto& [key, row] : counter.take()) {
    row.filter = filter_of_reason(jobs.words, row);
    all.rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(all.rows, std::ranges::greater{}, &CountedReason::jobs);
  all.total.count = std::ssize(all.rows);
  return all;
}

}  // namespace tenure::cli
