#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "places.hpp"
#include "seal_marks.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 name. Index: tenant_live.
constexpr Query kLiveTenant{"live_tenant", R"sql(
  select number, generation, state from tenant indexed by tenant_live where name = ?1 and state <> 8)sql"};

// Index: primary key.
constexpr Query kTenantsMark{"tenants_mark", "select seq from mark where name = 'tenants'"};

// The first write of a job's row, and for a job that is due the only one. No change means that the id is there already.
// ?1 id  ?2 tenant  ?3 queue  ?4 kind  ?5 priority  ?6 due_us  ?7 created_us  ?8 RowState  ?9 reason  ?10 attempts_max
// ?11 envelope. Index: unique id.
constexpr Query kInsertJob{"insert_job", R"sql(
  insert into job(id, tenant, queue, kind, priority, due_us, created_us, state, reason, attempts_max, started_us,
                  finished_us, envelope)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?7, ?7, ?11) on conflict (id) do nothing)sql"};

// What a second enqueue of the same id is compared with; what a damaged file has lost is null and equals nothing. ?1 id. Index: unique id.
constexpr Query kExistingJob{"existing_job", R"sql(
  select job.seq, job.priority, queue.name, kind.name, tenant.generation, job.envelope
  from job
  left join queue on queue.number = job.queue
  left join kind on kind.number = job.kind
  left join tenant on tenant.number = job.tenant
  where job.id = ?1)sql"};

std::span<const std::byte> bytes_of(const JobId& id) { return std::as_bytes(std::span{id.uuid.bytes()}); }

}  // namespace

Result<Enqueued> SqliteWriter::enqueue(const NewJob& job, WallTime now) {
  return enqueue_sealed_by(keys_, job, now);
}

Result<Enqueued> SqliteWriter::enqueue_sealed_by(const KeyRing& keys, const NewJob& job, WallTime now) {
  return enqueue_as({}, keys, job, now);
}

Result<Enqueued> SqliteWriter::enqueue_placed(const NewJob& job, JobReason blocked_for, WallTime now) {
  return enqueue_as({.is_placed = true, .blocked_for = blocked_for}, keys_, job, now);
}

Result<Enqueued> SqliteWriter::enqueue_of_outbox(const NewJob& job, WallTime now) {
  return enqueue_as({.join_by = JoinBy::outbox}, keys_, job, now);
}

// Its tenant, and the generation of it, are those of its envelope. With a hint, since it is no fresh job.
Result<Enqueued> SqliteWriter::enqueue_callback(NewJob job, const std::string& envelope, WallTime now) {
  auto said = read_envelope(envelope);
  if (!said) return tl::unexpected(std::move(said.error()));
  job.tenant = std::move(said->tenant);
  job.generation = said->generation;
  auto enqueued = enqueue_as({.is_placed = true, .envelope = &envelope}, keys_, job, now);
  if (enqueued && !enqueued->existed) hint_at(enqueued->seq);
  return enqueued;
}

Result<Enqueued> SqliteWriter::enqueue_as(const EnqueueAs& as, const KeyRing& keys, const NewJob& job,
                                          WallTime now) {
  if (auto options = check_new_job(job, as.made_by); !options)
    return tl::unexpected(std::move(options.error()));
  // A lost answer is asked for again when the tenant may have gone since, or the key, or its batch is closed.
  const auto former_or = [&](Failure why) -> Result<Enqueued> {
    auto former = existing(job);
    if (former && *former) return **former;
    return tl::unexpected(std::move(why));
  };
  auto incoming = look_up_as(as, job, keys);
  if (!incoming) return former_or(std::move(incoming.error()));
  auto batch = batches_.joined_by(job, incoming->owner.number, as.join_by);
  if (!batch) return former_or(std::move(batch.error()));
  const auto numbers = intern(job);
  if (!numbers) return tl::unexpected(numbers.error());

  if (const auto holder = holder_of_unique(job, incoming->owner.number)) {
    auto former = existing(job);
    if (!former) return tl::unexpected(std::move(former.error()));
    return former->value_or(*holder);
  }
  const Lane lane{numbers->queue, job.priority, incoming->owner.number, numbers->kind};
  const JobState place = as.blocked_for == JobReason::none ? place_of_new(job, lane, now) : JobState::blocked;
  const bool is_placed = place != JobState::ready || as.is_placed;
  if (!insert_job(job, lane, incoming->envelope, is_placed ? RowState::placed : RowState::as_enqueued,
                  place == JobState::scheduled ? JobReason::not_due : JobReason::none, now)) {
    auto former = existing(job);
    if (!former) return tl::unexpected(std::move(former.error()));
    return former->value();
  }
  const JobSeq seq{connection_.last_insert_row()};
  if (as.blocked_for != JobReason::none) insert_blocked(connection_, lane, {job.due, seq}, as.blocked_for);
  else if (place == JobState::ready && is_placed) insert_ready(connection_, lane, {job.due, seq});
  place_new(job, lane, seq, place, as.blocked_for);
  if (job.start_before) start_times_.add(seq, *job.start_before);
  if (*batch) batches_.join(seq, **batch);
  return Enqueued{job.id, seq, incoming->owner.generation, false, JobArrival{seq, lane, job.due, place}};
}

JobState SqliteWriter::place_of_new(const NewJob& job, const Lane& lane, WallTime now) {
  if (job.due > now) return JobState::scheduled;
  if (!job.concurrency) return JobState::ready;
  const StoredConcurrency key = stored_concurrency(*job.concurrency, lane.tenant);
  return must_wait_for(key, lane.queue, lane.kind) ? JobState::blocked : JobState::ready;
}

bool SqliteWriter::insert_job(const NewJob& job, const Lane& lane, std::string_view envelope, RowState state,
                              JobReason reason, WallTime now) {
  connection_.statement(kInsertJob)
      .bind(bytes_of(job.id), lane.tenant.value, lane.queue.value, lane.kind.value, lane.priority.value,
            to_us(job.due), to_us(now), static_cast<int>(state), static_cast<int>(reason), job.attempts_max,
            as_bytes(envelope))
      .run();
  return connection_.changes() > 0;
}

void SqliteWriter::place_new(const NewJob& job, const Lane& lane, JobSeq seq, JobState place,
                             JobReason blocked_for) {
  if (place == JobState::scheduled) insert_scheduled(connection_, lane, {job.due, seq});
  if (job.concurrency) {
    const StoredConcurrency key = stored_concurrency(*job.concurrency, lane.tenant);
    key_rows_.state(seq, key);
    if (place == JobState::blocked && blocked_for == JobReason::none)
      stand_in_line(key.key, lane, {job.due, seq});
  }
  if (job.unique)
    key_rows_.hold(seq, {.key = stored_key(lane.tenant, job.unique->key, job.unique->is_global),
                         .until = job.unique->until,
                         .is_held = true});
}

Result<SqliteWriter::Incoming> SqliteWriter::look_up_as(const EnqueueAs& as, const NewJob& job,
                                                        const KeyRing& keys) {
  if (as.envelope == nullptr) {
    if (auto fits = check_own_keys(); !fits) return tl::unexpected(std::move(fits.error()));
    return look_up(job, keys, as.owner);
  }
  Incoming incoming{.owner = {}, .envelope = *as.envelope};
  if (!job.tenant) return incoming;
  auto owner = owner_of(*job.tenant, job.generation);
  if (!owner) return tl::unexpected(std::move(owner.error()));
  incoming.owner = *owner;
  return incoming;
}

Result<SqliteWriter::Incoming> SqliteWriter::look_up(const NewJob& job, const KeyRing& keys,
                                                     const Owner* known) {
  Incoming incoming;
  if (known != nullptr) {
    incoming.owner = *known;
  } else if (job.tenant) {
    auto owner = owner_of(*job.tenant, job.generation);
    if (!owner) return tl::unexpected(std::move(owner.error()));
    incoming.owner = *owner;
  }
  const Envelope envelope = envelope_of(job, incoming.owner.generation, keys);
  incoming.envelope = write_envelope(envelope);
  if (auto size = check_payload_size(envelope, incoming.envelope.size(), payload_max_); !size)
    return tl::unexpected(std::move(size.error()));
  return incoming;
}

// Nobody else changes what is in force while the transaction lasts.
const SealMarks& SqliteWriter::seal_marks() {
  if (!seal_marks_) seal_marks_ = read_seal_marks(connection_);
  return *seal_marks_;
}

Result<void> SqliteWriter::check_own_keys() { return check_keys(seal_marks(), keys_); }

std::optional<Owner> SqliteWriter::live_owner(const TenantName& name) {
  if (const auto known = owners_.find(name); known != owners_.end()) return known->second;
  if (!tenants_mark_) tenants_mark_ = connection_.statement(kTenantsMark).row().integer(0);
  if (auto known = known_owners_.find(*tenants_mark_, name)) return known;
  auto row = connection_.statement(kLiveTenant);
  if (!row.bind(name.text()).step() || tenant_state_of(row.integer(2)) == TenantState::draining)
    return std::nullopt;
  return owners_.emplace(name, Owner{TenantNumber{row.integer(0)}, Generation{row.integer(1)}}).first->second;
}

Result<Owner> SqliteWriter::owner_of(const TenantName& name, Generation wanted) {
  const auto live = live_owner(name);
  if (live && (wanted.value == 0 || wanted == live->generation)) return *live;
  const auto tenant = newest_tenant(connection_, name);
  if (!tenant) return unknown_tenant(name);
  if (relays_for_restore_ && tenant->state == TenantState::draining && tenant->generation == wanted)
    return Owner{tenant->number, tenant->generation};
  if (auto accepts = check_accepts_jobs(*tenant); !accepts) return tl::unexpected(std::move(accepts.error()));
  return stale_generation(name, wanted, tenant->generation);
}

Result<SqliteWriter::Names> SqliteWriter::intern(const NewJob& job) {
  auto queue = names_.number(NameTable::queue, job.queue);
  auto kind = names_.number(NameTable::kind, job.kind);
  const auto limit = static_cast<std::int64_t>(limits::kInternedMax);
  // Both are checked before one is written, so that a refused job leaves no name behind.
  if (!queue && names_.count(NameTable::queue) >= limit) return too_many("queues");
  if (!kind && names_.count(NameTable::kind) >= limit) return too_many("kinds");
  if (!queue || !kind) {
    if (const auto former = existing(job); !former) return tl::unexpected(former.error());
  }
  if (!queue) queue = names_.add(NameTable::queue, job.queue);
  if (!kind) kind = names_.add(NameTable::kind, job.kind);
  return Names{QueueNumber{*queue}, KindNumber{*kind}};
}

Result<QueueNumber> SqliteWriter::intern_queue(std::string_view name) {
  if (const auto known = names_.number(NameTable::queue, name)) return QueueNumber{*known};
  if (names_.count(NameTable::queue) >= static_cast<std::int64_t>(limits::kInternedMax))
    return too_many("queues");
  return QueueNumber{names_.add(NameTable::queue, name)};
}

Result<std::optional<Enqueued>> SqliteWriter::existing(const NewJob& job) {
  auto row = connection_.statement(kExistingJob);
  if (!row.bind(bytes_of(job.id)).step()) return std::nullopt;
  const Generation generation{row.integer(4)};
  // "Whatever is live" means what it meant the first time.
  const Generation wanted = job.generation.value == 0 ? generation : job.generation;
  const bool is_same = row.integer(1) == job.priority.value && row.text(2) == job.queue &&
                       row.text(3) == job.kind &&
                       says_same_job(as_text(row.blob(5)), envelope_of(job, wanted, {}));
  const JobSeq seq{row.integer(0)};
  if (!is_same || !batches_.states_same(seq, job)) return id_conflict(job.id);
  return Enqueued{job.id, seq, generation, true, {}};
}

std::vector<const Query*> enqueue_queries() {
  return {&kLiveTenant, &kTenantsMark, &kInsertJob, &kExistingJob};
}

}  // namespace tenure::queue
