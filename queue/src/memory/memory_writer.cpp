#include "memory_writer.hpp"

#include "../job_key_rules.hpp"
#include "../job_rules.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/envelope.hpp>

#include <algorithm>

namespace tenure::queue {

// A job comes in.

Result<Enqueued> MemoryWriter::enqueue(const NewJob& job, WallTime now) {
  return enqueue_sealed_by(keys_, job, now);
}

Result<Enqueued> MemoryWriter::enqueue_sealed_by(const KeyRing& keys, const NewJob& job, WallTime now) {
  return enqueue_as({}, keys, job, now);
}

// As that of SqliteWriter.
Result<Enqueued> MemoryWriter::enqueue_callback(NewJob job, const std::string& envelope, WallTime now) {
  auto said = read_envelope(envelope);
  if (!said) return tl::unexpected(std::move(said.error()));
  job.tenant = std::move(said->tenant);
  job.generation = said->generation;
  auto enqueued = enqueue_as({.envelope = &envelope}, keys_, job, now);
  if (enqueued && !enqueued->existed) tables_.add_hint(enqueued->seq);
  return enqueued;
}

Result<std::string> MemoryWriter::envelope_for(const NewJob& job, Generation generation,
                                               const KeyRing& keys) const {
  const Envelope said = envelope_of(job, generation, keys);
  std::string envelope = write_envelope(said);
  if (auto size = check_payload_size(said, envelope.size(), payload_max_); !size)
    return tl::unexpected(std::move(size.error()));
  return envelope;
}

Result<Enqueued> MemoryWriter::enqueue_as(const EnqueueAs& as, const KeyRing& keys, const NewJob& job,
                                          WallTime now) {
  if (auto options = check_new_job(job, as.made_by); !options)
    return tl::unexpected(std::move(options.error()));
  auto former = existing(job);
  // A lost answer is asked for again when the tenant may have gone since, or the key, or its batch is closed.
  const auto former_or = [&](Failure why) -> Result<Enqueued> {
    if (former && *former) return **former;
    return tl::unexpected(std::move(why));
  };
  if (as.envelope == nullptr)
    if (auto fits = check_keys(tables_.seal_marks(), keys_); !fits) return former_or(std::move(fits.error()));
  const auto owner = as.owner != nullptr ? Result<Owner>{*as.owner} : owner_of(job);
  if (!owner) return former_or(owner.error());
  Result<std::string> envelope =
      as.envelope != nullptr ? *as.envelope : envelope_for(job, owner->generation, keys);
  if (!envelope) return tl::unexpected(std::move(envelope.error()));
  auto batch = batches_.joined_by(job, owner->number, as.join_by);
  if (!batch) return former_or(std::move(batch.error()));
  const auto lane = lane_of(job, owner->number);
  if (!lane) return tl::unexpected(lane.error());
  if (!former) return tl::unexpected(std::move(former.error()));
  if (*former) return **former;
  if (job.unique)
    if (const auto holder =
            tables_.holder_of(stored_key(owner->number, job.unique->key, job.unique->is_global))) {
      const MemoryJob& held_by = tables_.jobs().at(*holder);
      return Enqueued{held_by.id, *holder, tables_.tenants().at(held_by.lane.tenant).generation, true, {}};
    }

  const bool is_due = job.due <= now;
  MemoryJob row;
  row.id = job.id;
  row.lane = *lane;
  row.state = is_due ? JobState::ready : JobState::scheduled;
  row.reason = is_due ? JobReason::none : JobReason::not_due;
  if (as.blocked_for != JobReason::none) {
    row.state = JobState::blocked;
    row.reason = as.blocked_for;
  }
  row.due = job.due;
  row.created = now;
  row.attempts_max = job.attempts_max;
  row.size_bytes = static_cast<std::int64_t>(envelope->size());
  const JobSeq seq = tables_.insert_job(row, *std::move(envelope));
  if (job.start_before) tables_.set_start_time(seq, *job.start_before);
  state_keys(seq, job, owner->number);
  if (is_due && as.blocked_for == JobReason::none && lines_up(seq)) stand_in_line(seq);
  if (*batch) batches_.join(seq, **batch);
  return Enqueued{job.id, seq, owner->generation, false,
                  JobArrival{seq, row.lane, row.due, tables_.jobs().at(seq).state}};
}

Result<MemoryWriter::Owner> MemoryWriter::owner_of(const NewJob& job) const {
  if (!job.tenant) return Owner{kUntenanted, Generation{0}};
  return owner_of(*job.tenant, job.generation);
}

Result<MemoryWriter::Owner> MemoryWriter::owner_of(const TenantName& name, Generation wanted) const {
  const auto tenant = tables_.newest_tenant(name);
  if (!tenant) return unknown_tenant(name);
  if (relays_for_restore_ && tenant->state == TenantState::draining && tenant->generation == wanted)
    return Owner{tenant->number, tenant->generation};
  if (auto accepts = check_accepts_jobs(*tenant); !accepts) return tl::unexpected(std::move(accepts.error()));
  if (auto live = check_generation(*tenant, wanted); !live) return tl::unexpected(std::move(live.error()));
  return Owner{tenant->number, tenant->generation};
}

Result<Lane> MemoryWriter::lane_of(const NewJob& job, TenantNumber tenant) {
  auto queue = reader_.queue_number(job.queue);
  auto kind = reader_.kind_number(job.kind);
  if (!queue && tables_.queues().names.size() >= limits::kInternedMax) return too_many("queues");
  if (!kind && tables_.kinds().names.size() >= limits::kInternedMax) return too_many("kinds");
  if (const auto former = existing(job); !former) return tl::unexpected(former.error());
  if (!queue) queue = tables_.add_queue(job.queue);
  if (!kind) kind = tables_.add_kind(job.kind);
  return Lane{*queue, job.priority, tenant, *kind};
}

Result<QueueNumber> MemoryWriter::intern_queue(std::string_view name) {
  if (const auto known = reader_.queue_number(name)) return *known;
  if (tables_.queues().names.size() >= limits::kInternedMax) return too_many("queues");
  return tables_.add_queue(name);
}

Result<std::optional<Enqueued>> MemoryWriter::existing(const NewJob& job) {
  const auto seq = tables_.seq_of(job.id);
  if (!seq) return std::nullopt;
  const MemoryJob& row = tables_.jobs().at(*seq);
  const Generation generation = tables_.tenants().at(row.lane.tenant).generation;
  // "Whatever is live" means what it meant the first time.
  const Generation wanted = job.generation.value == 0 ? generation : job.generation;
  const bool is_same =
      row.lane.priority == job.priority &&
      tables_.queues().names[static_cast<std::size_t>(row.lane.queue.value) - 1] == job.queue &&
      tables_.kinds().names[static_cast<std::size_t>(row.lane.kind.value) - 1] == job.kind &&
      says_same_job(*tables_.envelope(*seq), envelope_of(job, wanted, {}));
  if (!is_same || !batches_.states_same(*seq, job)) return id_conflict(job.id);
  return Enqueued{job.id, *seq, generation, true, {}};
}

// A job is given to a process.

ClaimReply MemoryWriter::claim(const ClaimRequest& request, WallTime now) {
  const auto tenant = tables_.tenants().find(request.tenant);
  const TenantState state = tenant != tables_.tenants().end() ? tenant->second.state : TenantState::deleted;
  if (tenant_gate(state, request.reads_only) != JobReason::none) return {.jobs = {}, .gate = state};
  ClaimReply reply;
  std::size_t bytes = 0;
  while (reply.jobs.size() < request.count && !reply.stopped_by_bytes && !reply.stopped_by_keys) {
    const std::size_t wanted = request.count - reply.jobs.size();
    const auto front = front_of_lanes(request, wanted);
    claim_front(request, front, now, reply, bytes);
    if (front.size() < wanted) break;
  }
  return reply;
}

void MemoryWriter::claim_front(const ClaimRequest& request, std::span<const MemoryTables::ReadyKey> front,
                               WallTime now, ClaimReply& reply, std::size_t& bytes) {
  for (const auto& place : front) {
    ClaimedJob job = claimed(place);
    const auto key = tables_.job_key(job.seq);
    if (key && is_taken(job.seq, *key)) {
      if (lined_up_ == kLinedUpMax) {
        reply.stopped_by_keys = true;
        return;
      }
      ++lined_up_;
      stand_in_line(job.seq);
      continue;
    }
    bytes += job.envelope.size() + job.cursor.size();
    const bool is_allowed = reply.jobs.empty() && request.first_of_any_size;
    if (bytes > request.bytes_max && !is_allowed) {
      reply.stopped_by_bytes = true;
      return;
    }
    job.token = {request.incarnation, request.first_counter + static_cast<std::int64_t>(reply.jobs.size())};
    tables_.insert_claim(job.seq, {job.token, request.process, now, key ? key->key : std::string{}});
    if (const auto unique = tables_.unique_key(job.seq); unique && unique->until == UniqueUntil::started)
      free_unique(job.seq);
    reply.jobs.push_back(std::move(job));
  }
}

std::vector<MemoryTables::ReadyKey> MemoryWriter::front_of_lanes(const ClaimRequest& request,
                                                                 std::size_t count) const {
  std::vector<MemoryTables::ReadyKey> front;
  for (const LaneCursor& cursor : request.kinds) {
    const Lane lane{request.queue, request.priority, request.tenant, cursor.kind};
    const LanePlace from = cursor.after.value_or(LanePlace{WallTime::min(), JobSeq{0}});
    std::size_t found = 0;
    for (auto next = tables_.ready().upper_bound({lane, from});
         next != tables_.ready().end() && next->first == lane && found < count; ++next) {
      if (tables_.claims().contains(next->second.seq)) continue;
      front.push_back(*next);
      ++found;
    }
  }
  std::ranges::sort(front, {}, &MemoryTables::ReadyKey::second);
  if (front.size() > count) front.resize(count);
  return front;
}

ClaimedJob MemoryWriter::claimed(const MemoryTables::ReadyKey& key) const {
  const auto& [lane, place] = key;
  const MemoryJob& row = tables_.jobs().at(place.seq);
  const MemoryTenant& tenant = tables_.tenants().at(lane.tenant);
  ClaimedJob job;
  job.seq = place.seq;
  job.id = row.id;
  job.lane = lane;
  job.place = place;
  job.tenant = tenant.name;
  job.generation = tenant.generation;
  job.kind = tables_.kinds().names[static_cast<std::size_t>(lane.kind.value) - 1];
  job.queue = tables_.queues().names[static_cast<std::size_t>(lane.queue.value) - 1];
  job.created = row.created;
  job.attempts_max = row.attempts_max;
  job.failures = row.failures;
  job.crashes = row.crashes;
  job.releases = row.releases;
  job.envelope = *tables_.envelope(place.seq);
  const auto cursor = tables_.cursors().find(place.seq);
  if (cursor != tables_.cursors().end()) job.cursor = cursor->second.bytes;
  job.start_before = start_time_of(place.seq);
  if (job.failures > 0) job.history = tables_.history(place.seq);
  return job;
}

// A run tells of itself.

Result<void> MemoryWriter::tell(const RunNews& news, WallTime now) {
  const auto claim = tables_.claims().find(news.claim.seq);
  if (claim == tables_.claims().end() || claim->second.token != news.claim.token)
    return claim_lost(news.claim);
  if (news.progress) tables_.set_progress(news.claim.seq, {*news.progress, now});
  if (!news.cursor.empty()) tables_.set_cursor(news.claim.seq, {news.cursor, now});
  return {};
}

// A claim ends.

Result<void> MemoryWriter::finish_succeeded(ClaimRef claim, WallTime now) {
  const auto ended = end_claim(claim);
  if (!ended) return claim_lost(claim);
  end_job(claim.seq, JobState::succeeded, JobReason::none, *ended, 0, now);
  tables_.erase_unique_key(claim.seq);
  pass_on(ended->key, claim.seq);
  batches_.ended(claim.seq, JobState::succeeded, now);
  return {};
}

Result<void> MemoryWriter::finish(ClaimRef claim, JobState state, JobReason reason,
                                  const AttemptFailure& failure, WallTime now) {
  if (const auto allowed = ending(state); !allowed) return tl::unexpected(allowed.error());
  const bool has_started = reason != JobReason::expired;
  const auto ended = end_claim(claim);
  if (!ended) {
    if (has_started) add_lost_attempt(claim, failure, now);
    return claim_lost(claim);
  }
  const bool is_failure = counts_as_failure(state, reason);
  end_job(claim.seq, state, reason, *ended, is_failure ? 1 : 0, now);
  if (!has_started) never_started(claim.seq);
  else
    add_attempt(claim.seq, *ended, is_failure ? AttemptOutcome::failed : AttemptOutcome::interrupted, failure,
                now);
  acquit(claim.seq);
  pass_on(ended->key, claim.seq);
  batches_.ended(claim.seq, state, now);
  return {};
}

Result<void> MemoryWriter::cancel(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) {
  const auto ended = end_claim(claim);
  if (!ended) {
    if (started) add_lost_attempt(claim, why, now);
    return claim_lost(claim);
  }
  end_job(claim.seq, JobState::cancelled, JobReason::by_operator, *ended, 0, now);
  acquit(claim.seq);
  pass_on(ended->key, claim.seq);
  if (started) add_attempt(claim.seq, *ended, AttemptOutcome::interrupted, why, now);
  else never_started(claim.seq);
  batches_.ended(claim.seq, JobState::cancelled, now);
  return {};
}

void MemoryWriter::never_started(JobSeq seq) {
  MemoryJob job = tables_.jobs().at(seq);
  job.started.reset();
  tables_.update_job(seq, job);
}

std::optional<WallTime> MemoryWriter::start_time_of(JobSeq seq) const {
  const auto found = tables_.start_times().find(seq);
  return found == tables_.start_times().end() ? std::nullopt : std::optional{found->second};
}

std::vector<CancelRequest> MemoryWriter::cancel_requests(CancelNumber after, std::size_t limit) {
  std::vector<CancelRequest> requests;
  const auto& all = tables_.cancel_requests();
  for (auto next = all.upper_bound(after); next != all.end() && requests.size() < limit; ++next)
    requests.push_back({next->first, next->second.claim, tables_.jobs().at(next->second.claim.seq).id});
  return requests;
}

bool MemoryWriter::is_cancel_asked(ClaimRef claim) {
  return std::ranges::any_of(tables_.cancel_requests(),
                             [&](const auto& entry) { return entry.second.claim == claim; });
}

Result<void> MemoryWriter::retry(ClaimRef claim, const Retry& retry, const AttemptFailure& failure,
                                 WallTime now) {
  const auto ended = end_claim(claim);
  if (!ended) {
    add_lost_attempt(claim, failure, now);
    return claim_lost(claim);
  }
  MemoryJob job = tables_.jobs().at(claim.seq);
  job.state = JobState::scheduled;
  job.reason = retry.reason;
  job.due = retry.due;
  ++job.failures;
  tables_.update_job(claim.seq, job);
  tables_.count_failure(claim.seq, retry.rule, now);
  pass_on(ended->key, claim.seq);
  add_attempt(claim.seq, *ended, AttemptOutcome::failed, failure, now);
  return {};
}

Result<void> MemoryWriter::put_off(ClaimRef claim, WallTime due, const AttemptFailure& why, WallTime now) {
  const auto ended = end_by_release(claim, true, why, now);
  if (!ended) return claim_lost(claim);
  MemoryJob job = tables_.jobs().at(claim.seq);
  job.state = JobState::scheduled;
  job.reason = JobReason::put_off;
  job.due = due;
  tables_.update_job(claim.seq, job);
  pass_on(ended->key, claim.seq);
  return {};
}

Result<void> MemoryWriter::release(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) {
  const auto ended = end_by_release(claim, started, why, now);
  if (!ended) return claim_lost(claim);
  ready_again(claim.seq, ended->key);
  return {};
}

std::optional<MemoryClaim> MemoryWriter::end_by_release(ClaimRef claim, bool started,
                                                        const AttemptFailure& why, WallTime now) {
  auto ended = end_claim(claim);
  if (!ended || !started) return ended;
  MemoryJob job = tables_.jobs().at(claim.seq);
  ++job.releases;
  tables_.update_job(claim.seq, job);
  add_attempt(claim.seq, *ended, AttemptOutcome::released, why, now);
  return ended;
}

Result<void> MemoryWriter::block(ClaimRef claim, JobReason reason) {
  const auto ended = end_claim(claim);
  if (!ended) return claim_lost(claim);
  block(claim.seq, reason);
  pass_on(ended->key, claim.seq);
  return {};
}

void MemoryWriter::block(JobSeq seq, JobReason reason) {
  MemoryJob job = tables_.jobs().at(seq);
  job.state = JobState::blocked;
  job.reason = reason;
  tables_.update_job(seq, job);
}

Result<void> MemoryWriter::reclaim(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                                   WallTime now) {
  const auto ended = end_by_crash(claim, charge, failure, now);
  if (!ended) return claim_lost(claim);
  if (charge == CrashCharge::poison) pass_on(ended->key, claim.seq);
  else ready_again(claim.seq, ended->key);
  return {};
}

std::optional<MemoryClaim> MemoryWriter::end_by_crash(ClaimRef claim, CrashCharge charge,
                                                      const AttemptFailure& failure, WallTime now) {
  auto ended = end_claim(claim);
  if (!ended) return std::nullopt;
  add_attempt(claim.seq, *ended, AttemptOutcome::interrupted, failure, now);
  if (charge == CrashCharge::none) return ended;
  MemoryJob job = tables_.jobs().at(claim.seq);
  ++job.crashes;
  tables_.update_job(claim.seq, job);
  if (charge != CrashCharge::poison) return ended;
  end_job(claim.seq, JobState::dead, JobReason::poison, *ended, 0, now);
  batches_.ended(claim.seq, JobState::dead, now);
  return ended;
}

std::optional<MemoryClaim> MemoryWriter::end_claim(ClaimRef claim) {
  const auto found = tables_.claims().find(claim.seq);
  if (found == tables_.claims().end() || found->second.token != claim.token) return std::nullopt;
  const MemoryClaim ended = found->second;
  TENURE_INVARIANT(tables_.jobs().at(claim.seq).state == JobState::ready);
  tables_.erase_claim(claim.seq);
  return ended;
}

void MemoryWriter::end_job(JobSeq seq, JobState state, JobReason reason, const MemoryClaim& claim,
                           int failures, WallTime now) {
  MemoryJob job = tables_.jobs().at(seq);
  job.state = state;
  job.reason = reason;
  job.started = claim.started;
  job.finished = now;
  job.failures += failures;
  tables_.update_job(seq, job);
  free_unique(seq);
}

void MemoryWriter::add_attempt(JobSeq seq, const MemoryClaim& claim, AttemptOutcome outcome,
                               const AttemptFailure& failure, WallTime now) {
  AttemptRecord attempt;
  attempt.outcome = outcome;
  attempt.error_code = failure.code;
  attempt.error = kept_error(failure.error);
  attempt.started = claim.started;
  attempt.finished = now;
  attempt.claim = claim.token;
  attempt.process = claim.process;
  attempt.place = failure.place;
  tables_.add_attempt(seq, std::move(attempt));
}

void MemoryWriter::add_lost_attempt(ClaimRef claim, const AttemptFailure& failure, WallTime now) {
  if (!tables_.jobs().contains(claim.seq)) return;
  for (const AttemptRecord& attempt : reader_.attempts(claim.seq))
    if (attempt.claim == claim.token &&
        (attempt.outcome == AttemptOutcome::failed || attempt.outcome == AttemptOutcome::lost))
      return;
  AttemptRecord attempt;
  attempt.outcome = AttemptOutcome::lost;
  attempt.error_code = failure.code;
  attempt.error = kept_error(failure.error);
  attempt.finished = now;
  attempt.claim = claim.token;
  attempt.place = failure.place;
  tables_.add_attempt(claim.seq, std::move(attempt));
}

}  // namespace tenure::queue
