#include "sqlite/defects.hpp"

#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

// What is wrong with a store, planted by hand: each kind is found, and what can be mended is.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

struct Planted {
  Defect defect;
  const char* sql;
  const char* example;
};

class Defects : public ::testing::Test {
 protected:
  Defects() {
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      static_cast<void>(writer.open_incarnation(1, "app-1", 812, clock_.wall()));
      for (std::uint8_t number = 1; number <= 6; ++number) {
        Uuid::Bytes bytes{};
        bytes[15] = number;
        NewJob job{.id = JobId{Uuid{bytes}},
                   .queue = "default",
                   .kind = "billing.close",
                   .attempts_max = 10,
                   .arguments = "{}"};
        job.due = clock_.wall() + std::chrono::hours(number < 4 ? 1 : 0);
        static_cast<void>(value_or_raise(writer.enqueue(job, clock_.wall())));
      }
    });
  }
  void execute(const std::string& sql) {
    sqlite::Connection(path_, {}).execute({"script", "pragma ignore_check_constraints = 1; " + sql});
  }
  std::vector<DefectRecord> found() {
    std::vector<DefectRecord> list;
    store_->read([&](JobReader& reader) { list = reader.defects(PageCheck::full); });
    return list;
  }

  std::vector<DefectPlace> places(Defect defect, std::size_t limit = 100) {
    std::vector<DefectPlace> list;
    store_->read([&](JobReader& reader) { list = reader.places_to_mend(defect, limit); });
    return list;
  }
  std::int64_t mended(const std::vector<DefectPlace>& places) {
    std::int64_t count = 0;
    store_->write(Durability::ordered, [&](StoreWriter& writer) { count = writer.mend(places); });
    return count;
  }
  std::int64_t mended(Defect defect, std::size_t limit = 100) { return mended(places(defect, limit)); }
  // Of rows: a table, and what they must be like.
  std::int64_t count(const std::string& rows) {
    sqlite::Connection connection(path_, {});
    const std::string sql = "select count(*) from " + rows;
    const sqlite::Query query{"count", sql};
    return connection.statement(query).row().integer(0);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  std::unique_ptr<Store> store_ = open_sqlite_store({.path = path_, .create = true}, clock_);
};

constexpr const char* kPlaceless = "delete from scheduled where seq = 1";

constexpr std::array kPlanted{
    Planted{Defect::job_in_no_place, kPlaceless, "seq 1"},
    Planted{
        Defect::job_in_several_places,
        "insert into ready select queue, priority, tenant, kind, due_us, seq from scheduled where seq = 2",
        "seq 2: in ready, scheduled"},
    Planted{Defect::job_in_several_places,
            "update job set state = 5 where seq = 4; insert into ended values (1, 4, 0, 0)",
            "seq 4: has ended in two ways"},
    Planted{Defect::row_without_job, "insert into ready values (1, 0, 0, 1, 5, 77)", "ready, seq 77"},
    Planted{Defect::row_without_job, "insert into scheduled values (5, 77, 1, 0, 0, 1)", "scheduled, seq 77"},
    Planted{Defect::row_without_job, "insert into blocked values (77, 3, 1, 0, 0, 1, 5)", "blocked, seq 77"},
    Planted{Defect::row_without_job, "insert into claim values (77, 1, 1, 1, 'a key', 5)", "claim, seq 77"},
    Planted{Defect::row_without_job, "insert into progress values (77, 1, 2, 0, 0, '', 5)",
            "progress, seq 77"},
    Planted{Defect::row_without_job, "insert into cancel_request values (1, 77, 1, 2, 5)",
            "cancel_request, seq 77"},
    Planted{Defect::row_without_job, "insert into job_cursor values (77, x'01', 5)", "job_cursor, seq 77"},
    Planted{Defect::job_in_several_places, "update scheduled set queue = 2 where seq = 1",
            "seq 1: in scheduled, and not as its own row says"},
    Planted{Defect::job_in_several_places, "update scheduled set priority = 7 where seq = 1",
            "seq 1: in scheduled, and not as its own row says"},
    Planted{Defect::job_in_several_places, "update scheduled set tenant = 7 where seq = 1",
            "seq 1: in scheduled, and not as its own row says"},
    Planted{Defect::job_in_several_places, "update scheduled set kind = 2 where seq = 1",
            "seq 1: in scheduled, and not as its own row says"},
    Planted{
        Defect::job_in_several_places,
        "insert into blocked select seq, 3, queue, priority, tenant, kind, due_us + 1 from scheduled where "
        "seq = 3; delete from scheduled where seq = 3",
        "seq 3: in blocked, and not as its own row says"},
    Planted{Defect::wrong_counter, "delete from mark where name = 'absorbed'",
            "the mark 'absorbed' is missing"},
    Planted{Defect::row_without_job, "insert into job_key values (77, '0/a', 1)", "job_key, seq 77"},
    Planted{Defect::row_without_job, "insert into unique_key values (77, '0/a', 1, 1)", "unique_key, seq 77"},
    Planted{Defect::row_without_job, "insert into key_line values ('0/a', 0, 0, 5, 3)", "key_line, seq 3"},
    Planted{Defect::blocked_without_cause,
            "insert into blocked select seq, 11, queue, priority, tenant, kind, due_us from scheduled where "
            "seq = 3;"
            "delete from scheduled where seq = 3; insert into job_key values (3, '0/a', 1)",
            "seq 3"},
    Planted{Defect::row_without_job, "insert into suspect values (77, 1, 0, 1, 1)", "suspect, seq 77"},
    Planted{Defect::row_without_job,
            "insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process)"
            " values (77, 1, 1, 5, 1, 1, 1)",
            "attempt, seq 77"},
    Planted{Defect::blocked_without_cause,
            "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from scheduled where "
            "seq = 3;"
            "delete from scheduled where seq = 3",
            "seq 3"},
    Planted{Defect::blocked_without_cause,
            "insert into blocked select seq, 10, queue, priority, tenant, kind, due_us from scheduled where "
            "seq = 3;"
            "delete from scheduled where seq = 3",
            "seq 3"},
    Planted{Defect::claim_without_holder, "insert into claim values (5, 99, 1, 1, null, 5)", "seq 5"},
    Planted{Defect::wrong_counter,
            "update mark set seq = 900 where name = 'withdrawn'; insert into ready"
            " select queue, priority, tenant, kind, due_us, seq from job where seq > 3;"
            "update mark set seq = 900 where name = 'absorbed'",
            "the mark 'absorbed' is 900"},
    Planted{Defect::wrong_range, "insert into job_range values (1, 6, x'0700000000000000')",
            "the range from 1"},
};

}  // namespace

TEST_F(Defects, AWholeStoreHasNone) { EXPECT_TRUE(found().empty()); }

TEST_F(Defects, EachKindIsFoundAloneAndSaysWhere) {
  for (const Planted& planted : kPlanted) {
    SCOPED_TRACE(planted.sql);
    const TemporaryFolder folder;
    store_.reset();
    const auto original = path_;
    path_ = folder / "control.db";
    std::filesystem::copy_file(original, path_);
    execute(planted.sql);
    store_ = open_sqlite_store({.path = path_}, clock_);
    const auto defects = found();
    ASSERT_EQ(defects.size(), 1U);
    EXPECT_EQ(name_of(defects[0].defect), name_of(planted.defect));
    EXPECT_EQ(defects[0].count, 1);
    EXPECT_EQ(defects[0].example, planted.example);
    store_.reset();
    path_ = original;
    store_ = open_sqlite_store({.path = path_}, clock_);
  }
}

TEST_F(Defects, RowsWithoutAJobAreRemovedInPieces) {
  for (const Planted& planted : kPlanted)
    if (planted.defect == Defect::row_without_job) execute(planted.sql);
  ASSERT_EQ(found().at(0).count, 12);
  EXPECT_EQ(mended(Defect::row_without_job, 2), 2);
  EXPECT_EQ(found().at(0).count, 10);
  EXPECT_EQ(mended(Defect::row_without_job), 10);
  EXPECT_EQ(mended(Defect::row_without_job), 0);
  EXPECT_TRUE(found().empty());
}

TEST_F(Defects, AJobThatIsBlockedWithoutCauseIsReadyAndAHintSaysSo) {
  execute(
      "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from scheduled where seq = 1;"
      "insert into blocked select seq, 10, queue, priority, tenant, kind, due_us from scheduled where seq = "
      "2;"
      "insert into suspect values (2, 1, 0, 1, 1); delete from scheduled where seq in (1, 2)");
  std::vector<JobArrival> hints;
  const auto causeless = places(Defect::blocked_without_cause);
  store_->write(Durability::ordered, [&](StoreWriter& writer) {
    EXPECT_EQ(writer.mend(causeless), 1);
    hints = writer.take_lane_hints(100);
  });
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].seq, JobSeq{1});
  EXPECT_EQ(hints[0].state, JobState::ready);
  EXPECT_TRUE(found().empty());
}

TEST_F(Defects, ASuspectThatIsNotNotedAsOneIsNotedAndStaysBlocked) {
  execute(
      "insert into blocked select seq, 10, queue, priority, tenant, kind, due_us from scheduled where seq = "
      "1;"
      "delete from scheduled where seq = 1");
  EXPECT_EQ(mended(Defect::blocked_without_cause), 1);
  EXPECT_EQ(mended(Defect::blocked_without_cause), 0);
  EXPECT_TRUE(found().empty());
  EXPECT_EQ(count("blocked where seq = 1 and reason = 10"), 1);
  EXPECT_EQ(count("suspect where seq = 1 and deaths = 1 and trial = 0"), 1);
}

// What it has done stays noted: it is neither ready, nor in company from then on.
TEST_F(Defects, ASuspectThatIsBlockedForNoReasonIsBlockedAsOneAgainAndAHintSaysSo) {
  execute(
      "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from scheduled where seq in "
      "(1, 2);"
      "insert into suspect values (1, 0, 0, 1, 1), (2, 2, 2, 1, 7); delete from scheduled where seq in (1, "
      "2)");
  std::vector<JobArrival> hints;
  const auto causeless = places(Defect::blocked_without_cause);
  store_->write(Durability::ordered, [&](StoreWriter& writer) {
    EXPECT_EQ(writer.mend(causeless), 2);
    hints = writer.take_lane_hints(100);
  });
  ASSERT_EQ(hints.size(), 2U);
  EXPECT_EQ(hints[0].state, JobState::blocked);
  EXPECT_TRUE(found().empty());
  EXPECT_EQ(count("blocked where seq in (1, 2) and reason = 10"), 2);
  EXPECT_EQ(count("suspect where seq = 1 and deaths = 0"), 1);
  EXPECT_EQ(count("suspect where seq = 2 and deaths = 2 and trial = 2 and counter = 7"), 1);
}

// Put into a lane it would start a second time.
TEST_F(Defects, AJobThatWaitsForAKeyInNoLineIsReadyAndWhoStandsThereIsLeftAlone) {
  execute(
      "insert into job_key select seq, '0/a', 1 from job where seq <= 2; insert into blocked select seq, 11, "
      "queue, priority, tenant, kind, due_us from scheduled where seq <= 2; insert into key_line select "
      "'0/a', "
      "tenant, priority, due_us, seq from scheduled where seq = 2; delete from scheduled where seq <= 2");
  EXPECT_EQ(mended(Defect::blocked_without_cause), 1);
  EXPECT_TRUE(found().empty());
  EXPECT_EQ(count("blocked where seq = 2 and reason = 11"), 1);
  EXPECT_EQ(count("key_line"), 2) << "the line is not empty, so it stands behind the other one";
  EXPECT_EQ(mended(Defect::blocked_without_cause), 0);
}

TEST_F(Defects, AJobThatIsBlockedAndStandsElsewhereTooIsLeftAlone) {
  const std::string blocked =
      "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from job where seq = ";
  execute(blocked + "1; " + blocked + "4; insert into claim values (4, 1, 1, 1, null, 5); " + blocked +
          "5; insert into ended values (1, 5, 0, 0); " + blocked + "6");
  EXPECT_EQ(mended(Defect::blocked_without_cause), 0);
  EXPECT_EQ(mended(Defect::row_without_job), 0);
  EXPECT_EQ(count("blocked"), 4);
  const auto defects = found();
  ASSERT_EQ(defects.size(), 1U);
  EXPECT_EQ(defects[0].defect, Defect::job_in_several_places);
  EXPECT_EQ(defects[0].count, 4);
}

TEST_F(Defects, ARowOfAJobThatHasEndedIsRemoved) {
  execute(
      "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from scheduled where seq = 1;"
      "update job set state = 5 where seq in (1, 2); delete from scheduled where seq = 1");
  EXPECT_EQ(mended(Defect::blocked_without_cause), 0);
  EXPECT_EQ(mended(Defect::row_without_job), 2);
  EXPECT_TRUE(found().empty());
}

TEST_F(Defects, ARowThatDisagreesWithItsJobIsKept) {
  for (const char* const change :
       {"queue = 2", "priority = 7", "tenant = 7", "kind = 2", "due_us = due_us + 1"}) {
    SCOPED_TRACE(change);
    execute(
        "update job set state = 1 where seq = 4; insert into ready select queue, priority, "
        "tenant, kind, due_us, seq from job where seq = 4");
    execute(std::string{"update ready set "} + change + " where seq = 4");
    EXPECT_EQ(mended(Defect::row_without_job), 0);
    EXPECT_EQ(mended(Defect::job_in_several_places), 0);
    EXPECT_EQ(count("ready where seq = 4"), 1);
    const auto defects = found();  // of one job two
    ASSERT_EQ(defects.size(), 2U);
    EXPECT_EQ(defects[0].defect, Defect::job_in_no_place);
    EXPECT_EQ(defects[1].defect, Defect::job_in_several_places);
    EXPECT_EQ(defects[1].example, "seq 4: in ready, and not as its own row says");
    execute("delete from ready where seq = 4");
  }
}

TEST_F(Defects, AWrongRangeIsForgotten) {
  execute("insert into job_range values (1, 6, x'0700000000000000')");
  EXPECT_EQ(mended(Defect::wrong_range), 1);
  EXPECT_TRUE(found().empty());
}

TEST_F(Defects, WhatNeedsADecisionIsLeftAlone) {
  execute(kPlaceless);
  for (const Defect defect : {Defect::damaged_page, Defect::job_in_no_place, Defect::job_in_several_places,
                              Defect::claim_without_holder, Defect::wrong_counter})
    EXPECT_EQ(mended(defect), 0);
  EXPECT_EQ(found().size(), 1U);
}

// Between the look and the mending others work: what was wrong may have been put right, and is left alone then.
TEST_F(Defects, WhatIsRightAgainWhenItIsToBeMendedIsLeftAlone) {
  const std::string take_away = "delete from job where seq = 2;";
  execute(
      "create table kept as select * from job where seq = 2;"
      "insert into ready values (1, 0, 0, 1, 5, 2); insert into blocked values (2, 0, 1, 0, 0, 1, 5);"
      "insert into claim values (2, 1, 1, 1, null, 5); insert into progress values (2, 1, 2, 0, 0, '', 5);"
      "insert into cancel_request values (1, 2, 1, 2, 5); insert into job_cursor values (2, x'01', 5);"
      "insert into suspect values (2, 1, 0, 1, 1);"
      "insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process)"
      " values (2, 1, 1, 5, 1, 1, 1);" +
      take_away);
  const auto strays = places(Defect::row_without_job);
  EXPECT_EQ(strays.size(), 9U);
  execute("insert into job select * from kept; drop table kept; update claim set counter = 2");
  EXPECT_EQ(mended(strays), 0);

  execute(
      "update blocked set reason = 0, due_us = (select due_us from job where job.seq = blocked.seq);"
      "delete from claim; delete from ready; delete from scheduled where seq = 2; delete from suspect");
  const auto causeless = places(Defect::blocked_without_cause);
  ASSERT_EQ(causeless.size(), 1U);
  execute("insert into claim values (2, 1, 1, 1, null, 5)");
  EXPECT_EQ(mended(causeless), 0) << "it runs";
  execute(
      "delete from claim; insert into scheduled select due_us, seq, queue, priority, tenant, kind from job "
      "where seq = 2");
  EXPECT_EQ(mended(causeless), 0) << "it waits for its time";
  execute("delete from scheduled where seq = 2; update blocked set reason = 3");
  EXPECT_EQ(mended(causeless), 0) << "there is a reason";

  execute("insert into job_range values (1, 6, x'0700000000000000')");
  const auto range = places(Defect::wrong_range);
  ASSERT_EQ(range.size(), 1U);
  execute("update job_range set tenants = x'0000000000000000'");
  EXPECT_EQ(mended(range), 0);
}

}  // namespace tenure::testing
