#include "batch_drafting.hpp"
#include "client_impl.hpp"
#include "run_here.hpp"

#include <tenure/jobs/fan_out.hpp>
#include <tenure/queue/wake_hint.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

#include <utility>

// What an application does with fan-outs.
namespace tenure {
namespace {

// Whoever is inside of one tenant does nothing to all, and learns nothing of them.
void require_no_scope() {
  if (const auto tenant = current_tenant())
    raise(ErrorCode::tenant_swap_prohibited,
          "a fan-out is of every tenant, and the scope is of " + tenant->text() +
              ": leave it, or call this inside without_tenant",
          tenant->text());
}

[[noreturn]] void refuse_job_option(std::string_view option) {
  raise(ErrorCode::bad_options, fmt::format("job.{}: the fan-out says it for each of its jobs", option), {},
        fmt::format("job.{}", option));
}

void check_job_options(const EnqueueOptions& options) {
  if (options.id) refuse_job_option("id");
  if (options.tenant) refuse_job_option("tenant");
  if (options.untenanted) refuse_job_option("untenanted");
  if (options.run_at) refuse_job_option("run_at");
  if (options.run_in.count() != 0) refuse_job_option("run_in");
  if (options.start_before) refuse_job_option("start_before");
  if (options.batch) refuse_job_option("batch");
}

queue::NewFanOut draft_fan_out(const detail::JobDrafting& drafting, const detail::JobKind& kind,
                               const void* job, const FanOutOptions& options) {
  check_job_options(options.job);
  EnqueueOptions of_job = options.job;
  of_job.untenanted = true;
  queue::Draft draft = drafting.draft(kind, job, of_job);
  queue::NewBatch batch = detail::draft_batch(drafting, {.name = options.name,
                                                         .on_complete = options.on_complete,
                                                         .on_success = options.on_success,
                                                         .id = options.id,
                                                         .untenanted = true});
  return {.id = batch.id,
          .name = std::move(batch.name),
          .key = options.key,
          .job = std::move(draft.job),
          .start_within = draft.start_within,
          .window = options.over,
          .rate = options.rate,
          .on_complete = std::move(batch.on_complete),
          .on_success = std::move(batch.on_success)};
}

FanOutStatus fan_out_status(const queue::FanOutRecord& record) {
  FanOutStatus status{.batch = detail::status_of(record.batch),
                      .key = record.key,
                      .tenants = record.tenants,
                      .visited = record.visited,
                      .made = record.made,
                      .skipped = record.skipped,
                      .is_cancelled = record.batch.cancelled.has_value()};
  for (const auto& [skip, count] : record.skips)
    status.skipped_for.emplace(std::string{queue::name_of(skip)}, count);
  return status;
}

std::vector<FanOutTenant> skipped_tenants(queue::FanOutReader& reader, BatchId id, std::int64_t after,
                                          std::size_t limit) {
  std::vector<FanOutTenant> tenants;
  for (const queue::SkippedTenant& one : reader.skipped(id, TenantNumber{after}, limit))
    tenants.push_back(
        {.place = one.number.value, .tenant = one.tenant, .outcome = std::string{queue::name_of(one.skip)}});
  return tenants;
}

std::vector<FanOutTenant> tenants_with_jobs(queue::FanOutReader& reader, BatchId id, queue::FanOutJobs which,
                                            std::int64_t after, std::size_t limit) {
  std::vector<FanOutTenant> tenants;
  for (const queue::FanOutJob& job : reader.jobs(id, which, queue::JobSeq{after}, limit))
    tenants.push_back({.place = job.seq.value,
                       .tenant = job.tenant,
                       .job = job.id.uuid,
                       .outcome = job.ended ? std::string{queue::name_of(*job.ended)} : std::string{}});
  return tenants;
}

}  // namespace

BatchId Client::start_fan_out(const detail::JobKind& kind, const void* job, const FanOutOptions& options) {
  impl_->process.check("the client");
  require_no_scope();
  const queue::NewFanOut fan_out = draft_fan_out(impl_->drafting(), kind, job, options);
  detail::log_if_for_all(fan_out.job.kind);
  std::optional<Result<queue::StartedFanOut>> result;
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    result = writer.fan_outs().start(fan_out, impl_->clock.wall());
  });
  const queue::StartedFanOut started = value_or_raise(*std::move(result));
  queue::send_wake_hint(impl_->options.wake_path);
  return started.id;
}

std::optional<FanOutStatus> Client::fan_out(BatchId fan_out) {
  impl_->process.check("the client");
  require_no_scope();
  std::optional<queue::FanOutRecord> record;
  impl_->store.read([&](queue::JobReader& reader) { record = reader.fan_outs().fan_out(fan_out); });
  return record ? std::optional{fan_out_status(*record)} : std::nullopt;
}

std::vector<FanOutTenant> Client::fan_out_tenants(BatchId fan_out, FanOutTenants which, std::int64_t after,
                                                  std::size_t limit) {
  impl_->process.check("the client");
  require_no_scope();
  std::vector<FanOutTenant> tenants;
  impl_->store.read([&](queue::JobReader& reader) {
    queue::FanOutReader& fan_outs = reader.fan_outs();
    const auto jobs = which == FanOutTenants::failed ? queue::FanOutJobs::failed : queue::FanOutJobs::all;
    tenants = which == FanOutTenants::skipped ? skipped_tenants(fan_outs, fan_out, after, limit)
                                              : tenants_with_jobs(fan_outs, fan_out, jobs, after, limit);
  });
  return tenants;
}

void Client::cancel_fan_out(BatchId fan_out) {
  impl_->process.check("the client");
  require_no_scope();
  std::optional<Result<void>> result;
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    result = writer.fan_outs().cancel(fan_out, impl_->clock.wall());
  });
  value_or_raise(*std::move(result));
  queue::send_wake_hint(impl_->options.wake_path);
}

}  // namespace tenure
