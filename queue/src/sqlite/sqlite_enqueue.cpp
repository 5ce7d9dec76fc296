#include "../job_rules.hpp"
#include "sqlite_writer.hpp"
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

// The first write of a job's row. No change means that the id is there already.
// ?1 id  ?2 state  ?3 tenant  ?4 queue  ?5 kind  ?6 priority  ?7 due_us  ?8 created_us  ?9 reason  ?10 attempts_max
// ?11 bytes of the envelope. Index: unique id.
constexpr Query kInsertJob{"insert_job", R"sql(
  insert into job(id, state, tenant, queue, kind, priority, due_us, created_us, reason, attempts_max, size_bytes,
                  started_us, finished_us)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?8, ?8) on conflict (id) do nothing)sql"};

// ?1 seq  ?2 envelope.
constexpr Query kInsertPayload{"insert_payload", "insert into payload(seq, envelope) values (?1, ?2)"};

// What a second enqueue of the same id is compared with; what a damaged file has lost is null and equals nothing. ?1 id. Index: unique id.
constexpr Query kExistingJob{"existing_job", R"sql(
  select job.seq, job.priority, queue.name, kind.name, tenant.generation, payload.envelope
  from job
  left join queue on queue.number = job.queue
  left join kind on kind.number = job.kind
  left join tenant on tenant.number = job.tenant
  left join payload on payload.seq = job.seq
  where job.id = ?1)sql"};

std::span<const std::byte> bytes_of(const JobId& id) { return std::as_bytes(std::span{id.uuid.bytes()}); }

std::string envelope_of(const NewJob& job, Generation generation) {
  return write_envelope({job.id, job.tenant, generation, job.kind, job.arguments});
}

}  // namespace

Result<Enqueued> SqliteWriter::enqueue(const NewJob& job, WallTime now) {
  if (auto options = check_new_job(job); !options) return tl::unexpected(std::move(options.error()));
  auto incoming = look_up(job);
  if (!incoming) {
    // A lost answer is asked for again when the tenant may have gone since.
    auto former = existing(job);
    if (former && *former) return **former;
    return tl::unexpected(std::move(incoming.error()));
  }
  const auto numbers = intern(job);
  if (!numbers) return tl::unexpected(numbers.error());

  const bool is_due = job.due <= now;
  connection_.statement(kInsertJob)
      .bind(bytes_of(job.id), static_cast<int>(is_due ? JobState::ready : JobState::scheduled),
            incoming->owner.number.value, numbers->queue.value, numbers->kind.value, job.priority.value,
            to_us(job.due), to_us(now), static_cast<int>(is_due ? JobReason::none : JobReason::not_due),
            job.attempts_max, incoming->envelope.size())
      .run();
  if (connection_.changes() == 0) {
    auto former = existing(job);
    if (!former) return tl::unexpected(std::move(former.error()));
    return former->value();
  }
  const JobSeq seq{connection_.last_insert_row()};
  insert_payload(seq, incoming->envelope);
  const Lane lane{numbers->queue, job.priority, incoming->owner.number, numbers->kind};
  return Enqueued{job.id, seq, incoming->owner.generation, false,
                  JobArrival{seq, lane, job.due, is_due ? JobState::ready : JobState::scheduled}};
}

Result<SqliteWriter::Incoming> SqliteWriter::look_up(const NewJob& job) {
  Incoming incoming;
  if (job.tenant) {
    auto owner = owner_of(*job.tenant, job.generation);
    if (!owner) return tl::unexpected(std::move(owner.error()));
    incoming.owner = *owner;
  }
  incoming.envelope = envelope_of(job, incoming.owner.generation);
  if (auto size = check_payload_size(job, incoming.envelope.size(), facts_.payload_max); !size)
    return tl::unexpected(std::move(size.error()));
  return incoming;
}

Result<SqliteWriter::Owner> SqliteWriter::owner_of(const TenantName& name, Generation wanted) {
  auto known = owners_.find(name);
  if (known == owners_.end()) {
    auto row = connection_.statement(kLiveTenant);
    if (row.bind(name.text()).step() && static_cast<TenantState>(row.integer(2)) != TenantState::draining)
      known = owners_.emplace(name, Owner{TenantNumber{row.integer(0)}, Generation{row.integer(1)}}).first;
  }
  if (known != owners_.end() && (wanted.value == 0 || wanted == known->second.generation))
    return known->second;
  const auto tenant = newest_tenant(connection_, name);
  if (!tenant) return unknown_tenant(name);
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

Result<std::optional<Enqueued>> SqliteWriter::existing(const NewJob& job) {
  auto row = connection_.statement(kExistingJob);
  if (!row.bind(bytes_of(job.id)).step()) return std::nullopt;
  const Generation generation{row.integer(4)};
  // "Whatever is live" means what it meant the first time.
  const Generation wanted = job.generation.value == 0 ? generation : job.generation;
  const bool is_same = row.integer(1) == job.priority.value && row.text(2) == job.queue &&
                       row.text(3) == job.kind && as_text(row.blob(5)) == envelope_of(job, wanted);
  if (!is_same) return id_conflict(job.id);
  return Enqueued{job.id, JobSeq{row.integer(0)}, generation, true, {}};
}

void SqliteWriter::insert_payload(JobSeq seq, std::string_view envelope) {
  connection_.statement(kInsertPayload).bind(seq.value, as_bytes(envelope)).run();
}

std::vector<const Query*> enqueue_queries() {
  return {&kLiveTenant, &kInsertJob, &kInsertPayload, &kExistingJob};
}

}  // namespace tenure::queue
