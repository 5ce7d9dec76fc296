#include "matching.hpp"
#include "templates.hpp"
#include "world_impl.hpp"

#include <tenure/base/error.hpp>
#include <tenure/queue/records.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

namespace tenure::testing {
namespace {

std::string counted(int count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string text_of(const HandleCache::Leased& leased) {
  std::string text = fmt::format("a handle of tenant {} was left open", leased.tenant.text());
  std::string_view joint = ", and on it ";
  const auto add = [&](int count, std::string_view what) {
    if (count == 0) return;
    text += joint;
    text += counted(count, what);
    joint = ", ";
  };
  add(leased.open.transactions, "transaction");
  add(leased.open.snapshots, "snapshot");
  add(leased.open.cursors, "cursor");
  return text;
}

std::string text_of_scopes(std::size_t count) {
  const auto tenant = current_tenant();
  return fmt::format("{} left open, the innermost {}",
                     count == 1 ? "a scope was" : fmt::format("{} scopes were", count),
                     tenant ? "of tenant " + tenant->text() : "outside every tenant");
}

}  // namespace

World::World(WorldOptions options) : impl_(std::make_unique<Impl>(*this, std::move(options))) {
  const TenantName name{kDefaultTenant};
  make_tenant(name);
  impl_->default_scope.emplace(name, Generation{}, AllowSwap{});
}

// A lease that outlived its file would be in the way of the next file of its number.
World::~World() { static_cast<void>(impl_->handles.end_leases_for_test()); }

JobRegistry& World::jobs() { return impl_->jobs; }
Client& World::client() { return impl_->client; }
Tenants& World::tenants() { return impl_->tenants; }
VirtualClock& World::clock() { return impl_->clock; }
queue::Store& World::store() { return *impl_->store; }
const std::filesystem::path& World::folder() const { return impl_->root.path(); }
const Runs& World::runs() const { return impl_->runs; }
Faults& World::faults() { return impl_->faults; }

TenantRecord World::make_tenant(const TenantName& name) {
  return impl_->tenant_template->make(impl_->watched.registry(), impl_->handles.files(), name,
                                      impl_->clock.wall());
}

TenantRecord World::make_tenant_of(const TenantName& name, std::int64_t schema) {
  TenantsOptions options{.application = impl_->options.application, .migrations = impl_->options.migrations};
  if (schema < 0 || schema > std::ssize(options.migrations))
    raise(ErrorCode::bad_options, "there is no migration " + std::to_string(schema));
  options.migrations.resize(static_cast<std::size_t>(schema));
  return detail::template_for(options, impl_->root.path(), impl_->clock.wall())
      ->make(impl_->watched.registry(), impl_->handles.files(), name, impl_->clock.wall());
}

TenantMigrated World::migrate(const TenantName& name) {
  const auto record = impl_->watched.registry().find(name);
  if (!record) raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text(), name.text());
  const TenantScope scope(name, record->generation, AllowSwap{});
  HandleLease lease = value_or_raise(impl_->handles.acquire(name, record->generation));
  TenantMigrated done =
      migrate_tenant(lease, {impl_->options.migrations, impl_->jobs.migration_codes()}, impl_->clock.wall());
  impl_->watched.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(writer.note_migration(
        {.tenant = record->number, .from = done.from, .to = done.to, .ended = impl_->clock.wall()}));
  });
  return done;
}

void World::leave_default_tenant() { impl_->default_scope.reset(); }

void World::schedule(const queue::ScheduleEntry& entry) {
  store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.schedules().add(entry, clock().wall())));
  });
}

void World::limit(const queue::NewLimit& limit) {
  store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.set_limit(limit, clock().wall())));
  });
}

Runs World::drain(const DrainOptions& options) {
  impl_->sweep_outboxes();
  const std::set<queue::JobId> due = impl_->due_jobs();
  return impl_->perform_due(options, &due, {});
}

Runs World::drain_all(const DrainOptions& options) {
  impl_->sweep_outboxes();
  return impl_->perform_due(options, nullptr, {});
}

Runs World::advance(std::chrono::microseconds time, const DrainOptions& options) {
  if (time.count() < 0) raise(ErrorCode::bad_options, "time goes on and never back; the clock can jump");
  impl_->sweep_outboxes();
  return impl_->perform_due(options, nullptr, impl_->clock.steady() + time);
}

void World::perform_inline(bool is_on) { impl_->is_inline = is_on; }

JobRun World::perform_now(const Uuid& id) {
  std::optional<queue::JobRecord> job;
  store().read([&](queue::JobReader& reader) { job = reader.find_job({id}); });
  if (!job) raise(ErrorCode::job_not_found, "there is no job " + id.text());
  // By the rule of scopes, and left at once: the job enters its own.
  if (job->tenant) const TenantScope scope{*job->tenant, job->generation};
  const std::set<queue::JobId> only{job->id};
  Runs runs = impl_->perform_due({}, &only, {});
  if (runs.empty())
    raise(ErrorCode::state_changed,
          fmt::format("job {} is {} and cannot be performed now", id.text(), name_of(job->state)),
          job->tenant ? job->tenant->text() : "");
  return std::move(runs.front());
}

Matched World::match(const detail::Criteria& criteria) const {
  return detail::match(*impl_->store, criteria, impl_->clock.wall());
}

std::vector<detail::Candidate> World::matching(const detail::Criteria& criteria) const {
  return detail::matching(*impl_->store, criteria, impl_->clock.wall());
}

std::vector<std::string> World::finish() {
  std::vector<std::string> problems = std::exchange(impl_->left_open, {});
  const std::size_t own = impl_->default_scope ? 1 : 0;
  if (const std::size_t depth = scope_depth(); depth > own) problems.push_back(text_of_scopes(depth - own));
  leave_all_scopes();
  impl_->default_scope.reset();
  for (const HandleCache::Leased& leased : impl_->handles.end_leases_for_test())
    problems.push_back(text_of(leased));
  for (const auto& fault : impl_->fault_list.waiting())
    problems.push_back(fmt::format("the fault {} was asked for {} and has happened {}", fault->name,
                                   counted(fault->asked, "time"), counted(fault->fired, "time")));
  impl_->fault_list.clear();
  return problems;
}

}  // namespace tenure::testing
