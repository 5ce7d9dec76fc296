#include "client_asking.hpp"

#include "client_impl.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/wake_hint.hpp>
#include <tenure/tenancy/global_id.hpp>
#include <tenure/tenancy/scope.hpp>

#include <algorithm>
#include <utility>

// What an application asks of its jobs, and changes of them.
namespace tenure {
namespace {

using detail::Whose;
using queue::JobId;

FoundJob found_job(queue::JobReader& reader, const queue::JobRecord& record, const queue::Mask& mask,
                   WallTime now) {
  FoundJob found{.id = record.id.uuid,
                 .tenant = record.tenant,
                 .kind = record.kind,
                 .queue = record.queue,
                 .priority = record.priority.value,
                 .state = record.state,
                 .reason = std::string{name_of(record.reason)},
                 .attempts = record.failures,
                 .attempts_max = record.attempts_max,
                 .enqueued = record.created,
                 .due = record.due,
                 .started = record.started,
                 .finished = record.finished,
                 .progress = std::nullopt,
                 .error = record.error,
                 .result = std::nullopt};
  if (const auto& told = record.progress)
    found.progress = FoundProgress{told->progress.done, told->progress.total, told->progress.text};
  if (auto result = reader.result(record.seq, now)) found.result = std::move(result->text);
  if (found.error.empty()) return found;
  // Of a run before the mask was what it is now.
  const auto envelope = queue::read_envelope(reader.envelope(record.seq).value_or(""));
  const queue::Secrets secrets(mask, envelope ? std::string_view{envelope->arguments} : std::string_view{});
  found.error = secrets.hidden_in(found.error);
  return found;
}

queue::JobChange change_of(const JobChanges& changes, WallTime now) {
  queue::JobChange change{.queue = changes.queue};
  if (changes.priority) change.priority = queue::Priority{*changes.priority};
  if (changes.run_in && changes.run_at)
    raise(ErrorCode::bad_options, "give run_in or run_at, not both", {}, "run_at");
  if (changes.run_in && *changes.run_in < std::chrono::microseconds{0})
    raise(ErrorCode::bad_options, "a delay cannot be negative", {}, "run_in");
  if (changes.run_in) change.due = now + *changes.run_in;
  if (changes.run_at) change.due = *changes.run_at;
  if (!change.queue && !change.priority && !change.due)
    raise(ErrorCode::bad_options, "change what? say queue, priority, run_in or run_at");
  return change;
}

}  // namespace

Failure detail::not_found(JobId id, const Whose& whose) {
  const std::string tenant = whose.tenant ? whose.tenant->text() : std::string{};
  return {ErrorCode::job_not_found,
          "there is no job " + id.text() + (tenant.empty() ? " without a tenant" : " of tenant " + tenant),
          tenant};
}

detail::Whose detail::whose(const JobsOf& jobs) {
  Whose whose{.tenant = tenant_of_call(jobs.tenant, jobs.untenanted)};
  if (whose.tenant && current_tenant() == whose.tenant) whose.generation = current_generation();
  return whose;
}

bool detail::is_of(const queue::JobOwner& owner, const Whose& whose) {
  if (owner.tenant != whose.tenant) return false;
  return whose.generation.value == 0 ? owner.is_newest : owner.generation == whose.generation;
}

std::optional<FoundJob> detail::find_job(queue::JobReader& reader, JobId id, const Whose& whose,
                                         const queue::Mask& mask, WallTime now) {
  const auto owner = reader.owner_of_job(id);
  if (!owner || !is_of(*owner, whose)) return std::nullopt;
  const auto record = reader.find_job(id);
  if (!record) return std::nullopt;
  return found_job(reader, *record, mask, now);
}

std::optional<FoundJob> Client::find(const Uuid& id, const JobsOf& jobs) {
  impl_->process.check("the client");
  const Whose whose = detail::whose(jobs);
  std::optional<FoundJob> found;
  impl_->store.read([&](queue::JobReader& reader) {
    found = detail::find_job(reader, JobId{id}, whose, impl_->mask, impl_->clock.wall());
  });
  return found;
}

std::optional<std::string> Client::result_text(const detail::JobKind& kind, const Uuid& id,
                                               const JobsOf& jobs) {
  auto found = find(id, jobs);
  if (!found) raise(detail::not_found(JobId{id}, detail::whose(jobs)));
  if (!kind.is_named(found->kind))
    raise(ErrorCode::bad_options, "job " + id.text() + " is of kind " + escaped(found->kind) +
                                      " and not of " + std::string{kind.name});
  return std::move(found->result);
}

TenantPayloadContext Client::payload_of(const JobsOf& jobs) const {
  return {impl_->options.application, detail::whose(jobs).tenant};
}

void Client::Impl::change_one(const Uuid& id, const JobsOf& jobs, queue::StoreWriter& writer,
                              FunctionRef<void(JobId)> change) const {
  const Whose whose = detail::whose(jobs);
  const auto owner = writer.owner_of_job(JobId{id});
  if (!owner || !detail::is_of(*owner, whose)) raise(detail::not_found(JobId{id}, whose));
  change(JobId{id});
}

Cancelled Client::cancel(const Uuid& id, const JobsOf& jobs) {
  impl_->process.check("the client");
  Cancelled done = Cancelled::at_once;
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    impl_->change_one(id, jobs, writer, [&](JobId job) {
      const WallTime now = impl_->clock.wall();
      done = Cancelled::when_it_obeys;
      if (writer.ask_to_cancel(job, now)) return;
      done = Cancelled::at_once;
      value_or_raise(writer.cancel_by_operator(job, now));
    });
  });
  queue::send_wake_hint(impl_->options.wake_path);
  return done;
}

void Client::retry(const Uuid& id, const JobsOf& jobs) {
  impl_->process.check("the client");
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    impl_->change_one(id, jobs, writer,
                      [&](JobId job) { value_or_raise(writer.retry_by_operator(job, impl_->clock.wall())); });
  });
  queue::send_wake_hint(impl_->options.wake_path);
}

void Client::change(const Uuid& id, const JobChanges& changes, const JobsOf& jobs) {
  impl_->process.check("the client");
  const WallTime now = impl_->clock.wall();
  const queue::JobChange change = change_of(changes, now);
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    impl_->change_one(id, jobs, writer,
                      [&](JobId job) { value_or_raise(writer.change_by_operator(job, change, now)); });
  });
  queue::send_wake_hint(impl_->options.wake_path);
}

std::string Client::gid_text(std::string_view model, std::string_view id, const TenantName* tenant) const {
  if (tenant == nullptr) return GlobalId(impl_->options.application, model, id, std::nullopt).text();
  static_cast<void>(detail::tenant_of_call(*tenant, false));
  return GlobalId(impl_->options.application, model, id, *tenant).text();
}

}  // namespace tenure
