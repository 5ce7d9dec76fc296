#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "memory_writer.hpp"

#include <limits>

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

bool MemoryWriter::is_taken(const MemoryJobKey& key) const {
  return tables_.running(key.key) >= key.running_max;
}

bool MemoryWriter::has_line(const std::string& key) const {
  const auto first = tables_.lines().upper_bound(end_of_tenant(key, kFirstTenant));
  return first != tables_.lines().end() && first->key == key;
}

bool MemoryWriter::lines_up(JobSeq seq) const {
  const auto key = tables_.job_key(seq);
  return key && (is_taken(*key) || has_line(key->key));
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

std::optional<MemoryLinePlace> MemoryWriter::next_of_line(const std::string& key,
                                                          std::int64_t behind_tenant) const {
  const auto behind = [&](const MemoryLinePlace& place) -> std::optional<MemoryLinePlace> {
    const auto next = tables_.lines().upper_bound(place);
    if (next == tables_.lines().end() || next->key != key) return std::nullopt;
    return *next;
  };
  const auto first_behind = [&](std::int64_t tenant) {
    auto found = behind(end_of_tenant(key, tenant));
    return found || tenant == kFirstTenant ? found : behind(end_of_tenant(key, kFirstTenant));
  };
  const auto first = first_behind(behind_tenant);
  auto next = first;
  for (int passed = 0; next && passed < kPassedOverMax; ++passed) {
    const auto tenant = tables_.tenants().find(next->tenant);
    const bool is_gated =
        is_global_key(key) && (tenant == tables_.tenants().end() || !may_be_claimed(tenant->second.state));
    if (!is_gated && !is_lane_paused(tables_.jobs().at(next->place.seq).lane)) return next;
    if (is_gated) {
      next = first_behind(next->tenant.value);
    } else if (auto after = behind(*next)) {
      next = std::move(after);
    } else {
      next = first_behind(kFirstTenant);
    }
    if (next == first) break;
  }
  return first;
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
    const auto next = next_of_line(*last, kFirstTenant);
    if (next && !is_taken(tables_.job_key(next->place.seq).value())) make_ready_of_line(*next);
  }
  return last;
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
