#include "../job_rules.hpp"
#include "candidates.hpp"
#include "sqlite_reader.hpp"
#include "tenant_rows.hpp"

#include <algorithm>
#include <functional>

namespace tenure::queue {
namespace {

using sqlite::Query;

// The newest row is never deleted. Index: primary key, its end.
constexpr Query kLastSeq{"last_seq", "select coalesce(max(seq), 0) from job"};

// ?1 limit. Index: the smallest that has every row, as far as it is read.
constexpr Query kRowsUpTo{"rows_up_to", "select count(*) from (select 1 from job limit ?1)"};

// Of records that are built to be judged.
constexpr std::size_t kJudgedTogether = 256;

void sort_and_cut(std::vector<JobRecord>& jobs, const ListOptions& options) {
  std::ranges::sort(jobs, [&](const JobRecord& a, const JobRecord& b) {
    return options.order == ListOrder::oldest_first ? a.seq < b.seq : a.seq > b.seq;
  });
  if (jobs.size() > options.limit) jobs.resize(options.limit);
}

// Of more jobs than a page has, the last one that is on it.
std::optional<JobSeq> end_of_page(std::vector<JobSeq>& jobs, const ListOptions& options) {
  if (options.limit == 0 || jobs.size() < options.limit) return std::nullopt;
  const auto last = jobs.begin() + static_cast<std::ptrdiff_t>(options.limit - 1);
  if (options.order == ListOrder::oldest_first) std::ranges::nth_element(jobs, last);
  else std::ranges::nth_element(jobs, last, std::greater<>{});
  return *last;
}

std::vector<JobSeq> next_of(OrderedSeqs& source, std::size_t most) {
  std::vector<JobSeq> seqs;
  while (seqs.size() < most) {
    const auto seq = source.next();
    if (!seq) break;
    seqs.push_back(*seq);
  }
  return seqs;
}

}  // namespace

std::optional<JobSeq> SqliteJobReader::floor_of(const Filter& filter, std::int64_t looks_max) {
  return succeeded_floor(filter, JobSeq{connection_.statement(kLastSeq).row().integer(0)}, looks_max);
}

JobPage SqliteJobReader::list_jobs(const Filter& filter, const ListOptions& options, WallTime now) {
  set_now(now);
  const RowFilter narrowed = narrow(connection_, filter, now);
  const auto floor = floor_of(filter, options.looks_max);
  JobPage page{.jobs = {}, .left_out = floor.has_value()};
  for_each_match(filter, narrowed, options, floor, now, [&](JobRecord&& job) {
    page.jobs.push_back(std::move(job));
    return true;
  });
  sort_and_cut(page.jobs, options);
  return page;
}

JobCount SqliteJobReader::count_jobs(const Filter& filter, const ListOptions& options, WallTime now) {
  set_now(now);
  ListOptions whole = options;
  whole.after.reset();
  const RowFilter narrowed = narrow(connection_, filter, now);
  const auto floor = floor_of(filter, options.looks_max);
  JobCount total{.count = 0, .left_out = floor.has_value()};
  const auto limit = static_cast<std::int64_t>(options.limit);
  if (filter.terms.empty()) return {connection_.statement(kRowsUpTo).bind(limit).row().integer(0), false};
  if (!narrowed.exact) {
    for_each_match(filter, narrowed, whole, floor, now, [&](JobRecord&&) { return ++total.count < limit; });
    return total;
  }
  const auto is_open = [this](const Lane& lane) {
    return gate_of(lane.tenant, lane.queue, lane.kind) == JobReason::none;
  };
  Candidates candidates(connection_, ended_, narrowed, whole, is_open, Candidates::Purpose::count);
  candidates.for_each_source(floor, [&](CandidateSource source) {
    total.count = std::min(total.count + source.besides, limit);
    if (!source.exact) {
      total.count += count_judged(filter, source, limit - total.count, now);
    } else {
      while (total.count < limit && source.seqs->next()) ++total.count;
    }
    return total.count < limit;
  });
  return total;
}

bool SqliteJobReader::visit_jobs(const Filter& filter, const ListOptions& options, WallTime now,
                                 FunctionRef<bool(const JobRecord&)> fn) {
  set_now(now);
  const RowFilter narrowed = narrow(connection_, filter, now);
  const auto floor = floor_of(filter, options.looks_max);
  std::size_t left = options.limit;
  for_each_match(filter, narrowed, options, floor, now,
                 [&](const JobRecord& job) { return left-- > 0 && fn(job) && left > 0; });
  return floor.has_value();
}

std::int64_t SqliteJobReader::count_judged(const Filter& filter, CandidateSource& source, std::int64_t limit,
                                           WallTime now) {
  std::int64_t count = 0;
  while (count < limit) {
    const auto seqs = next_of(*source.seqs, kJudgedTogether);
    if (seqs.empty()) break;
    for (const JobRecord& job : records(seqs))
      if (matches(filter, job, now)) ++count;
  }
  return std::min(count, limit);
}

void SqliteJobReader::for_each_match(const Filter& filter, const RowFilter& narrowed,
                                     const ListOptions& options, std::optional<JobSeq> floor, WallTime now,
                                     FunctionRef<bool(JobRecord&&)> fn) {
  bool wants_more = true;
  std::vector<JobSeq> taken;
  const auto take = [&](std::span<const JobSeq> seqs, bool exact, std::size_t& left) {
    for (JobRecord& job : records(seqs)) {
      if (!wants_more || left == 0 || !(exact || matches(filter, job, now))) continue;
      taken.push_back(job.seq);
      wants_more = fn(std::move(job));
      --left;
    }
  };
  if (narrowed.ids) {
    std::size_t left = narrowed.ids->size();
    return take(seqs_of(*narrowed.ids, options), false, left);
  }
  if (narrowed.batches) {
    for (const BatchId batch : *narrowed.batches)
      if (!for_each_match_of(batch, narrowed, options, [&](std::span<const JobSeq> seqs, std::size_t& left) {
            take(seqs, false, left);
            return wants_more;
          }))
        return;
    return;
  }
  Candidates candidates(connection_, ended_, narrowed, options, [this](const Lane& lane) {
    return gate_of(lane.tenant, lane.queue, lane.kind) == JobReason::none;
  });
  candidates.for_each_source(floor, [&](CandidateSource source) {
    for (std::size_t left = options.limit; left > 0 && wants_more;) {
      const auto seqs =
          next_of(*source.seqs, source.exact ? std::min(left, kJudgedTogether) : kJudgedTogether);
      if (seqs.empty()) break;
      take(seqs, source.exact, left);
    }
    if (const auto end = end_of_page(taken, options)) candidates.page_ends_at(*end);
    return wants_more;
  });
}

// As what a member is counted spares a look at the job.
bool SqliteJobReader::for_each_match_of(BatchId batch, const RowFilter& narrowed, const ListOptions& options,
                                        FunctionRef<bool(std::span<const JobSeq>, std::size_t&)> take) {
  const auto row = batch_rows_.named(batch);
  std::size_t left = row ? options.limit : 0;
  for (auto after = options.after; left > 0;) {
    const auto page = batch_rows_.members(row->number, options, after, kJudgedTogether);
    if (page.empty()) break;
    after = page.back().seq;
    std::vector<JobSeq> seqs;
    for (const auto& [seq, ended] : page)
      if (narrowed.may_pass(ended)) seqs.push_back(seq);
    if (!take(seqs, left)) return false;
  }
  return true;
}

std::vector<JobSeq> SqliteJobReader::seqs_of(std::span<const JobId> ids, const ListOptions& options) {
  std::vector<JobSeq> seqs;
  for (const JobId& id : ids) {
    const auto seq = seq_of(id);
    const bool is_on_page =
        seq && (!options.after ||
                (options.order == ListOrder::oldest_first ? *seq > *options.after : *seq < *options.after));
    if (is_on_page) seqs.push_back(*seq);
  }
  return seqs;
}

TenantState SqliteJobReader::state_of(TenantNumber number) {
  if (number == kUntenanted) return TenantState::active;
  const auto known = tenant_states_.find(number);
  if (known != tenant_states_.end()) return known->second;
  const auto tenant = tenant_numbered(connection_, number);
  return tenant_states_.emplace(number, tenant ? tenant->state : TenantState::deleted).first->second;
}

std::vector<const Query*> list_queries() { return {&kLastSeq, &kRowsUpTo}; }

}  // namespace tenure::queue
