#include "memory_reader.hpp"

#include "../job_rules.hpp"
#include "../limit_rules.hpp"
#include "../pause_rules.hpp"
#include "../pool_slots.hpp"
#include "../reading_pools.hpp"

#include <tenure/queue/why.hpp>

#include <algorithm>
#include <limits>

namespace tenure::queue {
namespace {

const std::string& name_in(const MemoryNames& names, std::int64_t number) {
  TENURE_INVARIANT(number >= 1 && static_cast<std::size_t>(number) <= names.names.size());
  return names.names[static_cast<std::size_t>(number) - 1];
}

std::optional<std::int64_t> number_in(const MemoryNames& names, std::string_view name) {
  const auto found = names.numbers.find(name);
  return found == names.numbers.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::int64_t> numbers_in(const MemoryNames& names, const std::vector<std::string>& wanted) {
  std::vector<std::int64_t> numbers;
  for (const std::string& name : wanted)
    if (const auto number = number_in(names, name)) numbers.push_back(*number);
  std::ranges::sort(numbers);
  return numbers;
}

// What is counted of one job, in a queue's or a tenant's row.
template <class Row>
void count(Row& row, std::optional<WallTime> Row::*oldest, const JobRecord& job) {
  if (job.state == ShownState::running) ++row.running;
  if (job.state == ShownState::held) ++row.held;
  if (job.state == ShownState::dead) ++row.dead;
  if (job.state != ShownState::ready) return;
  ++row.ready;
  if (!(row.*oldest) || job.due < *(row.*oldest)) row.*oldest = job.due;
}

bool is_left_out(const std::pair<const JobSeq, MemoryJob>& job, std::optional<JobSeq> floor) {
  return floor && job.second.state == JobState::succeeded && job.first <= *floor;
}

}  // namespace

JobArrival arrival_of(JobSeq seq, const MemoryJob& job) { return {seq, job.lane, job.due, job.state}; }

std::vector<Lane> MemoryReader::lanes(const std::optional<Lane>& after, std::size_t limit) {
  constexpr LanePlace kLastPlace{WallTime::max(), JobSeq{std::numeric_limits<std::int64_t>::max()}};
  std::vector<Lane> lanes;
  const auto& ready = tables_.ready();
  auto next = after ? ready.upper_bound({*after, kLastPlace}) : ready.begin();
  while (next != ready.end() && lanes.size() < limit) {
    if (tables_.claims().contains(next->second.seq)) {
      ++next;
      continue;
    }
    lanes.push_back(next->first);
    next = ready.upper_bound({lanes.back(), kLastPlace});
  }
  return lanes;
}

std::vector<JobArrival> MemoryReader::arrivals(JobSeq after, std::size_t limit) {
  std::vector<JobArrival> arrivals;
  for (auto next = tables_.jobs().upper_bound(after); next != tables_.jobs().end() && arrivals.size() < limit;
       ++next)
    arrivals.push_back(arrival_of(next->first, next->second));
  return arrivals;
}

std::optional<WallTime> MemoryReader::next_due() {
  const auto& scheduled = tables_.scheduled();
  return scheduled.empty() ? std::nullopt : std::optional{scheduled.begin()->due};
}

std::optional<TenantState> MemoryReader::tenant_state(TenantNumber tenant) {
  const auto found = tables_.tenants().find(tenant);
  return found == tables_.tenants().end() ? std::nullopt : std::optional{found->second.state};
}

std::string MemoryReader::tenant_name(TenantNumber tenant) {
  const auto found = tables_.tenants().find(tenant);
  if (found == tables_.tenants().end()) return {};
  return found->second.name ? std::string{found->second.name->text()} : std::string{kUntenantedName};
}

std::string MemoryReader::queue_name(QueueNumber queue) { return name_in(tables_.queues(), queue.value); }
std::string MemoryReader::kind_name(KindNumber kind) { return name_in(tables_.kinds(), kind.value); }

std::optional<QueueNumber> MemoryReader::queue_number(std::string_view name) {
  const auto number = number_in(tables_.queues(), name);
  return number ? std::optional{QueueNumber{*number}} : std::nullopt;
}

std::optional<KindNumber> MemoryReader::kind_number(std::string_view name) {
  const auto number = number_in(tables_.kinds(), name);
  return number ? std::optional{KindNumber{*number}} : std::nullopt;
}

JobRecord MemoryReader::record_of(JobSeq seq, const MemoryJob& job) {
  JobRecord record;
  record.seq = seq;
  record.id = job.id;
  const MemoryTenant& tenant = tables_.tenants().at(job.lane.tenant);
  record.tenant = tenant.name;
  record.generation = tenant.generation;
  record.tenant_state = tenant.state;
  record.queue = name_in(tables_.queues(), job.lane.queue.value);
  record.kind = name_in(tables_.kinds(), job.lane.kind.value);
  record.priority = job.lane.priority;
  record.created = job.created;
  record.due = job.due;
  record.started = job.started;
  record.finished = job.finished;
  if (const auto start = tables_.start_times().find(seq); start != tables_.start_times().end())
    record.start_before = start->second;
  record.attempts_max = job.attempts_max;
  record.failures = job.failures;
  record.crashes = job.crashes;
  record.releases = job.releases;
  record.size_bytes = job.size_bytes;
  record.batch = batches_.batch_of(seq);
  record.error = last_error(seq);
  const auto claim = tables_.claims().find(seq);
  if (claim != tables_.claims().end()) {
    record.started = claim->second.started;
    record.claim = claim->second.token;
    record.process = claim->second.process;
    record.cancel_asked = tables_.cancel_asked(seq);
    const auto progress = tables_.progress().find(seq);
    if (progress != tables_.progress().end()) record.progress = progress->second;
  }
  if (const auto cursor = tables_.cursors().find(seq); cursor != tables_.cursors().end())
    record.cursor = SavedCursor{std::ssize(cursor->second.bytes), cursor->second.saved};
  show_state(record, job.state, job.reason);
  show_gate(record, gate_of(job.lane));
  if (is_held_by_limit(record))
    record.held_by = limit_questions_.held_by(job.lane.tenant, job.lane.queue, job.lane.kind);
  return record;
}

std::string MemoryReader::last_error(JobSeq seq) const {
  const auto found = tables_.attempts().find(seq);
  if (found == tables_.attempts().end()) return {};
  const auto failed =
      std::find_if(found->second.rbegin(), found->second.rend(), [](const AttemptRecord& attempt) {
        return attempt.outcome == AttemptOutcome::failed || attempt.outcome == AttemptOutcome::interrupted;
      });
  return failed == found->second.rend() ? std::string{} : failed->error;
}

JobPage MemoryReader::list_jobs(const Filter& filter, const ListOptions& options, WallTime now) {
  set_now(now);
  const auto floor = succeeded_floor(filter, tables_.last_seq(), options.looks_max);
  const bool oldest_first = options.order == ListOrder::oldest_first;
  JobPage page{.jobs = {}, .left_out = floor.has_value()};
  const auto add = [&](const auto& entry) {
    const bool is_on_page =
        !options.after || (oldest_first ? entry.first > *options.after : entry.first < *options.after);
    if (!is_on_page || page.jobs.size() >= options.limit || is_left_out(entry, floor)) return;
    auto job = record_of(entry.first, entry.second);
    if (matches(filter, job, now)) page.jobs.push_back(std::move(job));
  };
  if (oldest_first) std::ranges::for_each(tables_.jobs(), add);
  else std::for_each(tables_.jobs().rbegin(), tables_.jobs().rend(), add);
  return page;
}

JobCount MemoryReader::count_jobs(const Filter& filter, const ListOptions& options, WallTime now) {
  set_now(now);
  const auto floor = succeeded_floor(filter, tables_.last_seq(), options.looks_max);
  JobCount total{.count = 0, .left_out = floor.has_value()};
  for (const auto& entry : tables_.jobs())
    if (total.count < static_cast<std::int64_t>(options.limit) && !is_left_out(entry, floor) &&
        matches(filter, record_of(entry.first, entry.second), now))
      ++total.count;
  return total;
}

bool MemoryReader::visit_jobs(const Filter& filter, const ListOptions& options, WallTime now,
                              FunctionRef<bool(const JobRecord&)> fn) {
  const JobPage page = list_jobs(filter, options, now);
  (void)std::ranges::all_of(page.jobs, fn);
  return page.left_out;
}

std::optional<JobRecord> MemoryReader::find_job(JobId id) {
  const auto seq = tables_.seq_of(id);
  return seq ? std::optional{record_of(*seq, tables_.jobs().at(*seq))} : std::nullopt;
}

std::vector<AttemptRecord> MemoryReader::attempts(JobSeq seq) {
  const auto found = tables_.attempts().find(seq);
  if (found == tables_.attempts().end()) return {};
  std::vector<AttemptRecord> attempts = found->second;
  for (AttemptRecord& attempt : attempts)
    if (const auto holder = tables_.holders().find(attempt.claim.incarnation);
        holder != tables_.holders().end())
      attempt.node = holder->second.node;
  return attempts;
}

std::optional<std::string> MemoryReader::envelope(JobSeq seq) {
  const std::string* envelope = tables_.envelope(seq);
  return envelope != nullptr ? std::optional{*envelope} : std::nullopt;
}

TenantNumber MemoryReader::newest_generation_of(TenantNumber tenant) const {
  const auto owner = tables_.tenant(tenant);
  const auto newest = owner ? tables_.newest_tenant(owner->name) : std::nullopt;
  return newest ? newest->number : tenant;
}

UnsucceededJobs MemoryReader::unsucceeded_jobs(JobSeq after, JobSeq until, WallTime by,
                                               std::size_t looks_max) {
  UnsucceededJobs found{.jobs = {}, .looked_until = until, .newest = tables_.last_seq()};
  std::size_t looks = 0;
  for (auto row = tables_.jobs().upper_bound(after);
       row != tables_.jobs().end() && row->first <= until && looks < looks_max; ++row) {
    if (++looks == looks_max) found.looked_until = row->first;
    if (row->second.state != JobState::succeeded || row->second.finished >= by)
      found.jobs.push_back({row->first, newest_generation_of(row->second.lane.tenant), row->second.id});
  }
  return found;
}

std::vector<QueueRecord> MemoryReader::queues() {
  auto rows = counted_by(tables_.queues(), &JobRecord::queue);
  add_pauses(rows, pauses(), PauseScope::queue);
  return rows;
}
std::vector<KindRecord> MemoryReader::kinds() {
  auto rows = counted_by(tables_.kinds(), &JobRecord::kind);
  add_pauses(rows, pauses(), PauseScope::kind);
  return rows;
}

std::vector<QueueRecord> MemoryReader::counted_by(const MemoryNames& names, std::string JobRecord::*name) {
  std::map<std::string, QueueRecord> rows;
  std::map<std::string, std::map<JobReason, std::int64_t>> held;
  for (const std::string& each : names.names) rows[each].name = each;
  for (const auto& [seq, row] : tables_.jobs()) {
    const JobRecord job = record_of(seq, row);
    QueueRecord& counted = rows[job.*name];
    count(counted, &QueueRecord::oldest_ready, job);
    if (job.state == ShownState::scheduled) ++counted.scheduled;
    if (job.state == ShownState::held) ++held[job.*name][job.reason];
  }
  for (const auto& [each, reasons] : held)
    for (const auto& [reason, jobs] : reasons) rows[each].held_by.push_back({reason, jobs});
  std::vector<QueueRecord> list;
  list.reserve(rows.size());
  for (auto& [each, row] : rows) list.push_back(std::move(row));
  return list;
}

std::vector<TenantSummary> MemoryReader::tenants(const std::optional<TenantName>& after, std::size_t limit) {
  std::map<TenantName, TenantSummary> live;
  for (const auto& [number, row] : tables_.tenants())
    if (row.name && row.state != TenantState::deleted && (!after || *row.name > *after))
      live.insert({*row.name, {*tables_.tenant(number), 0, 0, 0, 0, std::nullopt}});
  std::vector<TenantSummary> list;
  for (auto& [name, summary] : live)
    if (list.size() < limit) list.push_back(std::move(summary));
  for (TenantSummary& summary : list) {
    summary.pause = tenant_pause(summary.tenant.name);
    add_counts(summary);
  }
  return list;
}

std::vector<TenantSummary> MemoryReader::tenants_named(std::span<const TenantName> names) {
  std::vector<TenantSummary> all = tenants(std::nullopt, std::numeric_limits<std::size_t>::max());
  std::vector<TenantSummary> named;
  for (const TenantName& name : names)
    for (TenantSummary& summary : all)
      if (summary.tenant.name == name) named.push_back(summary);
  return named;
}

std::map<TenantState, std::int64_t> MemoryReader::tenant_counts() {
  std::map<TenantState, std::int64_t> counts;
  for (const auto& [number, tenant] : tables_.tenants())
    if (tenant.name && tenant.state != TenantState::deleted) ++counts[tenant.state];
  return counts;
}

std::optional<TenantSummary> MemoryReader::tenant(const TenantName& name) {
  const auto newest = tables_.newest_tenant(name);
  if (!newest) return std::nullopt;
  TenantSummary summary{*newest, 0, 0, 0, 0, std::nullopt};
  summary.pause = tenant_pause(name);
  add_counts(summary);
  return summary;
}

void MemoryReader::add_counts(TenantSummary& summary) {
  summary.migration = last_migration(summary.tenant.number);
  for (const auto& [seq, row] : tables_.jobs())
    if (row.lane.tenant == summary.tenant.number)
      count(summary, &TenantSummary::oldest_ready, record_of(seq, row));
}

StoreSummary MemoryReader::summary() {
  StoreSummary summary;
  summary.backend = "memory";
  summary.store_id = "memory";
  summary.jobs = static_cast<std::int64_t>(tables_.jobs().size());
  summary.claims = static_cast<std::int64_t>(tables_.claims().size());
  summary.tenants = std::ranges::count_if(tables_.tenants(), [](const auto& entry) {
    return entry.second.name && entry.second.state != TenantState::deleted;
  });
  summary.last_holder = last_holder();
  return summary;
}

std::optional<HolderRecord> MemoryReader::last_holder() {
  const auto& holders = tables_.holders();
  return holders.empty() ? std::nullopt : std::optional{holders.rbegin()->second};
}

std::optional<TenantBehind> MemoryReader::behind_of(TenantNumber tenant) const {
  const auto known = tables_.behind().find(tenant);
  return known == tables_.behind().end() ? std::nullopt : std::optional{known->second};
}

LaneFacts MemoryReader::lane_facts(const JobRecord& job) {
  const Lane& lane = tables_.jobs().at(job.seq).lane;
  const LimitsInTheWay limits = in_the_way(limits_of(job));
  const auto pools = performing_pools(dispatcher_facts(*this), job);
  return {.tenant = job.tenant_state,
          .is_queue_paused = gates().is_queue_paused(lane.queue),
          .is_kind_paused = gates().is_kind_paused(lane.kind),
          .has_dispatcher = has_dispatcher(),
          .pools = gates().pools_for(lane.tenant, lane.queue, lane.kind),
          .is_at_cap = limits.is_at_cap,
          .next_start = limits.next_start,
          .behind = behind_of(lane.tenant),
          .are_slots_taken = are_taken(pools),
          .are_slots_kept = are_kept(pools, job.priority)};
}

Lane MemoryReader::lane_of(const JobRecord& job) { return tables_.jobs().at(job.seq).lane; }

WayAhead MemoryReader::way_ahead(const JobRecord& job) {
  const MemoryJob& row = tables_.jobs().at(job.seq);
  WayAhead way;
  std::set<TenantNumber> tenants;
  for (const auto& [lane, place] : tables_.ready()) {
    if (lane.queue != row.lane.queue || lane.priority != row.lane.priority ||
        tables_.claims().contains(place.seq))
      continue;
    if (lane == row.lane && place < LanePlace{row.due, job.seq}) ++way.jobs;
    if (lane.tenant != row.lane.tenant && may_be_claimed(tables_.tenants().at(lane.tenant).state))
      tenants.insert(lane.tenant);
  }
  way.capped = std::max(way.jobs, std::ssize(tenants)) >= kWayAheadMax;
  way.jobs = std::min(way.jobs, kWayAheadMax);
  way.tenants = std::min<std::int64_t>(std::ssize(tenants), kWayAheadMax);
  return way;
}

std::vector<PoolRecord> MemoryReader::pools() {
  std::vector<PoolRecord> pools;
  for (const auto& [name, pool] : tables_.pools()) pools.push_back(pool.record);
  return pools;
}

std::vector<PoolSlots> MemoryReader::pool_slots() {
  std::vector<PoolSlots> all;
  if (tables_.holders().empty()) return all;
  const Incarnation newest = tables_.holders().rbegin()->first;
  ClaimsByPriority claims;
  for (const auto& [seq, claim] : tables_.claims())
    if (claim.token.incarnation == newest)
      ++claims[claim.process][tables_.jobs().at(seq).lane.priority.value];
  for (const auto& [name, pool] : tables_.pools())
    if (pool.told_by == newest) all.push_back(slots_of(pool.record, claims));
  return all;
}

JobReason MemoryReader::gate_of(const Lane& lane) {
  const auto owner = tables_.tenants().find(lane.tenant);
  const TenantState state = owner == tables_.tenants().end() ? TenantState::active : owner->second.state;
  bool reads_only = state == TenantState::read_only && gates().reads_only(lane.queue, lane.kind);
  if (reads_only) reads_only = is_read_by(gates().pools_for(lane.tenant, lane.queue, lane.kind).value());
  const JobReason of_tenant = tenant_gate(state, reads_only);
  if (of_tenant != JobReason::none) return of_tenant;
  const JobReason gate = gates().of(lane.tenant, lane.queue, lane.kind);
  return gate != JobReason::none ? gate : limit_questions_.gate_of(lane.tenant, lane.queue, lane.kind);
}

const LaneGates& MemoryReader::gates() {
  if (gates_) return *gates_;
  std::vector<LaneGates::Pool> pools;
  for (const auto& [name, pool] : tables_.pools()) {
    if (tables_.holders().empty() || pool.told_by != tables_.holders().rbegin()->first) continue;
    LaneGates::Pool& told = pools.emplace_back(
        LaneGates::Pool{pool.record.workers > 0, numbers_in(tables_.queues(), pool.record.queues),
                        numbers_in(tables_.kinds(), pool.record.kinds)});
    told.rule = pool.record.tenants.rule;
    for (const auto& [number, tenant] : tables_.tenants())
      if (std::ranges::binary_search(pool.record.tenants.names, tenant_name(number)))
        told.tenants.push_back(number.value);
    told.reads_only = numbers_in(tables_.kinds(), pool.record.reads_only);
    for (const auto& [kind, wanted] : pool.record.schemas)
      for (const std::int64_t number : numbers_in(tables_.kinds(), {kind})) told.schemas[number] = wanted;
  }
  gates_.emplace(pools.empty() ? LaneGates{} : LaneGates{std::move(pools)});
  std::map<TenantNumber, std::int64_t> behind;
  for (const auto& [tenant, known] : tables_.behind()) behind[tenant] = known.wanted;
  gates_->set_behind(std::move(behind));
  const auto paused = [&](PauseScope scope, const MemoryNames& names) {
    std::vector<std::string> of_scope;
    for (const auto& [key, record] : tables_.pauses())
      if (key.first == scope) of_scope.push_back(key.second);
    return numbers_in(names, of_scope);
  };
  gates_->set_paused(paused(PauseScope::queue, tables_.queues()), paused(PauseScope::kind, tables_.kinds()));
  return *gates_;
}

}  // namespace tenure::queue
