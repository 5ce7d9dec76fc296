#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "memory_writer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::int64_t kFirstTenant = -1;

// Behind all jobs of that tenant, and before those of the next one.
MemoryLinePlace end_of_tenant(const std::string& key, std::int64_t tenant) {
  return {key, TenantNumber{tenant}, Priority{std::numeric_limits<int>::max()}, {}};
}

MemoryLinePlace line_place(const std::string& key, JobSeq seq, const MemoryJob& job) {
  return {key, job.lane.tenant, job.lane.priority, {job.due, seq}};
}

}  // namespace

std::int64_t MemoryWriter::running_max(JobSeq seq, const MemoryJobKey& key) {
  const Lane& lane = tables_.jobs().at(seq).lane;
  return key_limits_.running_max(key.running_max, lane.queue, lane.kind);
}

bool MemoryWriter::is_taken(JobSeq seq, const MemoryJobKey& key) {
  return tables_.running(key.key) >= running_max(seq, key);
}

bool MemoryWriter::has_line(const std::string& key) const {
  const auto first = tables_.lines().upper_bound(end_of_tenant(key, kFirstTenant));
  return first != tables_.lines().end() && first->key == key;
}

bool MemoryWriter::lines_up(JobSeq seq) {
  const auto key = tables_.job_key(seq);
  return key && (is_taken(seq, *key) || has_line(key->key));
}

void MemoryWriter::stand_in_line(JobSeq seq) {
  block(seq, JobReason::limit_key);
  tables_.join_line(line_place(tables_.job_key(seq).value().key, seq, tables_.jobs().at(seq)));
}

void MemoryWriter::pass_on(const std::string& key, JobSeq left) {
  if (key.empty()) return;
  const TenantNumber tenant = tables_.jobs().at(left).lane.tenant;
  if (const auto next = next_of_line(key, turn_begins_behind(key, tenant))) make_ready_of_line(*next);
}

std::optional<MemoryLinePlace> MemoryWriter::behind_in_line(const MemoryLinePlace& place) const {
  const auto next = tables_.lines().upper_bound(place);
  if (next == tables_.lines().end() || next->key != place.key) return std::nullopt;
  return *next;
}

std::optional<MemoryLinePlace> MemoryWriter::first_of_line(const std::string& key,
                                                           std::int64_t behind_tenant) const {
  auto found = behind_in_line(end_of_tenant(key, behind_tenant));
  return found || behind_tenant == kFirstTenant ? found : behind_in_line(end_of_tenant(key, kFirstTenant));
}

bool MemoryWriter::is_gated_on_line(const MemoryLinePlace& place) const {
  if (!is_global_key(place.key)) return false;
  const auto tenant = tables_.tenants().find(place.tenant);
  if (tenant == tables_.tenants().end()) return true;
  const TenantState state = tenant->second.state;
  if (state == TenantState::read_only) return !is_read(tables_.jobs().at(place.place.seq).lane);
  return !may_be_claimed(state);
}

bool MemoryWriter::may_come_from_line(const MemoryLinePlace& place) const {
  return !is_gated_on_line(place) && !is_lane_paused(tables_.jobs().at(place.place.seq).lane);
}

std::optional<MemoryLinePlace> MemoryWriter::next_of_line(const std::string& key,
                                                          std::int64_t behind_tenant) const {
  const auto first = first_of_line(key, behind_tenant);
  auto next = first;
  for (int passed = 0, of_tenant = 1; next && passed < kPassedOverMax; ++passed, ++of_tenant) {
    if (may_come_from_line(*next)) return next;
    const TenantNumber tenant = next->tenant;
    // Behind a job that writes in a read-only tenant one may stand that only reads.
    const auto known = tables_.tenant(tenant);
    const bool is_read_only = known && known->state == TenantState::read_only;
    const bool is_enough = is_gated_on_line(*next) && (!is_read_only || of_tenant >= kElsewhereOfTenant);
    auto behind = is_enough ? std::nullopt : behind_in_line(*next);
    next = behind ? std::move(behind) : first_of_line(key, is_enough ? tenant.value : kFirstTenant);
    if (next && next->tenant != tenant) of_tenant = 0;
    if (next == first) break;
  }
  return first;
}

std::optional<MemoryLinePlace> MemoryWriter::next_elsewhere(const std::string& key,
                                                            std::int64_t behind_tenant,
                                                            std::span<const Lane> gated) const {
  const auto first = first_of_line(key, behind_tenant);
  auto next = first;
  for (int looked = 0, of_tenant = 1; next && looked < kElsewhereMax; ++looked, ++of_tenant) {
    const Lane& lane = tables_.jobs().at(next->place.seq).lane;
    if (std::ranges::find(gated, lane) == gated.end() && may_come_from_line(*next)) return next;
    const TenantNumber tenant = next->tenant;
    const bool is_enough = is_global_key(key) && of_tenant >= kElsewhereOfTenant;
    auto behind = is_enough ? std::nullopt : behind_in_line(*next);
    next = behind ? std::move(behind) : first_of_line(key, is_enough ? tenant.value : kFirstTenant);
    if (next && next->tenant != tenant) of_tenant = 0;
    if (next == first) break;
  }
  return std::nullopt;
}

std::optional<JobArrival> MemoryWriter::pass_over(JobSeq passed, std::span<const Lane> gated) {
  const auto key = tables_.job_key(passed);
  if (!key) return std::nullopt;
  const TenantNumber tenant = tables_.jobs().at(passed).lane.tenant;
  const auto next = next_elsewhere(key->key, turn_begins_behind(key->key, tenant), gated);
  if (!next || is_taken(next->place.seq, tables_.job_key(next->place.seq).value())) return std::nullopt;
  tables_.leave_line(*next);
  return end_wait(next->place.seq);
}

bool MemoryWriter::is_lane_paused(const Lane& lane) const {
  MemoryReader reader{tables_};
  return tables_.pauses().contains({PauseScope::queue, reader.queue_name(lane.queue)}) ||
         tables_.pauses().contains({PauseScope::kind, reader.kind_name(lane.kind)});
}

void MemoryWriter::make_ready_of_line(const MemoryLinePlace& next) {
  tables_.leave_line(next);
  static_cast<void>(end_wait(next.place.seq));
  tables_.add_hint(next.place.seq);
}

void MemoryWriter::ready_again(JobSeq seq, const std::string& key) {
  if (key.empty() || !has_line(key)) return;
  stand_in_line(seq);
  pass_on(key, seq);
}

JobArrival MemoryWriter::admit(JobSeq seq) {
  if (is_suspect_of_process(seq) || !lines_up(seq)) return end_wait(seq);
  stand_in_line(seq);
  return arrival_of(seq, tables_.jobs().at(seq));
}

void MemoryWriter::leave_place(JobSeq seq) {
  const auto key = tables_.job_key(seq);
  if (!key) return;
  const MemoryJob& job = tables_.jobs().at(seq);
  tables_.leave_line(line_place(key->key, seq, job));
  if (job.state == JobState::ready) pass_on(key->key, seq);
}

std::optional<std::string> MemoryWriter::give_free_keys(const std::string& after, std::size_t limit) {
  std::optional<std::string> last = after;
  for (std::size_t looked = 0; looked < limit; ++looked) {
    const auto line =
        tables_.lines().upper_bound(end_of_tenant(*last, std::numeric_limits<std::int64_t>::max()));
    if (line == tables_.lines().end()) return std::nullopt;
    last = line->key;
    give_free_key(*last);
  }
  return last;
}

void MemoryWriter::give_free_key(const std::string& key) {
  TenantNumber last{kFirstTenant};
  for (int let_in = 0; let_in < kLetInMax; ++let_in) {
    const auto next = next_of_line(key, turn_begins_behind(key, last));
    if (!next || (let_in > 0 && !may_come_from_line(*next))) return;
    const JobSeq seq = next->place.seq;
    if (tables_.running(key) + let_in >= running_max(seq, tables_.job_key(seq).value())) return;
    make_ready_of_line(*next);
    last = next->tenant;
  }
}

void MemoryWriter::state_keys(JobSeq seq, const NewJob& job, TenantNumber tenant) {
  if (const auto& key = job.concurrency)
    tables_.set_job_key(seq, {stored_key(tenant, key->key, key->is_global), key->running_max});
  if (const auto& key = job.unique)
    tables_.set_unique_key(seq, {stored_key(tenant, key->key, key->is_global), key->until, true});
}

void MemoryWriter::free_unique(JobSeq seq) {
  auto key = tables_.unique_key(seq);
  if (!key || !key->is_held) return;
  key->is_held = false;
  tables_.set_unique_key(seq, *key);
}

Result<void> MemoryWriter::hold_unique_again(JobSeq seq, JobId id) {
  auto key = tables_.unique_key(seq);
  if (!key || key->is_held) return {};
  if (const auto holder = tables_.holder_of(key->key))
    return unique_key_taken(id, key->key, tables_.jobs().at(*holder).id);
  key->is_held = true;
  tables_.set_unique_key(seq, *key);
  return {};
}

std::optional<ConcurrencyKey> MemoryWriter::stated_concurrency(JobSeq seq) const {
  const auto key = tables_.job_key(seq);
  if (!key) return std::nullopt;
  return ConcurrencyKey{std::string{stated_key(key->key)}, key->running_max, is_global_key(key->key)};
}

JobKeys MemoryReader::job_keys(const JobRecord& job) {
  JobKeys keys;
  if (const auto unique = tables_.unique_key(job.seq)) {
    keys.unique = UniqueKey{std::string{stated_key(unique->key)}, unique->until, is_global_key(unique->key)};
    keys.is_unique_held = unique->is_held;
  }
  const auto key = tables_.job_key(job.seq);
  if (!key) return keys;
  keys.concurrency =
      ConcurrencyKey{std::string{stated_key(key->key)}, key->running_max, is_global_key(key->key)};
  keys.running_max = key->running_max;
  key_limits_.tell(lane_of(job), keys);
  keys.running = tables_.running(key->key);
  for (const auto& [seq, claim] : tables_.claims())
    if (claim.key == key->key && keys.holders.size() < kKeyHoldersShown)
      keys.holders.push_back({tables_.jobs().at(seq).id, claim.started});
  const auto own = line_place(key->key, job.seq, tables_.jobs().at(job.seq));
  if (tables_.lines().contains(own))
    for (const MemoryLinePlace& place : tables_.lines())
      if (place.key == key->key && place.tenant == own.tenant && place < own) ++keys.ahead;
  return keys;
}

}  // namespace tenure::queue
