#include "capsules.hpp"

#include <tenure/tenancy/outbox.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenure::testing {
namespace {

using CapsuleFile = Capsules;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

TEST_F(CapsuleFile, IsReadAsItWasWritten) {
  const replay::Capsule written = capsule();
  const replay::Capsule read = replay::read_capsule(capture(written));
  EXPECT_EQ(read.run, written.run);
  EXPECT_EQ(read.head.job, written.head.job);
  EXPECT_EQ(read.head.application, "books");
  EXPECT_EQ(read.head.program_version, "7.1");
  EXPECT_EQ(read.head.started, written.head.started);
  EXPECT_FALSE(read.head.tenure_version.empty());
  EXPECT_EQ(read.head.masked, std::vector<std::string>{"iban"});
}

TEST_F(CapsuleFile, HasAHeadForListsWithoutALookAtAllRows) {
  const auto file = capture();
  EXPECT_EQ(replay::read_head(file).job, capsule().head.job);
  const replay::CapsuleSummary summary = replay::read_summary(file);
  EXPECT_EQ(summary.head.job, capsule().head.job);
  EXPECT_EQ(summary.failure, capsule().run.failure);
}

TEST_F(CapsuleFile, HoldsTheTenantAsItWasBeforeTheRunThoughWrittenAfterIt) {
  write("insert into invoice values (1, 0)");
  const auto file = capture_around(
      [&] {
        write("update invoice set paid = 9");
        write("insert into invoice values (2, 9)");
      },
      capsule());
  EXPECT_EQ(ask_plainly(file, "select id || ':' || paid from invoice"), std::vector<std::string>{"1:0"});
}

TEST_F(CapsuleFile, RPL_14_IsOneSqliteFileThatAPlainConnectionReads) {
  write("insert into invoice values (1, 0)");
  const auto file = capture();
  EXPECT_EQ(files_in_place(), std::vector<std::string>{file.filename()});
  EXPECT_EQ(ask_plainly(file, "pragma journal_mode"), std::vector<std::string>{"delete"});
  EXPECT_EQ(ask_plainly(file, "select count(*) from invoice"), std::vector<std::string>{"1"});
  EXPECT_EQ(ask_plainly(file, "select kind || ' ' || outcome || ' ' || attempt from tenure_capsule"),
            std::vector<std::string>{"books.pay HandlerFailed 2"});
  EXPECT_EQ(ask_plainly(file, "select name from tenure_capsule_recorded order by number"),
            (std::vector<std::string>{"rate", "charge"}));
  EXPECT_EQ(ask_plainly(file, "select after from tenure_capsule_change"),
            std::vector<std::string>{R"({"paid":1})"});
  EXPECT_EQ(ask_plainly(file, "pragma integrity_check"), std::vector<std::string>{"ok"});
  EXPECT_EQ(files_in_place(), std::vector<std::string>{file.filename()})
      << "reading leaves nothing beside it";
  EXPECT_EQ(replay::read_capsule(file).run, capsule().run) << "and changes nothing";
}

TEST_F(CapsuleFile, IsItsOwnersAlone) {
  const mode_t umask_before = ::umask(0);
  const auto file = capture();
  ::umask(umask_before);
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(mode_of(place_), 0700U);
}

TEST_F(CapsuleFile, IsRefusedAboveItsSizeAndLeavesNothing) {
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(capture()));
  std::filesystem::remove_all(place_);
  limits_.bytes_max = size;
  EXPECT_NO_THROW(capture());
  std::filesystem::remove_all(place_);
  limits_.bytes_max = size - 1;
  EXPECT_THROW(capture(), LimitReached);
  EXPECT_EQ(files_in_place(), std::vector<std::string>{}) << "found when it was whole";
  limits_.bytes_max = 1;
  EXPECT_THROW(capture(), LimitReached);
  EXPECT_EQ(files_in_place(), std::vector<std::string>{}) << "found before it was copied";
}

TEST_F(CapsuleFile, IsRefusedWhereTheFolderWouldHoldTooMuch) {
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(capture()));
  limits_.folder_bytes_max = 2 * size;
  replay::Capsule second = capsule();
  second.head.job.claim.token.counter = 10;
  EXPECT_NO_THROW(capture(second));
  second.head.job.claim.token.counter = 11;
  EXPECT_THROW(capture(second), LimitReached);
  EXPECT_EQ(files_in_place().size(), 2U);
}

TEST_F(CapsuleFile, HasNoRowsOfTheOutbox) {
  with_tenant(acme_, [&] {
    tenants_.open(acme_)->write([&](TenantTransaction& transaction) {
      static_cast<void>(
          add_to_outbox(transaction, capsule().head.job.id.uuid, "of another job, with its secret"));
    });
  });
  const auto file = capture();
  EXPECT_EQ(ask_plainly(file, "select count(*) from tenure_outbox"), std::vector<std::string>{"0"});
  EXPECT_EQ(ask_plainly(file, "select seq from sqlite_sequence where name = 'tenure_outbox'"),
            std::vector<std::string>{"1"})
      << "its numbers go on";
}

TEST_F(CapsuleFile, KeepsTheNumbersOfRowsThatHaveNoKey) {
  write("create table note (text)");
  for (const char* text : {"a", "b", "c"}) write("insert into note values ('" + std::string{text} + "')");
  write("delete from note where text = 'b'");
  EXPECT_EQ(ask_plainly(capture(), "select rowid from note"), (std::vector<std::string>{"1", "3"}));
}

TEST_F(CapsuleFile, IsRestoredAsATenantThatWorks) {
  write("insert into invoice values (1, 0)");
  const auto file = capture();
  const TenantFiles scratch{(folder_.path() / "scratch/%{bucket}/%{tenant}.db").string()};
  replay::restore_tenant(file, scratch);
  EXPECT_EQ(ask_plainly(scratch.path_for(acme_),
                        "select count(*) from sqlite_schema where name like 'tenure_capsule%'"),
            std::vector<std::string>{"0"});
  HandleCache handles{scratch, {.application = "books"}};
  with_tenant(acme_, [&] {
    HandleLease lease = value_or_raise(handles.acquire(acme_, Generation{1}));
    lease->write([](TenantTransaction& transaction) { transaction.execute("update invoice set paid = 1"); });
    HandleLease reader = value_or_raise(handles.acquire(acme_, Generation{1}, HandleAccess::read_only));
    EXPECT_EQ(reader->read([](TenantReader& in) {
      auto rows = in.query("select paid from invoice");
      rows.next();
      return rows.row().integer(0);
    }),
              1);
  });
  EXPECT_EQ(replay::read_capsule(file).run, capsule().run) << "the capsule is left as it is";
  EXPECT_THROW(replay::restore_tenant(file, scratch), TenantExists);
}

TEST_F(CapsuleFile, CannotBeALinkAndMustBeThere) {
  const auto file = capture();
  std::filesystem::create_symlink(file, folder_ / "link.capsule");
  EXPECT_THROW(static_cast<void>(replay::read_capsule(folder_ / "link.capsule")), AccessRefused);
  try {
    static_cast<void>(replay::read_capsule(folder_ / "none.capsule"));
    ADD_FAILURE() << "read";
  } catch (const DatabaseMissing& error) {
    EXPECT_EQ(error.failure().message,
              "there is no such capsule; tenure replay list shows those that there are");
  }
}

class Writing : public Capsules {
 public:
  explicit Writing(std::filesystem::path place) { place_ = std::move(place); }
  void TestBody() override {}
  [[nodiscard]] std::filesystem::path write_while(const std::function<void()>& go_on) {
    return with_tenant(acme_, [&] {
      HandleLease lease = value_or_raise(handles_.acquire(acme_, Generation{1}, HandleAccess::read_only));
      const TenantSnapshot before = replay::take_snapshot(*lease);
      return replay::write_capsule(before, capsule(), mask_, place_, limits_, go_on);
    });
  }
  using Capsules::files_in_place;
};

// The copy has not been redacted when the process dies.
TEST(CapsulesLeft, WhatAKilledProcessHasLeftGoesWithTheNextCapture) {
  const TemporaryFolder folder;
  const auto place = folder / "capsules";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setenv("TMPDIR", folder.path().c_str(), 1);
    static_cast<void>(Writing(place).write_while([] { ::raise(SIGKILL); }));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  Writing writing(place);
  ASSERT_EQ(writing.files_in_place().size(), 2U) << "a copy, and the part that it was for";
  const auto file = writing.write_while(nullptr);
  EXPECT_EQ(writing.files_in_place(), std::vector<std::string>{file.filename()});
}

TEST(CapsulesLeft, WhatSomebodyStillWritesStays) {
  const TemporaryFolder folder;
  Writing writing(folder / "capsules");
  std::ofstream(folder / "notes.part");
  int looks = 0;
  const auto file = writing.write_while([&] {
    ++looks;
    const auto before = writing.files_in_place();
    std::ofstream(folder / "capsules/.left.part") << "by somebody";
    replay::remove_unfinished(folder / "capsules");
    EXPECT_EQ(writing.files_in_place(), before);
  });
  EXPECT_GT(looks, 2);
  EXPECT_EQ(writing.files_in_place(), std::vector<std::string>{file.filename()});
  EXPECT_NO_THROW(static_cast<void>(replay::read_capsule(file)));
}

class CapsuleWriting : public Capsules {
 protected:
  // How often it is asked whether to go on: before the copy is made anew, while it is, and after it.
  struct Looks {
    int on_copy = 0;
    int on_made = 0;
  };

  void fill(const std::string& table) {
    write("create table " + table);
    write(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000) "
        "insert into filled select i, 'a text' from n");
  }
  void write_with(const std::function<void()>& go_on) {
    with_tenant(acme_, [&] {
      HandleLease lease = value_or_raise(handles_.acquire(acme_, Generation{1}, HandleAccess::read_only));
      const TenantSnapshot before = replay::take_snapshot(*lease);
      static_cast<void>(replay::write_capsule(before, capsule(), mask_, place_, limits_, go_on));
    });
  }
  Looks looks() {
    Looks seen;
    write_with([&] {
      const bool has_copy = std::ranges::any_of(
          files_in_place(), [](const std::string& name) { return name.ends_with(".copy"); });
      ++(has_copy ? seen.on_copy : seen.on_made);
    });
    return seen;
  }
};

TEST_F(CapsuleWriting, AsksWhetherToGoOnWhileRowsAreRedactedAndWrittenAnewAndDigested) {
  fill("filled (id integer primary key, text text)");
  const Looks plain = looks();
  EXPECT_GE(plain.on_copy, 12);
  EXPECT_GE(plain.on_made, 4);
  write("alter table filled rename column text to iban");
  EXPECT_GE(looks().on_copy, plain.on_copy + 3) << "redacting them takes a while, too";
}

TEST_F(CapsuleWriting, AsksWhetherToGoOnWhileFewLargeRowsAreDigested) {
  write("create table large (bytes blob)");
  write(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20) "
      "insert into large select zeroblob(1 << 20) from n");
  EXPECT_GE(looks().on_made, 20);
}

TEST_F(CapsuleWriting, AsksWhetherToGoOnWhileItIsBroughtToTheDisk) {
  write("create table large (bytes blob)");
  write(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20) "
      "insert into large select zeroblob(1 << 20) from n");
  int looks_behind_the_digest = 0;
  write_with([&] {
    for (const std::string& name : files_in_place()) {
      if (!name.ends_with(".part")) continue;
      try {
        const auto digests = ask_plainly(place_ / name, "select count(*) from tenure_capsule_digest");
        looks_behind_the_digest += digests == std::vector<std::string>{"1"} ? 1 : 0;
      } catch (const std::runtime_error&) {  // it is being written
      }
    }
  });
  EXPECT_GE(looks_behind_the_digest, 6) << "each four of twenty MiB, and before it gets its name";
}

TEST_F(CapsuleWriting, WhereverItIsToldToEndItLeavesNothing) {
  fill("filled (id integer primary key, iban text)");
  const Looks whole = looks();
  for (const auto& name : files_in_place()) std::filesystem::remove(place_ / name);
  for (int last = 1; last <= whole.on_copy + whole.on_made; last += 7) {
    int asked = 0;
    EXPECT_THROW(write_with([&] {
                   if (++asked == last) raise(ErrorCode::time_limit, "no time");
                 }),
                 TimeLimit)
        << last;
    EXPECT_TRUE(files_in_place().empty()) << last;
  }
}

}  // namespace
}  // namespace tenure::testing
