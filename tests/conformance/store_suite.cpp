#include "store_suite.hpp"

#include "sqlite/sqlite_store.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <fcntl.h>

namespace tenure::testing {
namespace {

class MemoryWorld final : public StoreWorld {
 public:
  Store& store() override { return *store_; }
  Store& of_another_process() override { return *store_; }
  void set_tenant_state(const TenantName& tenant, TenantState state) override {
    set_tenant_state_for_test(*store_, tenant, state);
  }

 private:
  std::unique_ptr<Store> store_ = make_memory_store();
};

constexpr sqlite::Query kSetTenantState{"set_tenant_state", R"sql(
  update tenant set state = ?2
  where number = (select number from tenant where name = ?1 order by generation desc limit 1))sql"};

class SqliteWorld final : public StoreWorld {
 public:
  explicit SqliteWorld(const BookkeepingLimits& limits = {}) : limits_(limits) {}
  Store& store() override { return *store_; }
  Store& of_another_process() override { return *other_; }
  void set_tenant_state(const TenantName& tenant, TenantState state) override {
    sqlite::Connection connection(path_, {});
    connection.statement(kSetTenantState).bind(tenant.text(), static_cast<int>(state)).run();
  }
  void lock_as_dispatcher() override {
    lock_ = Descriptor{::open(dispatcher_lock_path(path_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    ASSERT_EQ(lock_file(lock_.number(), WhenLocked::give_up), 0);
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  BookkeepingLimits limits_;
  Descriptor lock_;
  std::unique_ptr<Store> store_ =
      std::make_unique<SqliteStore>(SqliteStoreOptions{.path = path_, .create = true}, clock_, limits_);
  std::unique_ptr<Store> other_ = open_sqlite_store({.path = path_}, clock_);
};

}  // namespace

std::unique_ptr<StoreWorld> make_memory_world() { return std::make_unique<MemoryWorld>(); }
std::unique_ptr<StoreWorld> make_sqlite_world() { return std::make_unique<SqliteWorld>(); }
std::unique_ptr<StoreWorld> make_eager_sqlite_world() {
  return std::make_unique<SqliteWorld>(eager_bookkeeping());
}

BookkeepingLimits eager_bookkeeping() {
  BookkeepingLimits limits;
  limits.fresh = {.jobs_max = 12,
                  .absorb_rows = 5,
                  .tail_rows = 7,
                  .behind_max = 30,
                  .behind_idle = 3,
                  .ranges = {.length = 4}};
  limits.settle = {.rows_max = 20,
                   .rows_idle = 1,
                   .batch_rows = 8,
                   .commit_rows = 3,
                   .delete_rows = 2,
                   .rows_between_looks = 5};
  return limits;
}

TenantRecord StoreSuite::create_tenant(std::string_view name) {
  const TenantName tenant{name};
  const auto record = value_or_raise(store().registry().begin_create(tenant, now_));
  value_or_raise(store().registry().activate(tenant, record.generation));
  return *store().registry().find(tenant);
}

void StoreSuite::set_tenant_state(std::string_view name, TenantState state) {
  world_->set_tenant_state(TenantName{name}, state);
}

NewJob StoreSuite::new_job(std::optional<std::string_view> tenant) {
  NewJob job;
  Uuid::Bytes bytes{};
  ++last_id_;
  for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<std::uint8_t>(last_id_ >> (8 * i));
  job.id = JobId{Uuid{bytes}};
  if (tenant) job.tenant = TenantName{*tenant};
  job.queue = "default";
  job.kind = "billing.send_invoice";
  job.due = now_;
  job.attempts_max = limits::kAttemptsDefault;
  job.arguments = R"({"invoice":8812})";
  return job;
}

Result<Enqueued> StoreSuite::enqueue(const NewJob& job) {
  return written([&](StoreWriter& writer) { return writer.enqueue(job, now_); });
}

Enqueued StoreSuite::put(const NewJob& job) { return value_or_raise(enqueue(job)); }

ClaimReply StoreSuite::claim(TenantNumber tenant, std::size_t count, std::size_t bytes_max) {
  ClaimRequest request = claim_request(tenant, count);
  request.bytes_max = bytes_max;
  return written([&](StoreWriter& writer) { return writer.claim(request, now_); });
}

ClaimRequest StoreSuite::claim_request(TenantNumber tenant, std::size_t count) {
  ClaimRequest request;
  for (const Lane& lane : lanes()) {
    if (lane.tenant != tenant) continue;
    if (request.kinds.empty()) {
      request.queue = lane.queue;
      request.priority = lane.priority;
    }
    if (lane.queue == request.queue && lane.priority == request.priority)
      request.kinds.push_back({lane.kind, {}});
  }
  request.tenant = tenant;
  request.count = count;
  request.incarnation = kLife;
  request.first_counter = next_counter_;
  request.process = kProcess;
  next_counter_ += static_cast<std::int64_t>(count);
  return request;
}

ClaimedJob StoreSuite::claim_one(TenantNumber tenant) {
  ClaimReply reply = claim(tenant, 1);
  if (reply.jobs.size() != 1) raise(ErrorCode::internal, "there was no job to claim");
  return std::move(reply.jobs.front());
}

JobRecord StoreSuite::record(JobId id) {
  auto job = asked([&](JobReader& reader) { return reader.find_job(id); });
  if (!job) raise(ErrorCode::job_not_found, "there is no job " + id.text());
  return *job;
}

std::vector<AttemptRecord> StoreSuite::attempts(JobSeq seq) {
  return asked([&](JobReader& reader) { return reader.attempts(seq); });
}

std::vector<Lane> StoreSuite::lanes() {
  return told([](LaneReader& reader) { return reader.lanes(std::nullopt, 1000); });
}

INSTANTIATE_TEST_SUITE_P(EachStore, StoreSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
