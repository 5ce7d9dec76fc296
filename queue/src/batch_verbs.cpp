#include "batch_verbs.hpp"

#include "job_rules.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::array kMoments{BatchMoment::complete, BatchMoment::success};
constexpr std::size_t kBatchesRead = 500;

tl::unexpected<Failure> no_such_batch(BatchId id) {
  return fail(ErrorCode::record_not_found, fmt::format("there is no batch {}", id.text()));
}

std::int64_t& count_of(BatchCounts& counts, JobState state) {
  switch (state) {
    case JobState::succeeded:
      return counts.succeeded;
    case JobState::dead:
      return counts.dead;
    case JobState::discarded:
      return counts.discarded;
    case JobState::scheduled:
    case JobState::ready:
    case JobState::blocked:
    case JobState::cancelled:
      break;
  }
  return counts.cancelled;
}

Result<void> check_name_of(const NewBatch& batch) {
  const bool has_control =
      std::ranges::any_of(batch.name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (batch.name.size() > kBatchNameMax || has_control || !is_utf8(batch.name))
    return fail(ErrorCode::bad_options,
                fmt::format("the name of a batch has at most {} bytes of UTF-8, and no control characters",
                            kBatchNameMax));
  if (batch.id == BatchId{}) return fail(ErrorCode::bad_options, "the zero id names no batch");
  return {};
}

const std::optional<BatchCallback>& callback_in(const NewBatch& batch, BatchMoment moment) {
  return moment == BatchMoment::complete ? batch.on_complete : batch.on_success;
}

}  // namespace

void tell(const std::vector<BatchNews>& news) {
  for (const BatchNews& each : news) switch (each.what) {
      case BatchNews::What::complete:
        log::write(log::Level::info, "batch.complete", each.text);
        break;
      case BatchNews::What::late_job:
        log::write(log::Level::warning, "batch.late_job", each.text);
        break;
      case BatchNews::What::callback_refused:
        log::write(log::Level::warning, "batch.callback_refused", each.text);
        break;
    }
}

// --- Reading.

std::optional<CallbackRecord> BatchQuestions::callback_record(BatchNumber batch, BatchMoment moment) {
  const auto row = rows_.callback(batch, moment);
  if (!row) return std::nullopt;
  return CallbackRecord{row->job.id, row->job.kind, row->enqueued, row->refused};
}

BatchRecord BatchQuestions::record_of(const BatchRow& row) {
  BatchRecord record{.number = row.number,
                     .id = row.id,
                     .name = row.name,
                     .created = row.created,
                     .closed = row.closed,
                     .completed = row.completed,
                     .succeeded = row.succeeded,
                     .cancelled = row.cancelled,
                     .counts = row.counts,
                     .on_complete = callback_record(row.number, BatchMoment::complete),
                     .on_success = callback_record(row.number, BatchMoment::success)};
  if (const auto tenant = rows_.tenant(row.tenant)) {
    record.tenant = tenant->name;
    record.generation = tenant->generation;
  }
  return record;
}

std::vector<BatchRecord> BatchQuestions::batches(const std::optional<BatchNumber>& before,
                                                 std::size_t limit) {
  std::vector<BatchRecord> records;
  for (const BatchRow& row : rows_.newest(before, limit)) records.push_back(record_of(row));
  return records;
}

std::optional<BatchRecord> BatchQuestions::batch(BatchId id) {
  const auto row = rows_.named(id);
  return row ? std::optional{record_of(*row)} : std::nullopt;
}

std::vector<JobId> BatchQuestions::unended_members(BatchId id, std::size_t limit) {
  const auto row = rows_.named(id);
  return row && row->counts.unended() > 0 ? rows_.unended(row->number, limit) : std::vector<JobId>{};
}

std::optional<CallbackOf> BatchQuestions::callback_of(JobId job) {
  const auto callback = rows_.callback_named(job);
  const auto row = callback ? rows_.numbered(callback->batch) : std::nullopt;
  return row ? std::optional{CallbackOf{row->id, callback->moment}} : std::nullopt;
}

std::vector<MiscountedBatch> BatchQuestions::miscounted(std::size_t limit) {
  std::vector<MiscountedBatch> wrong;
  const auto counted = rows_.counted();
  std::optional<BatchNumber> before;
  for (auto page = rows_.newest(before, kBatchesRead); !page.empty() && wrong.size() < limit;
       page = rows_.newest(before, kBatchesRead)) {
    for (const BatchRow& row : page) {
      const auto members = counted.find(row.number);
      BatchCounts found = members == counted.end() ? BatchCounts{} : members->second;
      // What was removed had ended, and as what only the row knows.
      const BatchCounts& said = row.counts;
      const std::int64_t removed = said.members - said.present;
      const bool is_right = found.present == said.present && removed >= 0 &&
                            said.ended() - found.ended() == removed && said.succeeded >= found.succeeded &&
                            said.dead >= found.dead && said.discarded >= found.discarded &&
                            said.cancelled >= found.cancelled;
      found.members = found.present + removed;
      if (!is_right && wrong.size() < limit) wrong.push_back({row.id, said, found});
    }
    before = page.back().number;
  }
  return wrong;
}

std::optional<BatchId> BatchQuestions::batch_of(JobSeq seq) {
  const auto member = rows_.has_members() ? rows_.member(seq) : std::nullopt;
  const auto row = member ? rows_.numbered(member->batch) : std::nullopt;
  return row ? std::optional{row->id} : std::nullopt;
}

// --- Opening and closing.

Result<BatchRow> BatchVerbs::found(BatchId id) {
  auto row = rows_.named(id);
  if (!row) return no_such_batch(id);
  return std::move(*row);
}

Result<void> BatchVerbs::add_callback(const BatchRow& row, const NewBatch& batch, Generation generation,
                                      BatchMoment moment) {
  const auto& asked = callback_in(batch, moment);
  if (!asked) return {};
  CallbackRow callback{.batch = row.number,
                       .moment = moment,
                       .job = asked->job,
                       .run_in = asked->run_in,
                       .start_within = asked->start_within,
                       .envelope = {},
                       .enqueued = {},
                       .refused = {}};
  NewJob& job = callback.job;
  job.id = job_id_of_callback(row.id, moment);
  job.tenant = batch.tenant;
  job.generation = generation;
  job.batch.reset();
  if (auto fits = check_new_job(job); !fits) return fits;
  if (job.unique)
    return fail(ErrorCode::bad_options,
                fmt::format("the callback for {} states a unique key: who has it already would keep it from "
                            "being made",
                            name_of(moment)));
  auto envelope = rows_.envelope_of_callback(job);
  if (!envelope) return tl::unexpected(std::move(envelope.error()));
  callback.envelope = std::move(*envelope);
  rows_.insert_callback(callback);
  return {};
}

// A lost answer is asked for again when its tenant may have gone since; where the tenant is there again, whatever is live is the new one,
// which no batch of the old one can take jobs of.
bool BatchVerbs::is_same(const BatchRow& former, const NewBatch& batch) {
  const auto owner = rows_.tenant(former.tenant);
  if (former.name != batch.name || owner.has_value() != batch.tenant.has_value()) return false;
  if (!owner) return true;
  if (owner->name != *batch.tenant) return false;
  if (batch.generation.value != 0) return batch.generation == owner->generation;
  TenantNumber number{0};
  const auto live = rows_.live_owner(batch.tenant, Generation{0}, number);
  return !live || *live == owner->generation;
}

Result<OpenedBatch> BatchVerbs::open(const NewBatch& batch, WallTime now) {
  if (auto fits = check_name_of(batch); !fits) return tl::unexpected(std::move(fits.error()));
  TenantNumber tenant{0};
  const auto former = rows_.named(batch.id);
  if (former) {
    if (is_same(*former, batch)) return OpenedBatch{former->number, true};
    return fail(
        ErrorCode::id_conflict,
        fmt::format("there is a batch {} of another tenant, another generation of it, or another name",
                    batch.id.text()));
  }
  const auto generation = rows_.live_owner(batch.tenant, batch.generation, tenant);
  if (!generation) return tl::unexpected(generation.error());
  BatchRow row{.number = {},
               .id = batch.id,
               .tenant = tenant,
               .name = batch.name,
               .created = now,
               .closed = {},
               .completed = {},
               .succeeded = {},
               .cancelled = {},
               .counts = {}};
  row.number = rows_.insert(row);
  for (const BatchMoment moment : kMoments)
    if (auto added = add_callback(row, batch, *generation, moment); !added) {
      rows_.erase(row.number);
      return tl::unexpected(std::move(added.error()));
    }
  return OpenedBatch{row.number, false};
}

Result<void> BatchVerbs::close(BatchId id, WallTime now) {
  auto row = found(id);
  if (!row) return tl::unexpected(row.error());
  if (!row->closed && rows_.is_visiting(row->number))
    return fail(ErrorCode::state_changed,
                fmt::format("batch {} is a fan-out's, which closes it behind its last tenant", id.text()));
  close_row(*row, now);
  return {};
}

void BatchVerbs::close_by_fan_out(BatchNumber number, WallTime now) {
  if (auto row = rows_.numbered(number)) close_row(*row, now);
}

void BatchVerbs::close_row(BatchRow& row, WallTime now) {
  if (row.closed) return;
  row.closed = now;
  rows_.update(row);
  settle(row, now);
}

Result<void> BatchVerbs::cancel(BatchId id, WallTime now) {
  auto row = found(id);
  if (!row) return tl::unexpected(row.error());
  if (row->completed)
    return fail(ErrorCode::state_changed, fmt::format("batch {} is complete already", id.text()));
  if (!row->closed) row->closed = now;
  if (!row->cancelled) row->cancelled = now;
  rows_.update(*row);
  settle(*row, now);
  return {};
}

std::int64_t BatchVerbs::forget(WallTime completed_before, std::size_t limit) {
  const auto left = rows_.left(completed_before, limit);
  for (const BatchNumber number : left) rows_.erase(number);
  return std::ssize(left);
}

// None of its members can end any more, also where a damaged file counts some that have not.
std::int64_t BatchVerbs::end_of(TenantNumber tenant, std::size_t limit, WallTime now) {
  auto open = rows_.incomplete_of(tenant, limit);
  for (BatchRow& row : open) {
    if (!row.closed) row.closed = now;
    if (!row.cancelled) row.cancelled = now;
    rows_.update(row);
    settle(row, now);
    if (row.completed) continue;
    row.completed = now;
    rows_.update(row);
  }
  return std::ssize(open);
}

std::int64_t BatchVerbs::erase_of(TenantNumber tenant, std::size_t limit) {
  const auto all = rows_.all_of(tenant, limit);
  for (const BatchNumber number : all) rows_.erase(number);
  return std::ssize(all);
}

// --- Members.

Result<std::optional<BatchNumber>> BatchVerbs::joined_by(const NewJob& job, TenantNumber tenant, JoinBy by) {
  if (!job.batch) return std::nullopt;
  const auto row = rows_.named(*job.batch);
  const bool is_theirs = row && (row->tenant == kUntenanted || row->tenant == tenant);
  if (row && !is_theirs && by != JoinBy::outbox)
    return fail(
        ErrorCode::wrong_tenant,
        fmt::format("batch {} is of another tenant, or of another generation of it", job.batch->text()),
        job.tenant ? job.tenant->text() : std::string{}, "batch");
  if (by == JoinBy::outbox) {
    if (is_theirs && !row->completed) return row->number;
    news_.push_back(
        {BatchNews::What::late_job,
         fmt::format("job {} of tenant {} comes out of its database into no batch: {} {}", job.id.text(),
                     job.tenant ? job.tenant->text() : std::string{"none"}, job.batch->text(),
                     !row         ? "is not there"
                     : !is_theirs ? "is of another tenant, or of another generation of it"
                                  : "was complete before")});
    return std::nullopt;
  }
  if (!row) return no_such_batch(*job.batch);
  if (row->closed)
    return fail(ErrorCode::state_changed,
                fmt::format("batch {} is closed and takes no more jobs", job.batch->text()), {}, "batch");
  return row->number;
}

// Who enqueues a job again that had named such a batch finds it without one.
bool BatchVerbs::may_have_come_late(BatchId id) const {
  const auto row = rows_.named(id);
  return !row || row->completed;
}

bool BatchVerbs::states_same(JobSeq seq, const NewJob& job) {
  const auto member = rows_.has_members() ? rows_.member(seq) : std::nullopt;
  if (!member) return !job.batch || may_have_come_late(*job.batch);
  const auto row = rows_.numbered(member->batch);
  return row && job.batch == row->id;
}

void BatchVerbs::join(JobSeq seq, BatchNumber batch) {
  auto row = rows_.numbered(batch);
  TENURE_INVARIANT(row && !row->completed);
  rows_.add_member(seq, batch);
  ++row->counts.members;
  ++row->counts.present;
  rows_.count(*row);
}

void BatchVerbs::ended(JobSeq seq, JobState state, WallTime now) {
  if (!rows_.has_members()) return;
  const auto member = rows_.member(seq);
  if (!member || member->ended) return;
  auto row = rows_.numbered(member->batch);
  if (!row) return;  // a damaged file's
  rows_.set_ended(seq, state);
  ++count_of(row->counts, state);
  rows_.count(*row);
  settle(*row, now);
}

void BatchVerbs::revived(JobSeq seq) {
  if (!rows_.has_members()) return;
  const auto member = rows_.member(seq);
  if (!member || !member->ended) return;
  auto row = rows_.numbered(member->batch);
  if (!row) return;
  rows_.set_ended(seq, std::nullopt);
  --count_of(row->counts, *member->ended);
  rows_.count(*row);
}

void BatchVerbs::removed(JobSeq seq) {
  if (!rows_.has_members()) return;
  const auto member = rows_.member(seq);
  if (!member) return;
  rows_.remove_member(seq);
  auto row = rows_.numbered(member->batch);
  if (!row) return;
  --row->counts.present;
  if (!member->ended) ++row->counts.discarded;  // a damaged file's: nothing that can still run is removed
  rows_.update(*row);
  // Nobody tells when: it could have been then.
  if (!member->ended && row->closed) settle(*row, *row->closed);
}

// --- What becomes of it.

void BatchVerbs::settle(BatchRow& row, WallTime now) {
  const bool have_all_ended = row.closed && row.counts.unended() <= 0;
  const bool is_first = have_all_ended && !row.completed;
  const bool have_all_succeeded =
      have_all_ended && !row.succeeded && !row.cancelled && row.counts.succeeded == row.counts.members;
  if (is_first) row.completed = now;
  if (have_all_succeeded) row.succeeded = now;
  if (is_first || have_all_succeeded) rows_.update(row);
  if (is_first) {
    news_.push_back(
        {BatchNews::What::complete,
         fmt::format(
             "{} is complete: of {} members {} have succeeded, {} are dead, {} discarded, {} cancelled",
             text_of(row), row.counts.members, row.counts.succeeded, row.counts.dead, row.counts.discarded,
             row.counts.cancelled)});
    fire(row, BatchMoment::complete, now);
  }
  if (have_all_succeeded) fire(row, BatchMoment::success, now);
}

// Whatever refuses it now does so for good: its tenant is going or gone, or of another generation.
void BatchVerbs::fire(const BatchRow& row, BatchMoment moment, WallTime now) {
  auto callback = rows_.callback(row.number, moment);
  if (!callback) return;
  NewJob job = callback->job;
  job.due = now + callback->run_in;
  if (callback->start_within.count() > 0) job.start_before = job.due + callback->start_within;
  const auto made = rows_.enqueue_callback(job, callback->envelope, now);
  if (made) {
    callback->enqueued = now;
    has_made_jobs_ = true;
  } else {
    callback->refused = made.error().text();
    news_.push_back({BatchNews::What::callback_refused,
                     fmt::format("the callback of {} for {} could not be enqueued, and will not be: {}",
                                 text_of(row), name_of(moment), callback->refused)});
  }
  rows_.update_callback(*callback);
}

std::string BatchVerbs::text_of(const BatchRow& row) {
  const auto tenant = rows_.tenant(row.tenant);
  return fmt::format("batch {}{}{}", row.id.text(), tenant ? " of tenant " + tenant->name.text() : "",
                     row.name.empty() ? "" : ", " + escaped(row.name));
}

}  // namespace tenure::queue
