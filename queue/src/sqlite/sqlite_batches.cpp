#include "sqlite_batches.hpp"

#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "key_rows.hpp"
#include "sqlite_fan_outs.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

#include <limits>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 id. Index: unique id.
constexpr Query kBatchNamed{"batch_named", R"sql(
  select number, id, tenant, name, created_us, closed_us, completed_us, succeeded_us, cancelled_us, members, present, succeeded,
    dead, discarded, cancelled from batch where id = ?1)sql"};
// ?1 number. Index: primary key.
constexpr Query kBatchNumbered{"batch_numbered", R"sql(
  select number, id, tenant, name, created_us, closed_us, completed_us, succeeded_us, cancelled_us, members, present, succeeded,
    dead, discarded, cancelled from batch where number = ?1)sql"};
// ?1 number before  ?2 limit. Index: primary key.
constexpr Query kNewestBatches{"newest_batches", R"sql(
  select number, id, tenant, name, created_us, closed_us, completed_us, succeeded_us, cancelled_us, members, present, succeeded,
    dead, discarded, cancelled from batch where number < ?1 order by number desc limit ?2)sql"};

// ?1 tenant  ?2 limit. Index: batch_open; few rows.
constexpr Query kIncompleteOfTenant{"incomplete_batches_of_tenant", R"sql(
  select number, id, tenant, name, created_us, closed_us, completed_us, succeeded_us, cancelled_us, members, present, succeeded,
    dead, discarded, cancelled from batch indexed by batch_open
  where completed_us is null and tenant = ?1 order by number limit ?2)sql"};
// A scan of the batches. ?1 tenant  ?2 limit.
constexpr Query kBatchesOfTenant{"batches_of_tenant", "select number from batch where tenant = ?1 limit ?2"};

// ?1 id  ?2 tenant  ?3 name  ?4 created_us
constexpr Query kInsertBatch{
    "insert_batch",
    "insert into batch(id, tenant, name, created_us) values (?1, ?2, ?3, ?4) returning number"};
// ?1 number  ?2 to ?5 times. Index: primary key.
constexpr Query kUpdateBatch{"update_batch", R"sql(
  update batch set closed_us = ?2, completed_us = ?3, succeeded_us = ?4, cancelled_us = ?5 where number = ?1)sql"};
// ?1 number  ?2 to ?7 counts. Index: primary key.
constexpr Query kCountInBatch{"count_in_batch", R"sql(
  update batch set members = ?2, present = ?3, succeeded = ?4, dead = ?5, discarded = ?6, cancelled = ?7 where number = ?1)sql"};
// ?1 number. Index: primary keys.
constexpr Query kDeleteBatch{"delete_batch", "delete from batch where number = ?1"};
constexpr Query kDeleteCallbacks{"delete_callbacks", "delete from batch_callback where batch = ?1"};
// ?1 completed_us  ?2 limit. Index: batch_left.
constexpr Query kBatchesLeft{"batches_left", R"sql(
  select number from batch indexed by batch_left
  where completed_us is not null and present = 0 and completed_us < ?1 order by completed_us limit ?2)sql"};

// Index: batch_open; few rows.
constexpr Query kOpenBatches{"open_batches", R"sql(
  select id, created_us, closed_us is null, exists (select 1 from fan_out where fan_out.batch = batch.number)
  from batch indexed by batch_open where completed_us is null order by number)sql"};

// ?1 batch  ?2 moment. Index: primary key.
constexpr Query kCallback{"batch_callback", R"sql(
  select batch, moment, job, queue, kind, priority, attempts_max, run_in_us, start_within_us, concurrency, running_max, enqueued_us,
    refused, envelope from batch_callback where batch = ?1 and moment = ?2)sql"};
// ?1 job. Index: unique job.
constexpr Query kCallbackNamed{"batch_callback_named", R"sql(
  select batch, moment, job, queue, kind, priority, attempts_max, run_in_us, start_within_us, concurrency, running_max, enqueued_us,
    refused, envelope from batch_callback where job = ?1)sql"};
// ?1 batch  ?2 moment  ?3 job  ?4 queue  ?5 kind  ?6 priority  ?7 attempts_max  ?8 run_in_us  ?9 start_within_us  ?10 concurrency
// ?11 running_max  ?12 envelope
constexpr Query kInsertCallback{"insert_callback", R"sql(
  insert into batch_callback(batch, moment, job, queue, kind, priority, attempts_max, run_in_us, start_within_us, concurrency,
                             running_max, envelope)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12))sql"};
// ?1 batch  ?2 moment  ?3 enqueued_us  ?4 refused. Index: primary key.
constexpr Query kUpdateCallback{"update_callback", R"sql(
  update batch_callback set enqueued_us = ?3, refused = ?4 where batch = ?1 and moment = ?2)sql"};

// Index: primary key.
constexpr Query kHasMembers{"has_batch_members", "select exists (select 1 from batch_job)"};
// ?1 seq. Index: primary key.
constexpr Query kMember{"batch_member", "select batch, ended from batch_job where seq = ?1"};
// In place of what a damaged file has left of a job that is gone. ?1 seq  ?2 batch. Index: primary key.
constexpr Query kInsertMember{"insert_member",
                              "insert or replace into batch_job(seq, batch, ended) values (?1, ?2, 0)"};
constexpr Query kUpdateMember{"update_member", "update batch_job set ended = ?2 where seq = ?1"};
constexpr Query kDeleteMember{"delete_member", "delete from batch_job where seq = ?1"};
// ?1 batch  ?2 limit. Index: batch_job_member, primary keys.
constexpr Query kUnendedMembers{"unended_members", R"sql(
  select job.id from batch_job indexed by batch_job_member cross join job on job.seq = batch_job.seq
  where batch_job.batch = ?1 and batch_job.ended = 0 order by batch_job.seq limit ?2)sql"};
// By the jobs themselves, of which those that have succeeded a moment ago stand in `ended`: it is read whole, and so are all members.
constexpr Query kCountMembers{"count_members", R"sql(
  select batch, count(*), sum(state = 4), sum(state = 5), sum(state = 6), sum(state = 7)
  from (
    select batch_job.batch as batch,
      case when job.state >= 4 then job.state when job.seq in (select seq from ended) then 4 else 0 end as state
    from batch_job cross join job on job.seq = batch_job.seq)
  group by batch)sql"};
// ?1 batch  ?2 seq before, and ?3 end, both excluded  ?4 limit. Index: batch_job_member.
constexpr Query kMembersOldest{"members_oldest", R"sql(
  select seq, ended from batch_job indexed by batch_job_member
  where batch = ?1 and seq > ?2 and seq < ?3 order by seq limit ?4)sql"};
constexpr Query kMembersNewest{"members_newest", R"sql(
  select seq, ended from batch_job indexed by batch_job_member
  where batch = ?1 and seq > ?2 and seq < ?3 order by seq desc limit ?4)sql"};

static_assert(static_cast<int>(JobState::succeeded) == 4 && static_cast<int>(JobState::cancelled) == 7,
              "the query says so");

std::span<const std::byte> bytes_of_uuid(const Uuid& uuid) { return std::as_bytes(std::span{uuid.bytes()}); }

std::optional<std::int64_t> us_or_null(const std::optional<WallTime>& time) {
  return time ? std::optional{to_us(*time)} : std::nullopt;
}

std::optional<WallTime> time_or_none(const sqlite::Statement& row, int column) {
  const auto us = row.optional_integer(column);
  return us ? std::optional{from_us(*us)} : std::nullopt;
}

BatchRow batch_in(const sqlite::Statement& row) {
  BatchRow batch;
  batch.number = BatchNumber{row.integer(0)};
  if (const auto id = Uuid::from_bytes(row.blob(1))) batch.id = BatchId{*id};
  batch.tenant = TenantNumber{row.integer(2)};
  batch.name = row.text(3);
  batch.created = from_us(row.integer(4));
  batch.closed = time_or_none(row, 5);
  batch.completed = time_or_none(row, 6);
  batch.succeeded = time_or_none(row, 7);
  batch.cancelled = time_or_none(row, 8);
  batch.counts = {.members = row.integer(9),
                  .present = row.integer(10),
                  .succeeded = row.integer(11),
                  .dead = row.integer(12),
                  .discarded = row.integer(13),
                  .cancelled = row.integer(14)};
  return batch;
}

CallbackRow callback_in(const sqlite::Statement& row) {
  CallbackRow callback;
  callback.batch = BatchNumber{row.integer(0)};
  callback.moment = row.integer(1) == 2 ? BatchMoment::success : BatchMoment::complete;
  NewJob& job = callback.job;
  if (const auto id = Uuid::from_bytes(row.blob(2))) job.id = JobId{*id};
  job.queue = row.text(3);
  job.kind = row.text(4);
  job.priority = Priority{clamped(row.integer(5))};
  job.attempts_max = clamped(row.integer(6));
  callback.run_in = std::chrono::microseconds{row.integer(7)};
  callback.start_within = std::chrono::microseconds{row.integer(8)};
  if (const std::string key{row.text(9)}; !key.empty())
    job.concurrency = stated_concurrency({key, row.integer(10)});
  callback.enqueued = time_or_none(row, 11);
  callback.refused = row.text(12);
  callback.envelope = as_text(row.blob(13));
  return callback;
}

}  // namespace

std::optional<BatchRow> SqliteBatchRows::named(BatchId id) {
  auto row = connection_.statement(kBatchNamed);
  return row.bind(bytes_of_uuid(id.uuid)).step() ? std::optional{batch_in(row)} : std::nullopt;
}

std::optional<BatchRow> SqliteBatchRows::numbered(BatchNumber number) {
  auto row = connection_.statement(kBatchNumbered);
  return row.bind(number.value).step() ? std::optional{batch_in(row)} : std::nullopt;
}

std::vector<BatchRow> SqliteBatchRows::newest(const std::optional<BatchNumber>& before, std::size_t limit) {
  std::vector<BatchRow> rows;
  auto row = connection_.statement(kNewestBatches);
  row.bind(before ? before->value : std::numeric_limits<std::int64_t>::max(), limit);
  while (row.step()) rows.push_back(batch_in(row));
  return rows;
}

std::optional<CallbackRow> SqliteBatchRows::callback(BatchNumber batch, BatchMoment moment) {
  auto row = connection_.statement(kCallback);
  if (!row.bind(batch.value, static_cast<int>(moment)).step()) return std::nullopt;
  return callback_in(row);
}

std::optional<CallbackRow> SqliteBatchRows::callback_named(JobId job) {
  auto row = connection_.statement(kCallbackNamed);
  return row.bind(bytes_of_uuid(job.uuid)).step() ? std::optional{callback_in(row)} : std::nullopt;
}

std::vector<JobId> SqliteBatchRows::unended(BatchNumber batch, std::size_t limit) {
  std::vector<JobId> jobs;
  auto row = connection_.statement(kUnendedMembers);
  row.bind(batch.value, limit);
  while (row.step())
    if (const auto id = Uuid::from_bytes(row.blob(0))) jobs.push_back(JobId{*id});
  return jobs;
}

BatchCensus SqliteBatchRows::census() {
  BatchCensus census;
  auto row = connection_.statement(kOpenBatches);
  while (row.step()) {
    const bool is_open = row.integer(2) != 0;
    ++(is_open ? census.open : census.closed);
    // One of a fan-out is open as long as there are tenants to visit.
    if (!is_open || row.integer(3) != 0 || census.oldest_open) continue;
    census.oldest_open = from_us(row.integer(1));
    if (const auto id = Uuid::from_bytes(row.blob(0))) census.oldest_open_id = BatchId{*id};
  }
  return census;
}

std::optional<TenantRecord> SqliteBatchRows::tenant(TenantNumber number) {
  return number == kUntenanted ? std::nullopt : tenant_numbered(connection_, number);
}

std::map<BatchNumber, BatchCounts> SqliteBatchRows::counted() {
  std::map<BatchNumber, BatchCounts> counted;
  auto row = connection_.statement(kCountMembers);
  while (row.step())
    counted[BatchNumber{row.integer(0)}] = {.members = 0,
                                            .present = row.integer(1),
                                            .succeeded = row.integer(2),
                                            .dead = row.integer(3),
                                            .discarded = row.integer(4),
                                            .cancelled = row.integer(5)};
  return counted;
}

bool SqliteBatchRows::has_members() {
  if (!has_members_) has_members_ = connection_.statement(kHasMembers).row().integer(0) != 0;
  return *has_members_;
}

std::optional<MemberRow> SqliteBatchRows::member(JobSeq seq) {
  auto row = connection_.statement(kMember);
  if (!row.bind(seq.value).step()) return std::nullopt;
  MemberRow member{.batch = BatchNumber{row.integer(0)}, .ended = {}};
  if (is_final_row(row.integer(1))) member.ended = job_state_of(row.integer(1));
  return member;
}

Result<Generation> SqliteBatchRows::live_owner(const std::optional<TenantName>& tenant, Generation wanted,
                                               TenantNumber& number) {
  number = kUntenanted;
  if (!tenant) return Generation{0};
  const auto owner = writer_->owner_of(*tenant, wanted);
  if (!owner) return tl::unexpected(owner.error());
  number = owner->number;
  return owner->generation;
}

Result<std::string> SqliteBatchRows::envelope_of_callback(const NewJob& job) {
  if (auto keys = writer_->check_own_keys(); !keys) return tl::unexpected(std::move(keys.error()));
  auto incoming = writer_->look_up(job, writer_->keys_);
  if (!incoming) return tl::unexpected(std::move(incoming.error()));
  // So that there is room for them when it is enqueued.
  if (const auto names = writer_->intern(job); !names) return tl::unexpected(names.error());
  return std::move(incoming->envelope);
}

Result<Enqueued> SqliteBatchRows::enqueue_callback(const NewJob& job, const std::string& envelope,
                                                   WallTime now) {
  return writer_->enqueue_callback(job, envelope, now);
}

BatchNumber SqliteBatchRows::insert(const BatchRow& row) {
  auto statement = connection_.statement(kInsertBatch);
  statement.bind(bytes_of_uuid(row.id.uuid), row.tenant.value, std::string_view{row.name},
                 to_us(row.created));
  return BatchNumber{statement.row().integer(0)};
}

void SqliteBatchRows::update(const BatchRow& row) {
  connection_.statement(kUpdateBatch)
      .bind(row.number.value, us_or_null(row.closed), us_or_null(row.completed), us_or_null(row.succeeded),
            us_or_null(row.cancelled))
      .run();
  count(row);
}

void SqliteBatchRows::count(const BatchRow& row) {
  const BatchCounts& counts = row.counts;
  connection_.statement(kCountInBatch)
      .bind(row.number.value, counts.members, counts.present, counts.succeeded, counts.dead, counts.discarded,
            counts.cancelled)
      .run();
}

void SqliteBatchRows::insert_callback(const CallbackRow& row) {
  const NewJob& job = row.job;
  const StoredConcurrency key =
      job.concurrency
          ? StoredConcurrency{stored_key(kUntenanted, job.concurrency->key, job.concurrency->is_global),
                              job.concurrency->running_max}
          : StoredConcurrency{};
  connection_.statement(kInsertCallback)
      .bind(row.batch.value, static_cast<int>(row.moment), bytes_of_uuid(job.id.uuid),
            std::string_view{job.queue}, std::string_view{job.kind}, job.priority.value, job.attempts_max,
            row.run_in.count(), row.start_within.count(), std::string_view{key.key}, key.running_max,
            as_bytes(row.envelope))
      .run();
}

void SqliteBatchRows::update_callback(const CallbackRow& row) {
  connection_.statement(kUpdateCallback)
      .bind(row.batch.value, static_cast<int>(row.moment), us_or_null(row.enqueued),
            std::string_view{row.refused})
      .run();
}

void SqliteBatchRows::add_member(JobSeq seq, BatchNumber batch) {
  connection_.statement(kInsertMember).bind(seq.value, batch.value).run();
  has_members_ = true;
}

void SqliteBatchRows::set_ended(JobSeq seq, std::optional<JobState> ended) {
  connection_.statement(kUpdateMember).bind(seq.value, ended ? static_cast<int>(*ended) : 0).run();
}

void SqliteBatchRows::remove_member(JobSeq seq) {
  connection_.statement(kDeleteMember).bind(seq.value).run();
}

std::vector<BatchNumber> SqliteBatchRows::left(WallTime completed_before, std::size_t limit) {
  std::vector<BatchNumber> numbers;
  auto row = connection_.statement(kBatchesLeft);
  row.bind(to_us(completed_before), limit);
  while (row.step()) numbers.push_back(BatchNumber{row.integer(0)});
  return numbers;
}

std::vector<BatchRow> SqliteBatchRows::incomplete_of(TenantNumber tenant, std::size_t limit) {
  std::vector<BatchRow> rows;
  auto row = connection_.statement(kIncompleteOfTenant);
  row.bind(tenant.value, limit);
  while (row.step()) rows.push_back(batch_in(row));
  return rows;
}

std::vector<BatchNumber> SqliteBatchRows::all_of(TenantNumber tenant, std::size_t limit) {
  std::vector<BatchNumber> numbers;
  auto row = connection_.statement(kBatchesOfTenant);
  row.bind(tenant.value, limit);
  while (row.step()) numbers.push_back(BatchNumber{row.integer(0)});
  return numbers;
}

bool SqliteBatchRows::is_visiting(BatchNumber number) { return queue::is_visiting(connection_, number); }

void SqliteBatchRows::erase(BatchNumber number) {
  forget_fan_out(connection_, number);
  connection_.statement(kDeleteCallbacks).bind(number.value).run();
  connection_.statement(kDeleteBatch).bind(number.value).run();
}

std::vector<SqliteBatchRows::Member> SqliteBatchRows::members(BatchNumber batch, const ListOptions& options,
                                                              const std::optional<JobSeq>& after,
                                                              std::size_t limit) {
  const bool oldest_first = options.order == ListOrder::oldest_first;
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  std::vector<Member> members;
  auto row = connection_.statement(oldest_first ? kMembersOldest : kMembersNewest);
  row.bind(batch.value, oldest_first && after ? after->value : std::int64_t{0},
           !oldest_first && after ? after->value : kLast, limit);
  while (row.step()) {
    members.push_back({JobSeq{row.integer(0)}, std::nullopt});
    if (is_final_row(row.integer(1))) members.back().ended = job_state_of(row.integer(1));
  }
  return members;
}

std::vector<const Query*> batch_queries() {
  return {&kBatchNamed,   &kBatchNumbered, &kNewestBatches,   &kInsertBatch,        &kUpdateBatch,
          &kCountInBatch, &kDeleteBatch,   &kDeleteCallbacks, &kBatchesLeft,        &kOpenBatches,
          &kCallback,     &kCallbackNamed, &kInsertCallback,  &kUpdateCallback,     &kHasMembers,
          &kMember,       &kInsertMember,  &kUpdateMember,    &kDeleteMember,       &kUnendedMembers,
          &kCountMembers, &kMembersOldest, &kMembersNewest,   &kIncompleteOfTenant, &kBatchesOfTenant};
}

}  // namespace tenure::queue
