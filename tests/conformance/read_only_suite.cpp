#include "store_suite.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/queue/lane_gate.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/stamp_change.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

// A tenant that may be read and not written: what its own database says to whoever opens it, and the store to whoever claims.
namespace tenure::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Incarnation kReaders{3000};

class ReadOnlySuite : public StoreSuite {
 protected:
  ReadOnlySuite() {
    world_->lock_as_dispatcher();
    PoolRecord pool{.name = "general",
                    .queues = {"default"},
                    .workers = 1,
                    .kinds = {"mail.send", "report.build"},
                    .default_queues = {}};
    pool.reads_only = {"report.build"};
    tell(pool);
  }
  void tell(const PoolRecord& pool) {
    write([&](StoreWriter& writer) {
      static_cast<void>(writer.open_incarnation(kReaders.value, "app-1", 42, now_));
      writer.tell_pools(kReaders, std::vector{pool});
    });
  }
  Enqueued put_kind(const std::string& kind) {
    NewJob job = new_job("acme");
    job.queue = "default";
    job.kind = kind;
    return put(job);
  }
  ClaimReply claim_of(const Enqueued& job, bool reads_only) {
    const Lane lane = asked([&](JobReader& reader) { return reader.lane_of(*reader.find_job(job.id)); });
    const ClaimRequest request{.queue = lane.queue,
                               .priority = lane.priority,
                               .tenant = lane.tenant,
                               .kinds = {{lane.kind, std::nullopt}},
                               .reads_only = reads_only,
                               .count = 5,
                               .incarnation = kReaders,
                               .first_counter = next_counter_++,
                               .process = ProcessNumber{1}};
    return written([&](StoreWriter& writer) {
      static_cast<void>(writer.reader().lanes(std::nullopt, 10));
      return writer.claim(request, now_);
    });
  }
  ClaimReply claim_suspect(const Enqueued& job) {
    const SuspectRequest request{job.seq, {kReaders, next_counter_++}, ProcessNumber{1}, true};
    return written([&](StoreWriter& writer) { return writer.claim_suspect(request, now_); });
  }
  void suspect(const ClaimedJob& job) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.suspect(ref(job), CrashCharge::none,
                                    {.code = ErrorCode::interrupted, .error = "the daemon died"}, now_));
    });
  }
  std::vector<JobReason> gates(const Enqueued& job) {
    return asked([&](JobReader& reader) { return gates_of(reader.lane_facts(*reader.find_job(job.id))); });
  }
  void set_read_only(const TenantFiles& files) {
    set_stamp_read_only(files, {TenantName{"acme"}, Generation{1}, "shop"}, true);
    write([&](StoreWriter& writer) { EXPECT_TRUE(writer.set_read_only(TenantName{"acme"}, true)); });
  }

  TemporaryFolder folder_;
  VirtualClock clock_;
  const TenantFiles files_{folder_.path().string() + "/%{tenant}.db"};
  HandleCache handles_{files_, {.application = "shop"}};
  Tenants tenants_{
      store().registry(),
      handles_,
      clock_,
      {.application = "shop",
       .migrations = {{.number = 1, .name = "0001_note", .sql = "create table note(text text not null)"}}}};
};

TEST_P(ReadOnlySuite, REG_10_ReadsWorkAWriteIsRefusedAndOnlyKindsThatReadAreClaimed) {
  tenants_.create(TenantName{"acme"});
  const Enqueued writes = put_kind("mail.send");
  const Enqueued reads = put_kind("report.build");
  const TenantScope scope{TenantName{"acme"}};
  HandleLease before = tenants_.open(TenantName{"acme"});
  const auto add = [](TenantTransaction& transaction) {
    transaction.execute("insert into note(text) values ('kept')");
  };
  const auto notes = [](TenantReader& reader) {
    TenantRows rows = reader.query("select count(*) from note");
    EXPECT_TRUE(rows.next());
    return rows.row().integer(0);
  };
  before->write(add);
  set_read_only(files_);

  HandleLease behind = tenants_.open(TenantName{"acme"});
  for (HandleLease* const lease : {&before, &behind}) {
    EXPECT_EQ((*lease)->read(notes), 1);
    try {
      (*lease)->write(add);
      ADD_FAILURE() << "it was written";
    } catch (const TenantNotReady& error) {
      EXPECT_THAT(error.failure().message, HasSubstr("read_only"));
      EXPECT_EQ(error.failure().tenant, "acme");
    }
    EXPECT_EQ((*lease)->read(notes), 1);
  }

  const Enqueued late = put_kind("mail.send");
  for (const Enqueued& held : {writes, late}) {
    EXPECT_EQ(record(held.id).state, ShownState::held);
    EXPECT_EQ(record(held.id).reason, JobReason::tenant_read_only);
    EXPECT_THAT(gates(held), Contains(JobReason::tenant_read_only));
  }
  EXPECT_EQ(claim_of(writes, false).gate, TenantState::read_only);
  EXPECT_EQ(record(reads.id).state, ShownState::ready);
  EXPECT_THAT(gates(reads), Not(Contains(JobReason::tenant_read_only)));
  EXPECT_EQ(claim_of(reads, true).jobs.size(), 1U);
  EXPECT_EQ(record(writes.id).failures + record(writes.id).crashes + record(writes.id).releases, 0);

  write([&](StoreWriter& writer) { EXPECT_TRUE(writer.set_read_only(TenantName{"acme"}, false)); });
  EXPECT_EQ(claim_of(writes, false).jobs.size(), 2U) << "and the one that came meanwhile";
}

// One under which the daemon has died is claimed by itself, by the same rule.
TEST_P(ReadOnlySuite, ASuspectIsClaimedWhereItsKindOnlyReads) {
  tenants_.create(TenantName{"acme"});
  const Enqueued writes = put_kind("mail.send");
  const Enqueued reads = put_kind("report.build");
  for (const Enqueued& job : {writes, reads}) suspect(claim_of(job, false).jobs.at(0));
  set_read_only(files_);
  EXPECT_EQ(claim_suspect(writes).gate, TenantState::read_only);
  PoolRecord pool{.name = "general",
                  .queues = {"default"},
                  .workers = 1,
                  .kinds = {"mail.send", "report.build"},
                  .default_queues = {}};
  pool.reads_only = {"report.build"};
  pool.tenants = {PoolTenants::Rule::all_but, {"acme"}};
  tell(pool);
  EXPECT_EQ(claim_suspect(reads).gate, TenantState::read_only) << "who reads does not take the tenant";
  pool.tenants = {};
  tell(pool);
  EXPECT_EQ(claim_suspect(reads).jobs.size(), 1U);
  EXPECT_EQ(record(writes.id).reason, JobReason::suspect);
}

INSTANTIATE_TEST_SUITE_P(EachStore, ReadOnlySuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
