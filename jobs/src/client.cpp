#include "batch_drafting.hpp"
#include "client_impl.hpp"
#include "outbox_writer.hpp"
#include "run_here.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/config/check.hpp>
#include <tenure/config/load.hpp>
#include <tenure/config/log_options.hpp>
#include <tenure/config/seal_keys.hpp>
#include <tenure/queue/draft.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/wake_hint.hpp>
#include <tenure/tenancy/commit_watch.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <exception>
#include <map>
#include <utility>

namespace tenure {

namespace {

config::LoadedSettings load(const std::string& config_file) {
  auto environment = config::environment_of_process();
  const auto file = config::config_file_to_read(config_file, environment);
  return config::load_settings({.file = file, .environment = std::move(environment)});
}

// The first program that comes makes it, so that an application can make the first tenant.
std::unique_ptr<queue::Store> open_store(const config::StoreSettings& settings, KeyRing keys,
                                         const Clock& clock) {
  try {
    return queue::open_sqlite_store(
        {.path = settings.path, .create = true, .payload_max = settings.payload_max, .keys = std::move(keys)},
        clock);
  } catch (const DatabaseMissing&) {
    raise(ErrorCode::database_missing, config::missing_store_text(settings));
  }
}

}  // namespace

Client Client::open(const std::string& config_file) {
  // Before anything of the configuration is read. A scratch control database would take what the run enqueues and nobody would see it.
  if (sqlite::Confinement::is_in_force())
    raise(ErrorCode::access_refused,
          "a replay opens no client: what a handler does outside of its tenant's database belongs into "
          "JobContext::recorded, which a replay answers from the capsule");
  const config::LoadedSettings loaded = load(config_file);
  const config::Settings& settings = loaded.settings;
  log::configure_as_default(config::log_options_of_application(loaded));
  auto clock = std::make_unique<RealClock>();
  KeyRing keys = config::read_seal_keys(settings.security, config::credentials_folder());
  auto store = open_store(settings.store, std::move(keys), *clock);
  auto handles = std::make_unique<HandleCache>(
      TenantFiles{settings.tenants.path},
      HandleCacheOptions{.descriptors_max = static_cast<int>(settings.tenants.descriptors_max),
                         .wait_max = settings.tenants.handle_wait,
                         .application = settings.application.name});
  TenantsOptions tenants_options{.application = settings.application.name};
  if (!settings.tenants.migrations.empty())
    tenants_options.migrations = read_migrations(settings.tenants.migrations);
  auto tenants = std::make_unique<Tenants>(store->registry(), *handles, *clock, std::move(tenants_options));
  queue::Store& store_reference = *store;
  const Clock& clock_reference = *clock;
  Tenants* const tenants_pointer = tenants.get();
  // NOLINTNEXTLINE(modernize-make-unique): an aggregate with its members named
  return Client{std::unique_ptr<Impl>(new Impl{
      .own_clock = std::move(clock),
      .own_store = std::move(store),
      .handles = std::move(handles),
      .own_tenants = std::move(tenants),
      .store = store_reference,
      .clock = clock_reference,
      .tenants = tenants_pointer,
      .options = {.application = settings.application.name,
                  .durability = settings.store.durability,
                  .wake_path = settings.store.path.string(),
                  .waiting_jobs_max = static_cast<std::size_t>(settings.application.waiting_jobs_max),
                  .waiting_bytes_max = settings.application.waiting_bytes_max,
                  .waiting_ends_max = static_cast<std::size_t>(settings.application.waiting_ends_max),
                  .mask = settings.security.mask},
  })};
}

Client::Client(queue::Store& store, const Clock& clock, ClientOptions options)
    : impl_(new Impl{.own_clock = nullptr,
                     .own_store = nullptr,
                     .handles = nullptr,
                     .own_tenants = nullptr,
                     .store = store,
                     .clock = clock,
                     .tenants = nullptr,
                     .options = std::move(options)}) {}

Client::Client(queue::Store& store, Tenants& tenants, const Clock& clock, ClientOptions options)
    : Client(store, clock, std::move(options)) {
  impl_->tenants = &tenants;
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() {
  if (!impl_) return;
  if (impl_->process.is_inherited()) static_cast<void>(impl_.release());
  else if (impl_->calls) impl_->calls->close();
}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

Tenants& Client::tenants() {
  impl_->process.check("the client");
  if (!impl_->tenants)
    raise(ErrorCode::bad_configuration, "this client was made over a store and has no tenants' files");
  return *impl_->tenants;
}

Uuid Client::enqueue_one(const detail::JobKind& kind, const void* job_data, const EnqueueOptions& options) {
  impl_->process.check("the client");
  queue::Draft draft = impl_->drafting().draft(kind, job_data, options);
  detail::log_if_for_another(draft.job.tenant, draft.job.kind, 1);
  std::optional<Result<queue::Enqueued>> result;
  impl_->store.write(impl_->options.durability, [&](queue::StoreWriter& writer) {
    result = queue::enqueue(writer, draft, impl_->clock);
  });
  const queue::Enqueued job_there = value_or_raise(*std::move(result));
  // After the sync: who is woken finds the job.
  const bool is_ready = job_there.arrival && job_there.arrival->state == queue::JobState::ready;
  queue::send_wake_hint(impl_->options.wake_path,
                        is_ready ? std::optional{job_there.arrival->lane} : std::nullopt);
  return job_there.id.uuid;
}

std::vector<BulkItem> Client::enqueue_many(const detail::JobKind& kind, const void* jobs, std::size_t count,
                                           const EnqueueOptions& options, BulkRule rule) {
  impl_->process.check("the client");
  detail::PreparedJobs prepared = detail::prepare_all(impl_->drafting(), kind, jobs, count, options, rule);
  impl_->store.write(impl_->options.durability,
                     [&](queue::StoreWriter& writer) { detail::store(prepared, writer, impl_->clock); });
  queue::send_wake_hint(impl_->options.wake_path);
  return std::move(prepared.items);
}

std::shared_ptr<detail::AsyncCalls> Client::async_calls() {
  impl_->process.check("the client");
  const std::lock_guard lock(impl_->calls_mutex);
  if (!impl_->calls)
    impl_->calls = std::make_shared<detail::ClientCalls>(detail::ClientCalls::Means{
        .store = impl_->store, .clock = impl_->clock, .options = impl_->options, .mask = impl_->mask});
  return impl_->calls;
}

BatchId Client::open_batch(const BatchOptions& options) {
  impl_->process.check("the client");
  const queue::NewBatch batch = detail::draft_batch(impl_->drafting(), options);
  std::optional<Result<queue::OpenedBatch>> result;
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    result = writer.batches().open(batch, impl_->clock.wall());
  });
  static_cast<void>(value_or_raise(*std::move(result)));
  return batch.id;
}

namespace {

// As a job of another tenant is not found, whatever is asked.
bool is_of_scope(const queue::BatchRecord& batch) {
  const auto tenant = current_tenant();
  if (!tenant || !batch.tenant) return true;
  const Generation generation = current_generation();
  return batch.tenant == tenant && (generation.value == 0 || batch.generation == generation);
}

}  // namespace

void Client::close_batch(BatchId batch) {
  impl_->process.check("the client");
  if (current_tenant() && !this->batch(batch))
    raise(ErrorCode::record_not_found, "there is no batch " + batch.text() + " of this tenant");
  std::optional<Result<void>> result;
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    result = writer.batches().close(batch, impl_->clock.wall());
  });
  value_or_raise(*std::move(result));
  queue::send_wake_hint(impl_->options.wake_path);  // it may have made jobs
}

std::optional<BatchStatus> Client::batch(BatchId batch) {
  impl_->process.check("the client");
  std::optional<queue::BatchRecord> record;
  impl_->store.read([&](queue::JobReader& reader) { record = reader.batches().batch(batch); });
  return record && is_of_scope(*record) ? std::optional{detail::status_of(*record)} : std::nullopt;
}

// Where the batch is there already, an answer was lost: its jobs are in it.
BatchId Client::fill_batch(const BatchOptions& options, FunctionRef<void(BatchJobs&)> fill) {
  impl_->process.check("the client");
  const detail::JobDrafting drafting = impl_->drafting();
  const queue::NewBatch batch = detail::draft_batch(drafting, options);
  BatchJobs::Filling filling{drafting, options};
  BatchJobs jobs(batch.id, filling);
  fill(jobs);
  std::map<std::optional<TenantName>, std::size_t> of_tenants;
  for (const queue::Draft& draft : filling.drafts) ++of_tenants[draft.job.tenant];
  for (const auto& [tenant, count] : of_tenants) detail::log_if_for_another(tenant, {}, count);
  bool existed = false;
  impl_->store.write(Durability::durable, [&](queue::StoreWriter& writer) {
    const WallTime now = impl_->clock.wall();
    existed = value_or_raise(writer.batches().open(batch, now)).existed;
    if (existed) return;
    for (queue::Draft& draft : filling.drafts)
      static_cast<void>(value_or_raise(queue::enqueue(writer, draft, impl_->clock)));
    value_or_raise(writer.batches().close(batch.id, now));
  });
  const auto there = existed ? this->batch(batch.id) : std::nullopt;
  if (there && !there->is_closed)
    raise(ErrorCode::id_conflict,
          "batch " + batch.id.text() + " was opened before, and takes jobs one by one");
  queue::send_wake_hint(impl_->options.wake_path);
  return batch.id;
}

// While the transaction has the tenant's writer lock, so that nobody raises the epoch meanwhile; whoever has the control database's
// never waits for a tenant's.
void Client::Impl::mark(const TenantTransaction& transaction) {
  const queue::OutboxOwner owner{transaction.tenant(), transaction.generation()};
  const queue::OutboxState file = queue::outbox_state_of(transaction);
  if (marked.has(owner, file)) return;
  const detail::CommitLabel label{detail::CommitOf::own};
  std::optional<Result<queue::MarkedOutbox>> result;
  // Durable, also where it was there already: its writer may not have synced it yet.
  store.write(Durability::durable,
              [&](queue::StoreWriter& writer) { result = writer.mark_outbox(owner, file, clock.wall()); });
  static_cast<void>(value_or_raise(*std::move(result)));
  marked.add(owner, file);
}

// The transaction is acknowledged whatever becomes of this: the mark stands, and tenured looks.
void Client::Impl::relay(TenantHandle& handle) {
  const detail::CommitLabel label{detail::CommitOf::own};
  std::string why;
  try {
    const auto wake = [this](const queue::Relayed& page) {
      if (page.has_ready) queue::send_wake_hint(options.wake_path);
    };
    const queue::RelayedFile relayed = queue::relay_file(store, handle, clock, {.on_taken_over = wake});
    if (!relayed.refused && !relayed.not_written && !relayed.is_file_behind) return;
    why = relayed.refused       ? relayed.refused->failure.message
          : relayed.not_written ? relayed.not_written->message
                                : "the database is an older copy, so nothing comes out of it";
  } catch (
      const std::exception& error) {  // of whatever kind, so that nobody takes the transaction for undone
    why = error.what();
  }
  if (const auto left_out = lines.pass(clock.steady()))
    log::write(
        log::Level::warning, "outbox.left",
        "jobs of a committed transaction wait in their tenant's database until tenured brings them to the "
        "queue" +
            left_out_text(*left_out),
        {.error = why});
}

void Client::run_transaction(TenantHandle& handle, FunctionRef<void(JobTransaction&)> function) {
  impl_->process.check("the client");
  detail::OutboxWriter outbox(
      impl_->drafting(),
      {.make_row = [this](const queue::NewJob& job) { return impl_->store.outbox_row(job); },
       .before_first = [this](const TenantTransaction& transaction) { impl_->mark(transaction); }});
  {
    TenantTransaction transaction = handle.begin();
    JobTransaction of_caller{transaction, outbox};
    function(of_caller);
    outbox.before_commit(transaction);
    detail::log_if_for_another(handle.tenant(), {}, outbox.rows());
    transaction.commit();
    outbox.committed();
  }
  if (outbox.last_row() == 0) return;
  impl_->marked.saw({handle.tenant(), handle.generation()}, queue::OutboxSeq{outbox.last_row()});
  impl_->relay(handle);
}

}  // namespace tenure
