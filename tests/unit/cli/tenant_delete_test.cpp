#include "file_program.hpp"
#include "outbox_rows.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// `tenure tenant delete` and `undelete`.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

class TenantDeletes : public FileProgram {
 protected:
  TenantDeletes() {
    EXPECT_EQ(run({"tenant", "create", "acme"}), 0) << output.error;
    add_job(1, "acme", "report.build");
    add_job(2, "acme", "report.build", "{}", std::chrono::hours{1});
  }
  TenantRecord tenant() { return *store->registry().find(TenantName{"acme"}); }
  [[nodiscard]] fs::path file() const { return folder / "tenants/acme.db"; }
  [[nodiscard]] fs::path buried(int generation) const {
    return folder / "tenants/.graveyard" / ("acme." + std::to_string(generation) + ".db");
  }
  queue::DeletionStep step(std::int64_t number = 1) {
    queue::DeletionStep step{};
    store->read([&](queue::JobReader& reader) { step = reader.deletion(TenantNumber{number})->step; });
    return step;
  }
  void expect_nothing_changed() {
    EXPECT_EQ(tenant().state, TenantState::active);
    for (const int seed : {1, 2}) EXPECT_NE(job(seed).state, queue::ShownState::cancelled) << seed;
  }
  // As a dispatcher does at an operator's request.
  void cancel_run(const queue::ClaimedJob& job) {
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      const auto asked = writer.cancel_requests(queue::CancelNumber{0}, 10);
      if (!asked.empty()) value_or_raise(writer.cancel({job.seq, job.token}, true, {}, clock.wall()));
    });
  }
};

TEST_F(TenantDeletes, REG_16_TheReceiptHasTheJobsByStateTheFilesWithSizesAndTheDateOfErasure) {
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--reason", "left us"}), 0) << output.error;
  const auto size = std::to_string(fs::file_size(buried(1)));
  EXPECT_EQ(output.out,
            "deleted  acme, generation 1\n"
            "jobs     1 scheduled, 1 ready; cancelled 2 that waited and 0 that ran\n"
            "file     acme.1.db in the graveyard, " +
                size +
                "\n"
                "erased   2026-03-09T10:14:00Z\n"
                "undo     until then: tenure tenant undelete acme\n");
  EXPECT_EQ(tenant().state, TenantState::deleted);
  EXPECT_FALSE(fs::exists(file()));
  for (const int seed : {1, 2}) EXPECT_EQ(job(seed).state, queue::ShownState::cancelled);
  EXPECT_EQ(run({"store", "audit", "verb=tenant delete", "--columns", "subject,count,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme, generation 1, draining"));
  EXPECT_THAT(output.out, HasSubstr("acme, generation 1, cancelled"));
  EXPECT_THAT(output.out, HasSubstr("acme, generation 1, deleted"));
  EXPECT_THAT(output.out, HasSubstr("left us"));

  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--json"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr(R"({"schema":"tenure.tenant.delete/1","item":{"name":"acme","generation":2,)"
                        R"("jobs":{},"cancelled":0,"stopped":0,"files":[{"name":"acme.2.db",)"));
  EXPECT_THAT(output.out, HasSubstr(R"("erase_at":"2026-03-09T10:14:00Z","dry_run":false)"));
}

TEST_F(TenantDeletes, TheFolderOfItsFilesGoesAlongAndComesBack) {
  const fs::path own = folder / "tenants/.folders";
  fs::create_directories(own / "acme.1/exports");
  std::ofstream(own / "acme.1/exports/list.csv") << "milk";
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("acme.1.folder in the graveyard, 4"));
  EXPECT_TRUE(fs::exists(folder / "tenants/.graveyard/acme.1.folder/exports/list.csv"));
  EXPECT_TRUE(fs::is_empty(own));
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 0) << output.error;
  EXPECT_TRUE(fs::exists(own / "acme.2/exports/list.csv"));
  EXPECT_FALSE(fs::exists(folder / "tenants/.graveyard/acme.1.folder"));
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
  fs::create_directories(own / "acme.1");
  EXPECT_EQ(run({"doctor", "stamps"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme.1 lies in .folders, and there is no such generation of a tenant"));
}

TEST_F(TenantDeletes, ItsNameIsTypedAgain) {
  EXPECT_EQ(run({"tenant", "delete", "acme"}), 2);
  EXPECT_THAT(output.error, HasSubstr("say --confirm acme to delete it"));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "apex"}), 2);
  EXPECT_EQ(run({"tenant", "delete", "acme", "--dry-run"}), 0);
  EXPECT_THAT(output.error, HasSubstr("acme, generation 1, is active; jobs: 1 scheduled, 1 ready"));
  on_terminal(80);
  answer = "y";
  EXPECT_EQ(run({"tenant", "delete", "acme"}), 1);
  EXPECT_EQ(tenant().state, TenantState::active);
  answer = "acme";
  EXPECT_EQ(run({"tenant", "delete", "acme"}), 0) << output.error;
  EXPECT_EQ(tenant().state, TenantState::deleted);
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("was deleted in generation 1"));
  EXPECT_EQ(run({"tenant", "delete", "nobody", "--confirm", "nobody"}), 1);
}

TEST_F(TenantDeletes, WhatRunsHasUntilTheDrainLimitAndIsThenToldToStop) {
  const queue::ClaimedJob running = claim(1);
  const auto daemon = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(daemon);
  int looks = 0;
  on_pause = [&] {
    ++looks;
    cancel_run(running);
    return true;
  };
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--drain", "2s"}), 0) << output.error;
  EXPECT_EQ(looks, 5) << "four until the limit, and one behind it";
  EXPECT_THAT(output.out, HasSubstr("cancelled 1 that waited and 1 that ran"));
  EXPECT_EQ(job(1).state, queue::ShownState::cancelled);
}

TEST_F(TenantDeletes, EachThatRunsIsToldToStopHoweverManyThereAre) {
  constexpr int kRunning = 620;
  for (int seed = 3; seed < 3 + kRunning; ++seed) add_job(seed, "acme", "report.build");
  std::vector<queue::ClaimedJob> running;
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    const auto incarnation = writer.open_incarnation(1, "app-1", 812, clock.wall());
    for (const queue::Lane& lane : writer.reader().lanes(std::nullopt, 100))
      running = writer
                    .claim({.queue = lane.queue,
                            .priority = lane.priority,
                            .tenant = lane.tenant,
                            .kinds = {{lane.kind, std::nullopt}},
                            .count = 1000,
                            .incarnation = incarnation,
                            .first_counter = 1,
                            .process = queue::ProcessNumber{3}},
                           clock.wall())
                    .jobs;
  });
  ASSERT_EQ(std::ssize(running), kRunning + 1);
  const auto daemon = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(daemon);
  on_pause = [] { return true; };
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--drain", "2s"}), 75);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_EQ(std::ssize(writer.cancel_requests(queue::CancelNumber{0}, 1000)), kRunning + 1);
  });
}

TEST_F(TenantDeletes, WhatTakesNoNoticeIsNamedAndTheSameCommandGoesOn) {
  const queue::ClaimedJob running = claim(1);
  const auto daemon = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(daemon);
  on_pause = [] { return true; };
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--drain", "2s"}), 75);
  EXPECT_THAT(output.error,
              HasSubstr("1 job of acme still runs; it is draining, and the same command goes on"));
  EXPECT_EQ(tenant().state, TenantState::draining);
  EXPECT_TRUE(fs::exists(file()));
  EXPECT_EQ(run({"doctor", "tenants"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  tenants   acme is draining since "));
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant delete acme\n"));
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("the deletion of acme is under way"));
  cancel_run(running);
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_EQ(tenant().state, TenantState::deleted);
}

TEST_F(TenantDeletes, WhatADaemonThatDiedHasLeftRunningEnds) {
  static_cast<void>(claim(1));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("cancelled 1 that waited and 1 that ran"));
  EXPECT_EQ(job(1).state, queue::ShownState::cancelled);
}

TEST_F(TenantDeletes, AFileOfAnotherTenantOrGenerationIsLeftWhereItIs) {
  {
    sqlite::Connection connection{file(), {}};
    sqlite::WriteTransaction transaction{connection};
    Stamp stamp = *read_stamp(connection);
    stamp.generation = Generation{9};
    write_stamp(connection, stamp);
    transaction.commit();
  }
  EXPECT_EQ(run({"tenant", "delete", "acme", "--dry-run"}), 1);
  EXPECT_THAT(output.error, HasSubstr("StaleGeneration"));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("StaleGeneration"));
  EXPECT_TRUE(fs::exists(file()));
  expect_nothing_changed();
}

TEST_F(TenantDeletes, AFileThatCannotBeBuriedCostsNoJobAndNoTenant) {
  fs::rename(file(), folder / "elsewhere.db");
  fs::create_symlink(folder / "elsewhere.db", file());
  EXPECT_EQ(run({"tenant", "delete", "acme", "--dry-run"}), 78) << output.error;
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 78) << output.error;
  EXPECT_THAT(output.error, HasSubstr("a symbolic link"));
  expect_nothing_changed();
  fs::remove(file());
  std::ofstream{file()} << std::string(8192, 'x');
  EXPECT_NE(run({"tenant", "delete", "acme", "--dry-run"}), 0);
  EXPECT_NE(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0);
  EXPECT_THAT(output.error, HasSubstr("DatabaseDamaged"));
  expect_nothing_changed();
}

// A log without its index is nothing that a look may read, and no obstacle to a burial.
TEST_F(TenantDeletes, OneThatOnlyAWriterCanReadGoes) {
  const fs::path log = file().string() + "-wal";
  {
    sqlite::Connection connection{file(), {}};
    connection.execute({"script", "create table kept(x)"});
    fs::copy_file(log, folder / "log");
  }
  fs::copy_file(folder / "log", log, fs::copy_options::overwrite_existing);
  ASSERT_FALSE(fs::exists(file().string() + "-shm"));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_EQ(tenant().state, TenantState::deleted);
}

TEST_F(TenantDeletes, OneWhoseFileIsMissingGoesToo) {
  fs::remove(file());
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("file     none: it was missing\n"));
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("does not lie in the graveyard"));
}

TEST_F(TenantDeletes, TakenBackItIsActiveInANewGenerationWithoutWhatWasOnItsWay) {
  leave_row(folder.path(), "acme", job_on_its_way("acme", 7, clock.wall(), "{}"));
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "undelete", "acme", "--dry-run"}), 0);
  EXPECT_EQ(tenant().state, TenantState::deleted);
  EXPECT_EQ(run({"tenant", "undelete", "acme", "--reason", "a mistake"}), 0) << output.error;
  EXPECT_EQ(output.out,
            "acme is active again, generation 2, with the database of generation 1; the jobs that "
            "were cancelled stay so\n");
  EXPECT_EQ(step(), queue::DeletionStep::taken_back);
  EXPECT_FALSE(fs::exists(buried(1)));
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("numbers     0 given, taken over up to 0\n"));
  EXPECT_EQ(job(1).state, queue::ShownState::cancelled);
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("nothing of acme lies in the graveyard; it is active"));
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
}

TEST_F(TenantDeletes, BesideANewTenantOfThatNameNothingIsTakenBack) {
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantExists"));
  EXPECT_TRUE(fs::exists(buried(1)));
}

TEST_F(TenantDeletes, WhatWasInterruptedIsNamedByTheCommandThatGoesOn) {
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0);
  value_or_raise(store->registry().begin_create(TenantName{"acme"}, clock.wall()));
  clock.advance(std::chrono::hours{1});
  const fs::path lock = folder / "tenants/.building/acme.lock";
  std::ofstream{lock} << "2\n";
  EXPECT_EQ(run({"doctor", "tenants", "stamps"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant create acme\n"));
  EXPECT_THAT(output.out, Not(HasSubstr("tenant undelete")));
  std::ofstream{lock} << "2 acme.1.db\n";
  EXPECT_EQ(run({"doctor", "tenants", "stamps"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant undelete acme\n"));
  EXPECT_THAT(output.out, Not(HasSubstr("tenant create acme")));
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 0) << output.error;
  EXPECT_EQ(tenant().state, TenantState::active);
}

TEST_F(TenantDeletes, AnInterruptedCloneOrAdoptionIsNamedByItsOwnCommand) {
  value_or_raise(store->registry().begin_create(TenantName{"beta"}, clock.wall()));
  clock.advance(std::chrono::hours{2});
  const fs::path lock = folder / "tenants/.building/beta.lock";
  std::ofstream{lock} << "1 clone:acme\n";
  EXPECT_EQ(run({"doctor", "tenants", "stamps"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant clone acme beta\n"));
  EXPECT_THAT(output.out, Not(HasSubstr("tenant create beta")));
  std::ofstream{lock} << "";
  EXPECT_EQ(run({"doctor", "tenants"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant create beta\n"));
  fs::copy_file(file(), folder / "tenants/beta.db");
  EXPECT_EQ(run({"doctor", "tenants"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant adopt beta\n"));
}

TEST_F(TenantDeletes, BehindTheWindowItIsRefused) {
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme"}), 0);
  clock.advance(std::chrono::hours{7 * 24});
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("was over at 2026-03-09T10:14:00Z"));
  EXPECT_EQ(tenant().state, TenantState::deleted);
}

}  // namespace
}  // namespace tenure::cli
