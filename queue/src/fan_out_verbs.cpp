#include "fan_out_verbs.hpp"

#include "job_rules.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::size_t kFanOutsRead = 500;

tl::unexpected<Failure> no_such_fan_out(BatchId id) {
  return fail(ErrorCode::record_not_found, fmt::format("there is no fan-out {}", id.text()));
}

Result<void> check_fan_out(const NewFanOut& fan_out) {
  const bool has_control =
      std::ranges::any_of(fan_out.key, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (fan_out.key.size() > kFanOutKeyMax || has_control || !is_utf8(fan_out.key))
    return fail(ErrorCode::bad_options,
                fmt::format("the key of a fan-out has at most {} bytes of UTF-8, and no control characters",
                            kFanOutKeyMax));
  if (fan_out.window.count() < 0 || fan_out.window > kFanOutWindowMax)
    return fail(ErrorCode::bad_options, "tenants are visited over at most 7 days");
  if (fan_out.rate && (fan_out.rate->starts < 1 || fan_out.rate->starts > kRateStartsMax ||
                       fan_out.rate->window < kRateWindowMin || fan_out.rate->window > kRateWindowMax))
    return fail(ErrorCode::bad_options, "the rate of a fan-out is 1 to 1000000 starts in 1 s to 24 h");
  if (fan_out.start_within.count() < 0)
    return fail(ErrorCode::bad_options, "start_within of a fan-out is no negative time");
  return {};
}

// What is of one tenant only, and takes nothing from the others.
bool is_of_tenant(ErrorCode code) {
  return code == ErrorCode::tenant_deleted || code == ErrorCode::tenant_does_not_exist ||
         code == ErrorCode::stale_generation || code == ErrorCode::tenant_not_ready;
}

OpenFanOut open_of(const FanOutRow& row, const BatchRow& batch) {
  return {.number = row.batch,
          .id = batch.id,
          .name = batch.name,
          .started = batch.created,
          .window = row.window,
          .rate = row.rate,
          .tenants = row.tenants,
          .visited = row.visited,
          .after = row.after,
          .is_cancelled = batch.cancelled.has_value(),
          .cancelled_until = row.cancelled_until};
}

}  // namespace

// --- Reading.

std::optional<FanOutRow> FanOutQuestions::row_of(BatchId id) {
  const auto batch = batch_rows_.named(id);
  return batch ? rows_.of(batch->number) : std::nullopt;
}

std::optional<FanOutRecord> FanOutQuestions::record_of(BatchNumber number) {
  const auto row = rows_.of(number);
  const auto batch_row = row ? batch_rows_.numbered(number) : std::nullopt;
  auto batch = batch_row ? batches_.batch(batch_row->id) : std::nullopt;
  if (!batch) return std::nullopt;
  return FanOutRecord{.batch = std::move(*batch),
                      .key = row->key,
                      .kind = row->job.kind,
                      .queue = row->job.queue,
                      .window = row->window,
                      .rate = row->rate,
                      .tenants = row->tenants,
                      .visited = row->visited,
                      .made = row->made,
                      .skipped = row->skipped,
                      .is_under_way = row->is_under_way,
                      .problem = row->problem};
}

std::vector<FanOutRecord> FanOutQuestions::fan_outs(const std::optional<BatchNumber>& before,
                                                    std::size_t limit) {
  std::vector<FanOutRecord> records;
  for (const BatchNumber number : rows_.newest(before, limit))
    if (auto record = record_of(number)) records.push_back(std::move(*record));
  return records;
}

std::optional<FanOutRecord> FanOutQuestions::fan_out(BatchId id) {
  const auto row = row_of(id);
  auto record = row ? record_of(row->batch) : std::nullopt;
  if (!record) return std::nullopt;
  record->skips = rows_.skips(row->batch);
  if (row->vanished > 0) record->skips[FanOutSkip::gone] += row->vanished;
  return record;
}

std::vector<SkippedTenant> FanOutQuestions::skipped(BatchId id, TenantNumber after, std::size_t limit) {
  const auto row = row_of(id);
  return row ? rows_.skipped(row->batch, after, limit) : std::vector<SkippedTenant>{};
}

std::vector<FanOutJob> FanOutQuestions::jobs(BatchId id, FanOutJobs which, JobSeq after, std::size_t limit) {
  const auto row = row_of(id);
  return row ? rows_.jobs(row->batch, which, after, limit) : std::vector<FanOutJob>{};
}

FanOutCensus FanOutQuestions::fan_out_census() {
  FanOutCensus census;
  for (const BatchNumber number : rows_.under_way()) {
    const auto row = rows_.of(number);
    const auto batch = row ? batch_rows_.numbered(number) : std::nullopt;
    if (!batch) continue;
    ++census.under_way;
    if (!batch->cancelled) census.tenants_left += row->tenants - row->visited;
    if (census.oldest_started) continue;
    census.oldest_started = batch->created;
    census.oldest_under_way = batch->id;
  }
  return census;
}

std::vector<MiscountedFanOut> FanOutQuestions::miscounted_fan_outs(std::size_t limit) {
  std::vector<MiscountedFanOut> wrong;
  std::optional<BatchNumber> before;
  for (auto page = rows_.newest(before, kFanOutsRead); !page.empty() && wrong.size() < limit;
       page = rows_.newest(before, kFanOutsRead)) {
    for (const BatchNumber number : page) {
      const auto row = rows_.of(number);
      const auto batch = batch_rows_.numbered(number);
      std::int64_t found = row->vanished;
      for (const auto& [skip, count] : rows_.skips(number)) found += count;
      const bool is_right = batch && row->visited == row->made + row->skipped && row->skipped == found &&
                            row->visited <= row->tenants;
      if (is_right || wrong.size() == limit) continue;
      wrong.push_back({batch ? batch->id : BatchId{}, row->visited, row->made, row->skipped, found});
    }
    before = page.back();
  }
  return wrong;
}

// --- The start and the end.

std::optional<BatchId> FanOutVerbs::unfinished(std::string_view key) {
  if (key.empty()) return std::nullopt;
  const auto number = rows_.newest_of_key(key);
  const auto batch = number ? batch_rows_.numbered(*number) : std::nullopt;
  return batch && !batch->completed ? std::optional{batch->id} : std::nullopt;
}

Result<std::string> FanOutVerbs::add(const NewFanOut& fan_out, BatchNumber number) {
  FanOutRow row{.batch = number,
                .key = fan_out.key,
                .job = fan_out.job,
                .start_within = fan_out.start_within,
                .window = fan_out.window,
                .rate = fan_out.rate};
  NewJob& job = row.job;
  job.id = JobId{fan_out.id.uuid};
  job.tenant.reset();
  job.generation = {};
  job.batch.reset();
  job.unique.reset();
  if (auto fits = check_new_job(job); !fits) return tl::unexpected(std::move(fits.error()));
  auto envelope = rows_.envelope_of(job);
  if (!envelope) return envelope;
  row.envelope = *envelope;
  const auto registry = rows_.registry();
  row.until = registry.until;
  row.tenants = registry.tenants;
  rows_.insert(row);
  return envelope;
}

Result<StartedFanOut> FanOutVerbs::start(const NewFanOut& fan_out, WallTime now) {
  if (auto fits = check_fan_out(fan_out); !fits) return tl::unexpected(std::move(fits.error()));
  const bool is_there = batch_rows_.named(fan_out.id).has_value();
  if (const auto first = is_there ? std::nullopt : unfinished(fan_out.key))
    return StartedFanOut{*first, true};
  if (!is_there && rows_.under_way().size() >= kFanOutsMax)
    return fail(
        ErrorCode::limit_reached,
        fmt::format("{} fan-outs visit tenants already, and there are no more at a time", kFanOutsMax));
  const auto opened = batches_.open({.id = fan_out.id,
                                     .tenant = {},
                                     .generation = {},
                                     .name = fan_out.name,
                                     .on_complete = fan_out.on_complete,
                                     .on_success = fan_out.on_success},
                                    now);
  if (!opened) return tl::unexpected(opened.error());
  if (opened->existed) {
    if (rows_.of(opened->number)) return StartedFanOut{fan_out.id, true};
    return fail(ErrorCode::id_conflict, fmt::format("{} is a batch and no fan-out", fan_out.id.text()));
  }
  if (auto added = add(fan_out, opened->number); !added) {
    batch_rows_.erase(opened->number);
    return tl::unexpected(std::move(added.error()));
  }
  return StartedFanOut{fan_out.id, false};
}

Result<void> FanOutVerbs::cancel(BatchId id, WallTime now) {
  const auto batch = batch_rows_.named(id);
  auto row = batch ? rows_.of(batch->number) : std::nullopt;
  if (!row) return no_such_fan_out(id);
  if (batch->completed)
    return fail(ErrorCode::state_changed, fmt::format("fan-out {} is complete already", id.text()));
  if (batch->cancelled)
    return fail(ErrorCode::state_changed, fmt::format("fan-out {} is cancelled already", id.text()));
  if (auto cancelled = batches_.cancel(id, now); !cancelled) return cancelled;
  const auto left = batch_rows_.numbered(batch->number);
  row->is_under_way = left && !left->completed;
  rows_.advance(*row);
  rows_.raise_mark();
  return {};
}

// --- What a dispatcher does.

std::optional<OpenFanOuts> FanOutVerbs::open(FanOutsMark known) {
  OpenFanOuts open{.mark = rows_.mark(), .fan_outs = {}};
  if (open.mark == known) return std::nullopt;
  for (const BatchNumber number : rows_.under_way()) {
    const auto row = rows_.of(number);
    const auto batch = row ? batch_rows_.numbered(number) : std::nullopt;
    if (batch) open.fan_outs.push_back(open_of(*row, *batch));
  }
  return open;
}

VisitReply FanOutVerbs::carry_on(const VisitOrder& order, WallTime now) {
  VisitReply reply;
  const auto batch = batch_rows_.numbered(order.fan_out);
  auto row = batch ? rows_.of(order.fan_out) : std::nullopt;
  if (!row || !row->is_under_way || row->after != order.after ||
      batch->cancelled.has_value() != order.is_cancelled) {
    reply.is_stale = true;
    return reply;
  }
  if (order.waiting_max > 0) reply.waiting = rows_.waiting(order.fan_out, order.waiting_max);
  for (const JobSeq seq : order.look)
    if (rows_.is_waiting(order.fan_out, seq)) reply.waiting.push_back(seq);
  if (order.is_cancelled) cancel_page(order, *row, now);
  else visit(order, *batch, *row, now, reply);
  if (order.is_cancelled || order.jobs_max > 0) rows_.advance(*row);
  reply.after = row->after;
  reply.visited = row->visited;
  reply.cancelled_until = row->cancelled_until;
  reply.is_done = !row->is_under_way;
  return reply;
}

Result<std::string> FanOutVerbs::arguments_of(const FanOutRow& row) {
  if (auto fits = rows_.check_envelope(row.envelope); !fits) return tl::unexpected(std::move(fits.error()));
  auto envelope = read_envelope(row.envelope);
  if (!envelope) return tl::unexpected(std::move(envelope.error()));
  if (envelope->tenant || envelope->kind != row.job.kind)
    return fail(ErrorCode::bad_payload, "WrongJob: the row and the envelope do not say the same job");
  return std::move(envelope->arguments);
}

void FanOutVerbs::visit(const VisitOrder& order, const BatchRow& batch, FanOutRow& row, WallTime now,
                        VisitReply& reply) {
  if (order.jobs_max == 0) return;
  const auto arguments = arguments_of(row);
  if (!arguments) {
    reply.why = arguments.error().text();
    return stop(batch, row, reply.why, now);
  }
  const Visiting visiting{batch, row, *arguments, reply};
  const auto page = rows_.tenants(row.after, row.until, order.tenants_max);
  for (const VisitedTenant& tenant : page) {
    if (reply.made.size() == order.jobs_max) return;
    visit_tenant(visiting, tenant, now);
    row.after = tenant.number;
    ++row.visited;
  }
  if (page.size() < order.tenants_max) end_visits(batch, row, now);
}

void FanOutVerbs::visit_tenant(const Visiting& visiting, const VisitedTenant& tenant, WallTime now) {
  if (!tenant.record) {
    visiting.reply.why = "its row names no tenant";
    ++visiting.reply.refused;
    return skip(visiting, tenant.number, FanOutSkip::refused, now);
  }
  if (const auto why = skip_of(visiting, *tenant.record)) return skip(visiting, tenant.number, *why, now);
  make_job(visiting, *tenant.record, now);
}

// A tenant that is being migrated has its job, which waits for that.
std::optional<FanOutSkip> FanOutVerbs::skip_of(const Visiting& visiting, const TenantRecord& tenant) {
  switch (tenant.state) {
    case TenantState::active:
    case TenantState::migrating:
      return std::nullopt;
    case TenantState::provisioning:
      return FanOutSkip::provisioning;
    case TenantState::paused:
      return FanOutSkip::paused;
    case TenantState::read_only:
      return FanOutSkip::read_only;
    case TenantState::failed:
      return FanOutSkip::failed;
    case TenantState::draining:
    case TenantState::deleted:
      break;
  }
  const auto begun = rows_.deletion_begun(tenant.number);
  return begun && *begun >= visiting.batch.created ? FanOutSkip::gone : FanOutSkip::deleted;
}

void FanOutVerbs::make_job(const Visiting& visiting, const TenantRecord& tenant, WallTime now) {
  FanOutRow& row = visiting.row;
  NewJob job = row.job;
  job.id = job_id_of_fan_out(visiting.batch.id, tenant.name.text(), tenant.generation);
  job.tenant = tenant.name;
  job.generation = tenant.generation;
  job.arguments = visiting.arguments;
  job.batch = visiting.batch.id;
  job.due = now;
  if (row.start_within.count() > 0) job.start_before = job.due + row.start_within;
  const auto enqueued = rows_.enqueue(job, now);
  if (enqueued) {
    ++row.made;
    visiting.reply.made.push_back(enqueued->seq);
    return;
  }
  if (is_of_tenant(enqueued.error().code)) return skip(visiting, tenant.number, FanOutSkip::gone, now);
  if (visiting.reply.refused++ == 0) visiting.reply.why = enqueued.error().text();
  if (row.problem.empty()) row.problem = enqueued.error().text();
  skip(visiting, tenant.number, FanOutSkip::refused, now);
}

void FanOutVerbs::skip(const Visiting& visiting, TenantNumber tenant, FanOutSkip why, WallTime now) {
  rows_.add_skip(visiting.row.batch, tenant, why, now);
  ++visiting.row.skipped;
  ++visiting.reply.skipped;
}

void FanOutVerbs::end_visits(const BatchRow& batch, FanOutRow& row, WallTime now) {
  row.vanished = std::max<std::int64_t>(0, row.tenants - row.visited);
  row.skipped += row.vanished;
  row.visited += row.vanished;
  row.after = row.until;
  row.is_under_way = false;
  batches_.close_by_fan_out(batch.number, now);
}

// Nothing more of it can be made. As if an operator had cancelled it: pages that cancel its jobs follow.
void FanOutVerbs::stop(const BatchRow& batch, FanOutRow& row, std::string why, WallTime now) {
  row.problem = std::move(why);
  static_cast<void>(batches_.cancel(batch.id, now));
  const auto left = batch_rows_.numbered(batch.number);
  row.is_under_way = left && !left->completed;
  rows_.raise_mark();
}

void FanOutVerbs::cancel_page(const VisitOrder& order, FanOutRow& row, WallTime now) {
  const auto page = rows_.unended(row.batch, row.cancelled_until, order.tenants_max);
  for (const UnendedMember& member : page) {
    row.cancelled_until = member.seq;
    // Where it has started meanwhile it ends by its own rules.
    if (!member.has_started) static_cast<void>(rows_.cancel_job(member.id, now));
  }
  if (page.size() < order.tenants_max) row.is_under_way = false;
}

}  // namespace tenure::queue
