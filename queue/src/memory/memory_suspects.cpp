#include "../job_rules.hpp"
#include "../reading_pools.hpp"
#include "memory_writer.hpp"

#include <algorithm>
#include <span>
#include <string_view>

namespace tenure::queue {

namespace {

// Of one that is blocked as a suspect. What no row says anything of may have ended a daemon.
MemorySuspect suspect_row(const MemoryTables& tables, JobSeq seq) {
  const auto found = tables.suspects().find(seq);
  return found == tables.suspects().end() ? MemorySuspect{.deaths = 1} : found->second;
}

}  // namespace

bool MemoryWriter::is_read(const Lane& lane) const {
  const auto name_in = [](const MemoryNames& names, std::int64_t number) -> std::string_view {
    return names.names[static_cast<std::size_t>(number) - 1];
  };
  const auto tenant = tables_.tenant(lane.tenant);
  return tenant && std::ranges::any_of(tables_.pools(), [&](const auto& pool) {
           return is_read_in(std::span{&pool.second.record, 1}, tenant->name,
                             name_in(tables_.queues(), lane.queue.value),
                             name_in(tables_.kinds(), lane.kind.value));
         });
}

std::vector<FormerClaim> MemoryWriter::former_claims(Incarnation current, std::size_t limit) {
  std::vector<FormerClaim> claims;
  for (const auto& [seq, claim] : tables_.claims()) {
    if (claims.size() == limit) break;
    if (claim.token.incarnation == current) continue;
    const auto suspect = tables_.suspects().find(seq);
    claims.push_back({{seq, claim.token},
                      tables_.jobs().at(seq).crashes,
                      suspect != tables_.suspects().end() && suspect->second.is_alone &&
                          suspect->second.token == claim.token});
  }
  return claims;
}

Result<void> MemoryWriter::suspect(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                                   WallTime now) {
  const auto ended = end_by_crash(claim, charge, failure, now);
  if (!ended) return claim_lost(claim);
  pass_on(ended->key, claim.seq);
  if (charge == CrashCharge::poison) {
    acquit(claim.seq);
    return {};
  }
  block(claim.seq, JobReason::suspect);
  MemorySuspect row;
  const auto former = tables_.suspects().find(claim.seq);
  if (former != tables_.suspects().end()) row = former->second;
  if (row.token != claim.token) row.is_on_trial = row.is_alone = false;
  row.token = claim.token;
  ++row.deaths;
  tables_.set_suspect(claim.seq, row);
  return {};
}

Result<void> MemoryWriter::suspect_of_process(ClaimRef claim, CrashCharge charge,
                                              const AttemptFailure& failure, WallTime now) {
  const auto ended = end_by_crash(claim, charge, failure, now);
  if (!ended) return claim_lost(claim);
  pass_on(ended->key, claim.seq);
  if (charge == CrashCharge::poison) {
    acquit(claim.seq);
    return {};
  }
  block(claim.seq, JobReason::suspect);
  tables_.set_suspect(claim.seq, {.deaths = 0, .token = claim.token});
  return {};
}

Result<void> MemoryWriter::release_suspect(ClaimRef claim, bool started, const AttemptFailure& why,
                                           WallTime now) {
  const auto ended = end_by_release(claim, started, why, now);
  if (!ended) return claim_lost(claim);
  pass_on(ended->key, claim.seq);
  block(claim.seq, JobReason::suspect);
  if (!tables_.suspects().contains(claim.seq))
    tables_.set_suspect(claim.seq, {.deaths = 0, .token = claim.token});
  return {};
}

bool MemoryWriter::is_suspect_of_process(JobSeq seq) const {
  const auto found = tables_.suspects().find(seq);
  return found != tables_.suspects().end() && found->second.deaths == 0;
}

JobArrival MemoryWriter::end_wait(JobSeq seq) {
  if (!is_suspect_of_process(seq)) return move_to_ready(seq);
  block(seq, JobReason::suspect);
  return arrival_of(seq, tables_.jobs().at(seq));
}

ClaimReply MemoryWriter::claim_suspect(const SuspectRequest& request, WallTime now) {
  const auto found = tables_.jobs().find(request.seq);
  if (found == tables_.jobs().end() || found->second.state != JobState::blocked ||
      found->second.reason != JobReason::suspect)
    return {};
  const auto tenant = tables_.tenants().find(found->second.lane.tenant);
  const TenantState state = tenant != tables_.tenants().end() ? tenant->second.state : TenantState::deleted;
  const bool reads_only = state == TenantState::read_only && is_read(found->second.lane);
  if (tenant_gate(state, reads_only) != JobReason::none) return {.jobs = {}, .gate = state};
  const auto key = tables_.job_key(request.seq);
  if (key && is_taken(request.seq, *key)) {
    stand_in_line(request.seq);
    if (!is_suspect_of_process(request.seq)) acquit(request.seq);
    return {};
  }
  const JobArrival ready = move_to_ready(request.seq);
  ClaimedJob job = claimed({ready.lane, {ready.due, ready.seq}});
  job.token = request.token;
  tables_.insert_claim(job.seq, {job.token, request.process, now, key ? key->key : std::string{}});
  MemorySuspect row = suspect_row(tables_, request.seq);
  row.token = request.token;
  row.is_on_trial = true;
  row.is_alone = request.is_alone;
  tables_.set_suspect(request.seq, row);
  ClaimReply reply;
  reply.jobs.push_back(std::move(job));
  return reply;
}

void MemoryWriter::end_trial(JobSeq seq) {
  const auto found = tables_.suspects().find(seq);
  if (found == tables_.suspects().end()) return;
  MemorySuspect row = found->second;
  row.is_on_trial = row.is_alone = false;
  tables_.set_suspect(seq, row);
}

std::vector<Suspect> MemoryReader::suspects(JobSeq after, std::size_t limit) {
  std::vector<Suspect> suspects;
  const auto& blocked = tables_.blocked();
  for (auto next = blocked.upper_bound(after); next != blocked.end() && suspects.size() < limit; ++next) {
    const MemoryJob& job = tables_.jobs().at(*next);
    if (job.reason != JobReason::suspect) continue;
    const MemorySuspect row = suspect_row(tables_, *next);
    suspects.push_back({.seq = *next,
                        .tenant = job.lane.tenant,
                        .queue = queue_name(job.lane.queue),
                        .kind = kind_name(job.lane.kind),
                        .deaths = row.deaths,
                        .was_on_trial = row.is_on_trial,
                        .was_alone = row.is_alone,
                        .counter = row.token.counter,
                        .lane = job.lane});
  }
  return suspects;
}

}  // namespace tenure::queue
