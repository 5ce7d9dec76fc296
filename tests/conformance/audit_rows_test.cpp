#include "audit_chain.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <string>

// Rows of the audit that somebody has had his hands on, with the triggers that keep accidents away taken off first.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

class AuditRows : public ::testing::Test {
 protected:
  AuditRows() {
    for (const char* verb : {"job retry", "job run", "job cancel", "job discard", "job delete"}) append(verb);
  }
  void append(std::string verb) {
    AuditEntry entry{.verb = std::move(verb), .subject = "state=dead", .count = 1};
    store_->write(Durability::ordered,
                  [&](StoreWriter& writer) { writer.append_audit(entry, clock_.wall()); });
  }
  void execute(const std::string& sql) { sqlite::Connection(path_, {}).execute({"script", sql}); }
  void meddle(const std::string& sql) {
    execute(
        "pragma ignore_check_constraints = 1; drop trigger if exists audit_row_stays;"
        "drop trigger if exists audit_row_stays_as_it_is; drop trigger if exists audit_row_is_not_replaced;"
        "drop trigger if exists audit_anchor_stays_as_it_is; drop trigger if exists audit_anchor_stays;" +
        sql);
  }
  AuditVerdict verdict(const std::optional<AuditMark>& known = std::nullopt) {
    AuditVerdict found;
    store_->read([&](JobReader& reader) { found = reader.check_audit(known); });
    return found;
  }
  // The number of the first row with which something is wrong; 0 for none.
  std::int64_t first_fault() {
    const AuditVerdict found = verdict();
    return found.fault ? found.fault->number : 0;
  }

  AuditMark mark_of(std::int64_t number) {
    AuditMark mark;
    store_->read([&](JobReader& reader) {
      reader.for_each_audit(number + 1, [&](const AuditRecord& record) {
        mark = {record.number, record.hash};
        return false;
      });
    });
    return mark;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  std::unique_ptr<Store> store_ = open_sqlite_store({.path = path_, .create = true}, clock_);
};

}  // namespace

TEST_F(AuditRows, OBS_09_ARowThatWasEditedIsNamedWhateverOfItWas) {
  for (const char* column : {"at_us", "uid", "login_uid", "sudo_uid", "count"}) {
    meddle("create temp table saved as select * from audit where number = 3; update audit set " +
           std::string{column} + " = coalesce(" + column + ", 0) + 1 where number = 3");
    EXPECT_EQ(first_fault(), 3) << column;
    const std::string back = std::string{column} == "login_uid" || std::string{column} == "sudo_uid"
                                 ? std::string{"null"}
                                 : std::string{column} + " - 1";
    meddle("update audit set " + std::string{column} + " = " + back + " where number = 3");
    ASSERT_EQ(first_fault(), 0) << column;
  }
  for (const char* column : {"login", "terminal", "host", "verb", "subject", "reason"}) {
    meddle("update audit set " + std::string{column} + " = " + column + " || 'x' where number = 3");
    EXPECT_EQ(first_fault(), 3) << column;
    meddle("update audit set " + std::string{column} + " = substr(" + column + ", 1, length(" + column +
           ") - 1) where number = 3");
    ASSERT_EQ(first_fault(), 0) << column;
  }
  meddle("update audit set hash = zeroblob(32) where number = 3");
  EXPECT_EQ(first_fault(), 3);
  meddle("update audit set hash = x'01' where number = 3");
  EXPECT_EQ(first_fault(), 3);
}

TEST_F(AuditRows, OBS_09_TextThatMovesFromOneColumnToTheNextIsSeen) {
  meddle("update audit set verb = 'job cancelstate=', subject = 'dead' where number = 3");
  EXPECT_EQ(first_fault(), 3);
}

TEST_F(AuditRows, OBS_09_RowsThatAreMissingAreNamedAtEachPlace) {
  for (std::int64_t number = 1; number <= 5; ++number) {
    meddle("create table kept as select * from audit where number = " + std::to_string(number) +
           "; delete from audit where number = " + std::to_string(number));
    EXPECT_EQ(first_fault(), number);
    meddle("insert into audit select * from kept; drop table kept");
    ASSERT_EQ(first_fault(), 0);
  }
  meddle("delete from audit where number > 3");
  EXPECT_EQ(first_fault(), 4);
  meddle("delete from audit");
  EXPECT_EQ(first_fault(), 1);
}

TEST_F(AuditRows, OBS_09_RowsInAnotherOrderAreSeen) {
  meddle(
      "update audit set number = 9 where number = 2; update audit set number = 2 where number = 3;"
      "update audit set number = 3 where number = 9");
  EXPECT_EQ(first_fault(), 2);
}

TEST_F(AuditRows, ARowThatWasPutInIsSeen) {
  meddle(
      "insert into audit select 6, at_us, uid, login_uid, sudo_uid, login, terminal, host, verb, subject, "
      "count,"
      " reason, hash from audit where number = 5");
  EXPECT_EQ(first_fault(), 6);
  meddle(
      "delete from audit where number = 6; insert into audit select -1, at_us, uid, login_uid, sudo_uid, "
      "login,"
      " terminal, host, verb, subject, count, reason, hash from audit where number = 5");
  EXPECT_EQ(first_fault(), -1);
}

TEST_F(AuditRows, AHeadThatIsMissingOrAnotherOneIsSeen) {
  meddle("update audit_mark set number = 4 where name = 'head'");
  EXPECT_EQ(first_fault(), 5);
  meddle("update audit_mark set number = 5, hash = zeroblob(32) where name = 'head'");
  EXPECT_EQ(first_fault(), 5);
  meddle("delete from audit_mark");
  EXPECT_EQ(first_fault(), 6);
}

// Else the next record would mend what somebody has cut off.
TEST_F(AuditRows, WhatIsBrokenStaysBrokenWhenMoreIsRecorded) {
  meddle("delete from audit where number > 3");
  append("job retry");
  EXPECT_EQ(first_fault(), 4);
  meddle("update audit_mark set number = 2 where name = 'head'");
  append("job retry");
  EXPECT_EQ(first_fault(), 4);
  meddle("delete from audit_mark");
  append("job retry");
  EXPECT_EQ(first_fault(), 4);
}

TEST_F(AuditRows, ALostHeadStopsNobodyAndLeavesABreak) {
  meddle("delete from audit_mark");
  append("job retry");
  EXPECT_EQ(first_fault(), 6);
}

TEST_F(AuditRows, AnotherChainIsSeenOnlyByAHeadThatWasNotedElsewhere) {
  const AuditMark noted = verdict().head;
  meddle("delete from audit; update audit_mark set number = 0, hash = zeroblob(32)");
  for (int i = 0; i < 5; ++i) append("job run");
  EXPECT_FALSE(verdict().fault);
  ASSERT_TRUE(verdict(noted).fault);
  EXPECT_EQ(verdict(noted).fault->number, 5);
}

TEST_F(AuditRows, OBS_09_RowsThatAreCutOffAtTheBeginningAreSeenThoughTheAnchorWasMoved) {
  const AuditMark newest = verdict().head;
  const AuditMark third = mark_of(3);
  const AuditMark fourth = mark_of(4);
  meddle(
      "update audit_mark set number = 3, hash = (select hash from audit where number = 3) where name = "
      "'anchor';"
      "delete from audit where number <= 3");
  EXPECT_EQ(first_fault(), 1);
  EXPECT_EQ(verdict(newest).fault->number, 1);
  EXPECT_EQ(verdict(fourth).fault->number, 1);
  for (const AuditMark& gone : {AuditMark{2, third.hash}, third}) {
    EXPECT_EQ(verdict(gone).fault->number, gone.number);
    EXPECT_EQ(verdict(gone).fault->text, "the head that was noted is no more in the chain");
  }
  meddle("update audit_mark set number = 0 where name = 'anchor'");
  EXPECT_EQ(first_fault(), 1);
}

TEST_F(AuditRows, TheHeadOfAnEmptyChainIsItsBeginningForEver) {
  EXPECT_FALSE(verdict(AuditMark{}).fault);
  EXPECT_TRUE(verdict(AuditMark{0, mark_of(1).hash}).fault);
}

TEST_F(AuditRows, AnAccidentIsStoppedByTheDatabase) {
  for (const char* sql : {"delete from audit where number = 5", "update audit set reason = ''",
                          "insert or replace into audit select * from audit where number = 5",
                          "update audit_mark set number = 2 where name = 'anchor'",
                          "update audit_mark set name = 'anchor' where name = 'head'",
                          "delete from audit_mark", "delete from audit_mark where name = 'anchor'",
                          "insert or replace into audit_mark values ('anchor', 2, zeroblob(32))"})
    EXPECT_THROW(execute(sql), Error) << sql;
  EXPECT_EQ(first_fault(), 0);
}

TEST_F(AuditRows, WithoutAnAnchorTheRowsStayToo) {
  execute("drop trigger audit_anchor_stays; delete from audit_mark where name = 'anchor'");
  EXPECT_THROW(execute("delete from audit where number = 5"), Error);
}

TEST_F(AuditRows, WithoutANumberLeftNothingIsRecordedAndNothingHappens) {
  meddle("update audit_mark set number = 9223372036854775807 where name = 'head'");
  EXPECT_THROW(append("job retry"), Error);
  EXPECT_EQ(first_fault(), 6);
}

TEST(AuditMarks, AreReadAsTheyArePrinted) {
  AuditMark mark{1284, sha256("x")};
  EXPECT_EQ(audit_mark_from(text_of(mark)), mark);
  EXPECT_EQ(audit_mark_from(text_of(AuditMark{})), AuditMark{});
  const std::string digits(64, 'a');
  for (const std::string& text :
       {std::string{}, std::string{"7"}, ":" + digits, "7:" + digits + "a", "7:" + digits.substr(1),
        "x:" + digits, "-7:" + digits, "7:" + digits.substr(1) + "g", "99999999999999999999:" + digits,
        "7 :" + digits})
    EXPECT_FALSE(audit_mark_from(text)) << text;
}

}  // namespace tenure::testing
