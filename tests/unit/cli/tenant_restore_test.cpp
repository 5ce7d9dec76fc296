#include "file_program.hpp"
#include "outbox_rows.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_copy.hpp>

#include <filesystem>
#include <fstream>
#include <string>

// `tenure tenant restore` and `reconcile`.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

class TenantRestores : public FileProgram {
 protected:
  TenantRestores() {
    EXPECT_EQ(run({"tenant", "create", "acme"}), 0) << output.error;
    on_pause = [] { return true; };
    note("before the copy");
    EXPECT_EQ(run({"tenant", "backup", "acme", copy}), 0) << output.error;
    clock.advance(std::chrono::minutes{1});
    note("behind the copy");
  }
  [[nodiscard]] fs::path file() const { return folder / "tenants/acme.db"; }
  [[nodiscard]] fs::path buried(int generation) const {
    return folder / "tenants/.graveyard" / ("acme." + std::to_string(generation) + ".db");
  }
  void note(const std::string& text) const {
    sqlite::Connection connection{file(), {}};
    const std::string sql = "create table if not exists note(x); insert into note values ('" + text + "')";
    connection.execute({"script", sql.c_str()});
  }
  static std::int64_t notes_in(const fs::path& path) {
    sqlite::Connection connection{path, {.access = sqlite::Access::look_at_file}};
    return connection.statement({"rows", "select count(*) from note"}).row().integer(0);
  }
  TenantRecord tenant() { return *store->registry().find(TenantName{"acme"}); }
  void restore() { EXPECT_EQ(run({"tenant", "restore", "acme", copy, "--yes"}), 0) << output.error; }
  void expect_nothing_changed() {
    EXPECT_EQ(tenant().state, TenantState::active);
    EXPECT_EQ(tenant().generation, Generation{1});
    EXPECT_EQ(notes_in(file()), 2);
  }

  const std::string copy = (folder / "acme-copy.db").string();
};

TEST_F(TenantRestores, PutsTheCopyInPlaceAsANewGenerationAndKeepsTheOldFileAndTheJobs) {
  add_job(1, "acme", "report.build");
  add_job(2, "acme", "report.build", "{}", std::chrono::hours{1});
  EXPECT_EQ(run({"tenant", "restore", "acme", copy, "--dry-run"}), 0) << output.error;
  EXPECT_THAT(output.error, HasSubstr("acme, generation 1, is active; the copy is of 2026-03-02T10:14:00"));
  EXPECT_EQ(run({"tenant", "restore", "acme", copy}), 2) << "nobody can be asked";
  expect_nothing_changed();
  EXPECT_EQ(run({"tenant", "restore", "acme", copy, "--yes", "--reason", "ticket 4711"}), 0) << output.error;
  EXPECT_THAT(output.out,
              HasSubstr("restored acme, generation 2, active, from a copy of 2026-03-02T10:14:00"));
  EXPECT_THAT(output.out, HasSubstr("jobs     2 held\n"));
  EXPECT_THAT(output.out, HasSubstr("before   acme.1.db in the graveyard, "));
  EXPECT_THAT(output.out, HasSubstr("next     tenure tenant reconcile acme\n"));
  EXPECT_EQ(tenant().state, TenantState::active);
  EXPECT_EQ(tenant().generation, Generation{2});
  EXPECT_EQ(notes_in(file()), 1);
  EXPECT_EQ(notes_in(buried(1)), 2);
  for (const int seed : {1, 2}) {
    EXPECT_EQ(job(seed).state, queue::ShownState::blocked);
    EXPECT_EQ(job(seed).reason, queue::JobReason::generation);
    EXPECT_EQ(job(seed).generation, Generation{1});
  }
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenure tenant reconcile acme"));
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr(" from a copy of 2026-03-02T10:14:00"));
  EXPECT_THAT(output.out, Not(HasSubstr("deleted")));
  EXPECT_EQ(run({"doctor", "dangling", "stamps", "tenants"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("2 jobs of acme, generation 1, wait since its database was put back"));
  EXPECT_EQ(run({"store", "audit", "verb=tenant restore", "--columns", "subject,reason"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("acme, generation 1, begun, a copy of 2026-03-02T10:14:00Z, generation 1"));
  EXPECT_THAT(output.out, HasSubstr("ticket 4711"));
}

TEST_F(TenantRestores, TheOldFileIsPutBackAsAnyCopyIs) {
  restore();
  EXPECT_EQ(run({"tenant", "restore", "acme", buried(1).string(), "--yes", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out,
              HasSubstr(R"({"schema":"tenure.tenant.restore/1","item":{"name":"acme","generation":3,)"));
  EXPECT_EQ(notes_in(file()), 2);
  EXPECT_TRUE(fs::exists(buried(1)));
  EXPECT_TRUE(fs::exists(buried(2)));
}

TEST_F(TenantRestores, WhatIsNotThisTenantsCopyIsRefusedBeforeAnythingIsChanged) {
  EXPECT_EQ(run({"tenant", "create", "beta"}), 0);
  EXPECT_EQ(run({"tenant", "restore", "beta", copy, "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("the copy is of the tenant acme, and not of beta"));
  EXPECT_EQ(run({"tenant", "restore", "nobody", copy, "--yes"}), 1);
  EXPECT_EQ(run({"tenant", "restore", "acme", file().string(), "--yes"}), 2);
  EXPECT_THAT(output.error, HasSubstr("the tenant's database itself"));
  EXPECT_NE(run({"tenant", "restore", "acme", (folder / "none.db").string(), "--yes"}), 0);
  std::ofstream{folder / "text.db"} << std::string(8192, 'x');
  EXPECT_NE(run({"tenant", "restore", "acme", (folder / "text.db").string(), "--yes"}), 0);
  EXPECT_THAT(output.error, HasSubstr("DatabaseDamaged"));
  {
    sqlite::Connection other{folder / "other.db", {.access = sqlite::Access::create}};
    other.execute({"script", "create table t(x)"});
  }
  EXPECT_EQ(run({"tenant", "restore", "acme", (folder / "other.db").string(), "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("carries no stamp"));
  expect_nothing_changed();
}

TEST_F(TenantRestores, ACopyThatHasHadMoreMigrationsThanThereAreIsRefused) {
  fs::create_directory(folder / "migrations");
  std::ofstream{folder / "migrations/0001_more.sql"} << "create table more(x)";
  environment.variables.emplace_back("TENURE_TENANTS_MIGRATIONS", (folder / "migrations").string());
  const std::string newer = (folder / "newer.db").string();
  EXPECT_EQ(run({"tenant", "create", "newer"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "backup", "newer", newer}), 0) << output.error;
  fs::remove(folder / "migrations/0001_more.sql");
  EXPECT_EQ(run({"tenant", "restore", "newer", newer, "--yes"}), 78);
  EXPECT_THAT(output.error, HasSubstr("the copy has had 1 migrations, and tenants.migrations has 0"));
  EXPECT_EQ(store->registry().find(TenantName{"newer"})->generation, Generation{1});
}

TEST_F(TenantRestores, WhatRunsHasUntilTheDrainLimitAndIsThenToldToStop) {
  add_job(1, "acme", "report.build");
  const queue::ClaimedJob running = claim(1);
  const auto daemon = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(daemon);
  EXPECT_EQ(run({"tenant", "restore", "acme", copy, "--yes", "--drain", "2s"}), 75);
  EXPECT_THAT(output.error,
              HasSubstr("1 job of acme still runs; it is draining, and the same command goes on"));
  EXPECT_EQ(run({"doctor", "tenants"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme is draining since "));
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant restore acme FILE\n"));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("is being put back from a copy"));
  EXPECT_EQ(notes_in(file()), 2);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded({running.seq, running.token}, clock.wall()));
  });
  restore();
  EXPECT_EQ(tenant().generation, Generation{2});
  EXPECT_EQ(notes_in(file()), 1);
}

TEST_F(TenantRestores, WhatADaemonThatDiedHasLeftRunningWaitsAndItsClaimIsVoid) {
  add_job(1, "acme", "report.build");
  const queue::ClaimedJob running = claim(1);
  restore();
  EXPECT_EQ(job(1).state, queue::ShownState::blocked);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_FALSE(writer.finish_succeeded({running.seq, running.token}, clock.wall()));
  });
}

TEST_F(TenantRestores, WhatHadNotLeftTheOutboxWaitsAsAJob) {
  leave_row(folder.path(), "acme", job_on_its_way("acme", 7, clock.wall(), R"({"n":7})"));
  leave_row(folder.path(), "acme", job_on_its_way("beta", 8, clock.wall()));
  leave_row(folder.path(), "acme", job_on_its_way("acme", 9, clock.wall()));
  restore();
  EXPECT_THAT(output.out, HasSubstr("jobs     2 held\n"));
  EXPECT_THAT(output.out, HasSubstr("outbox   2 of them had not left the database that was put away\n"));
  EXPECT_THAT(output.out, HasSubstr("refused  row 2: "));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--restamp", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "re-stamped 2 jobs\n");
  EXPECT_EQ(run({"job", "list", "kind=mail.send", "state=ready,held", "--columns", "id,generation"}), 0);
  EXPECT_THAT(output.out, HasSubstr("2"));
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("numbers     0 given, taken over up to 0\n"));
}

TEST_F(TenantRestores, ADamagedDatabaseIsWhatCopiesAreFor) {
  fs::remove(file().string() + "-wal");
  std::ofstream{file(), std::ios::trunc} << std::string(8192, 'x');
  restore();
  EXPECT_EQ(notes_in(file()), 1);
  EXPECT_EQ(fs::file_size(buried(1)), 8192U);
  fs::remove(file());
  EXPECT_EQ(run({"tenant", "restore", "acme", copy, "--yes"}), 0) << output.error;
  EXPECT_EQ(tenant().generation, Generation{3});
}

TEST_F(TenantRestores, ADeletedTenantIsPutBackToo) {
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  restore();
  EXPECT_EQ(tenant().generation, Generation{2});
  EXPECT_EQ(notes_in(file()), 1);
}

// By whatever file its creator has left in place: it is not served before its row says so.
TEST_F(TenantRestores, InterruptedBeforeTheNewFileIsThereTheSameCommandGoesOn) {
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.begin_restore(
        {.tenant = TenantName{"acme"}, .copied = clock.wall(), .copied_generation = Generation{1}},
        clock.wall()));
    value_or_raise(writer.begin_next(TenantName{"acme"}, 0, clock.wall(), clock.wall()));
  });
  fs::create_directories(folder / "tenants/.graveyard");
  fs::rename(file(), buried(1));
  EXPECT_EQ(run({"tenant", "create", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("is being put back from a copy"));
  clock.advance(std::chrono::hours{2});
  EXPECT_EQ(run({"doctor", "tenants"}), 0);
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant restore acme FILE\n"));
  restore();
  EXPECT_EQ(tenant().state, TenantState::active);
  EXPECT_EQ(notes_in(file()), 1);
}

TEST_F(TenantRestores, ReconcilingListsWhatWaitsAndWhatHasEndedSinceTheCopy) {
  add_job(1, "acme", "report.build");
  add_job(2, "acme", "report.build");
  add_job(3, "acme", "report.build");
  succeed(1);
  die(2, "no such mailbox");
  restore();
  add_job(4, "acme", "report.build");
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--columns", "id,state"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("from a copy of 2026-03-02T10:14:00"));
  EXPECT_THAT(output.out, HasSubstr("waiting: 1 job; --restamp or --cancel\n"));
  EXPECT_THAT(output.out, HasSubstr("ended since the copy: 2 jobs; --rerun\n"));
  EXPECT_THAT(output.out, HasSubstr(job_id(3).text() + "  blocked"));
  EXPECT_THAT(output.out, HasSubstr(job_id(1).text() + "  succeeded"));
  EXPECT_THAT(output.out, Not(HasSubstr(job_id(4).text())));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("waiting_count":1,"ended_count":2)"));

  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--restamp", "--rerun"}), 2);
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--restamp", "--cancel", "--yes"}), 2);
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--rerun", "--restamp", "--dry-run"}), 0);
  EXPECT_THAT(output.error, HasSubstr("to do: re-stamp 1 job, rerun 2 jobs"));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "state=succeeded", "--rerun", "--yes", "--json"}), 0)
      << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("rerun":1,"skipped":0,"failed":[])"));
  EXPECT_EQ(job(1).generation, Generation{2});
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(job(2).state, queue::ShownState::dead);
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--cancel", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "cancelled 1 job\n");
  EXPECT_EQ(job(3).state, queue::ShownState::cancelled);
  EXPECT_EQ(run({"store", "audit", "verb=tenant reconcile", "--columns", "subject,count"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme, generation 2: rerun"));
}

TEST_F(TenantRestores, WithTheTenantGoTheJobsThatWaitOfWhatWasPutAway) {
  add_job(1, "acme", "report.build");
  restore();
  EXPECT_EQ(run({"tenant", "delete", "acme", "--dry-run"}), 0) << output.error;
  EXPECT_THAT(output.error, HasSubstr("jobs: 1 blocked"));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("jobs     1 blocked; cancelled 1 that waited and 0 that ran\n"));
  EXPECT_EQ(job(1).state, queue::ShownState::cancelled);
}

// What has ended since is in the file that was taken back.
TEST_F(TenantRestores, TheCopyOfAnEarlierGenerationIsNoBound) {
  add_job(1, "acme", "report.build");
  succeed(1);
  restore();
  add_job(2, "acme", "report.build");
  clock.advance(std::chrono::minutes{1});
  succeed(2);
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 0) << output.error;
  ASSERT_EQ(tenant().generation, Generation{3});
  EXPECT_EQ(run({"tenant", "reconcile", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("acme, generation 3: its database is no copy that was put back\n"));
  EXPECT_THAT(output.out, Not(HasSubstr(job_id(2).text())));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--rerun", "--yes"}), 1);
  EXPECT_EQ(job(2).state, queue::ShownState::succeeded);
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("deleted  acme, generation 3\n"));
}

TEST_F(TenantRestores, WhatWasToldToStopIsNamedAndCanBeRerun) {
  add_job(1, "acme", "report.build");
  const queue::ClaimedJob running = claim(1);
  const auto daemon = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(daemon);
  on_pause = [&] {
    clock.advance(std::chrono::seconds{1});
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      if (writer.cancel_requests(queue::CancelNumber{0}, 10).empty()) return;
      value_or_raise(writer.cancel({running.seq, running.token}, true, {}, clock.wall()));
    });
    return true;
  };
  EXPECT_EQ(run({"tenant", "restore", "acme", copy, "--yes", "--drain", "2s"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("jobs     0 held, 1 told to stop\n"));
  clock.advance(std::chrono::minutes{1});
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--columns", "id,state"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("cancelled while it was put away: 1 job; --rerun\n"));
  EXPECT_THAT(output.out, HasSubstr(job_id(1).text() + "  cancelled"));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("waiting_count":0,"ended_count":0,"stopped_count":1)"));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--rerun", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "rerun 0 jobs\nrerun of those cancelled 1 job\n");
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(job(1).generation, Generation{2});
}

TEST_F(TenantRestores, WhatIsCancelledLaterIsNotRerun) {
  add_job(1, "acme", "report.build");
  restore();
  clock.advance(std::chrono::minutes{1});
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--cancel", "--yes"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "reconcile", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, Not(HasSubstr(job_id(1).text())));
}

// The graveyard's owner, who erases, has been there meanwhile.
TEST_F(TenantRestores, ACopyThatGoesMeanwhileStopsItBeforeTheNextGeneration) {
  add_job(1, "acme", "report.build");
  const queue::ClaimedJob running = claim(1);
  auto daemon = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(daemon);
  const std::string kept = copy + ".kept";
  on_pause = [&] {
    if (fs::exists(copy)) fs::rename(copy, kept);
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(writer.finish_succeeded({running.seq, running.token}, clock.wall()));
    });
    return true;
  };
  EXPECT_NE(run({"tenant", "restore", "acme", copy, "--yes"}), 0);
  EXPECT_THAT(output.error, HasSubstr("the copy is another one by now, or gone"));
  EXPECT_EQ(tenant().state, TenantState::draining);
  EXPECT_EQ(tenant().generation, Generation{1});
  EXPECT_TRUE(fs::exists(file()));
  EXPECT_EQ(run({"tenant", "restore", "acme", kept, "--yes"}), 0) << output.error;
  EXPECT_EQ(tenant().generation, Generation{2});
}

TEST_F(TenantRestores, WithoutARestoreThereIsNothingToReconcile) {
  EXPECT_EQ(run({"tenant", "reconcile", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("no copy was ever put in the place of its database"));
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--rerun", "--yes"}), 1);
  EXPECT_EQ(run({"tenant", "reconcile", "nobody"}), 1);
}

}  // namespace
}  // namespace tenure::cli
