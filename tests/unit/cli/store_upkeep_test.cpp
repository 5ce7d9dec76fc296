#include "file_program.hpp"

#include <tenure/queue/dispatcher_lock.hpp>

#include <filesystem>
#include <optional>
#include <string>

// `tenure store checkpoint` and `tenure store compact`: the file of the control database, and nothing in it.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StoreUpkeep : public FileProgram {
 protected:
  StoreUpkeep() {
    add_tenant("acme");
    for (int done = 0; done < 3'000; done += 1'000)
      store->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
        for (int each = 1; each <= 1'000; ++each) {
          queue::NewJob job{.id = job_id(done + each)};
          job.queue = "default";
          job.kind = "mail.send";
          job.due = clock.wall();
          job.attempts_max = 3;
          job.arguments = '"' + std::string(500, 'x') + '"';
          static_cast<void>(value_or_raise(writer.enqueue(job, clock.wall())));
        }
      });
  }
  std::string jobs() {
    EXPECT_EQ(run({"job", "list", "--columns", "id,state", "--limit", "1000"}), 0) << output.error;
    return output.out;
  }
  std::string last_record() {
    EXPECT_EQ(run({"store", "audit", "--limit", "1", "--columns", "verb,subject"}), 0);
    return output.out;
  }
  std::uintmax_t size() const { return std::filesystem::file_size(path); }
};

TEST_F(StoreUpkeep, TheLogIsMovedIntoTheDatabaseWhileOthersHaveItOpen) {
  const std::uintmax_t before = size();
  EXPECT_EQ(run({"store", "checkpoint"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("moved a log of "));
  EXPECT_THAT(output.out, HasSubstr(" into the database\n"));
  EXPECT_GT(size(), before + 1'000'000);
  EXPECT_THAT(last_record(), HasSubstr("store checkpoint  write-ahead log\n"));
  EXPECT_EQ(run({"store", "checkpoint", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"({"schema":"tenure.store.checkpoint/1","item":{"log_bytes":)"));
  EXPECT_THAT(output.out, HasSubstr(R"("complete":true}})"));
}

TEST_F(StoreUpkeep, AReaderKeepsAPartOfTheLog) {
  store->read([&](queue::JobReader& reader) {
    static_cast<void>(reader.summary());
    add_tenant("corvid");
    EXPECT_EQ(run({"store", "checkpoint", "--json"}), 0) << output.error;
    EXPECT_THAT(output.out, HasSubstr(R"("complete":false}})"));
  });
}

TEST_F(StoreUpkeep, WhatWasRemovedGivesItsRoomBackAndTheRestIsAsItWas) {
  EXPECT_EQ(run({"job", "cancel", "id=*", "--yes"}), 0) << output.error;
  add_job(9'999, "acme", "mail.send");
  EXPECT_EQ(run({"job", "delete", "state=cancelled", "--yes"}), 0) << output.error;
  EXPECT_EQ(run({"store", "checkpoint"}), 0);
  const std::uintmax_t before = size();
  const std::string left = jobs();
  EXPECT_EQ(run({"store", "compact", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"({"schema":"tenure.store.compact/1","item":{"before_bytes":)"));
  EXPECT_LT(size(), before / 2);
  const std::string said = output.out;
  EXPECT_EQ(jobs(), left);
  EXPECT_THAT(said, HasSubstr(R"("complete":true}})"));
  EXPECT_THAT(last_record(), HasSubstr("store compact  control database\n"));
  EXPECT_EQ(run({"store", "check"}), 0) << output.out;
  // A store that had it open goes on.
  add_job(10'000, "acme", "mail.send");
  EXPECT_EQ(job(10'000).state, queue::ShownState::ready);
  EXPECT_EQ(run({"store", "compact"}), 0);
  EXPECT_THAT(output.out, HasSubstr(" before, "));
}

TEST_F(StoreUpkeep, AReaderKeepsTheRoomThatACompactionGivesBack) {
  EXPECT_EQ(run({"job", "cancel", "id=*", "--yes"}), 0) << output.error;
  add_job(9'999, "acme", "mail.send");
  EXPECT_EQ(run({"job", "delete", "state=cancelled", "--yes"}), 0) << output.error;
  EXPECT_EQ(run({"store", "checkpoint"}), 0);
  const std::uintmax_t before = size();
  store->read([&](queue::JobReader& reader) {
    static_cast<void>(reader.summary());
    EXPECT_EQ(run({"store", "compact", "--json"}), 0) << output.error;
    EXPECT_THAT(output.out, HasSubstr(R"("complete":false}})"));
    EXPECT_EQ(run({"store", "compact"}), 0) << output.error;
    EXPECT_THAT(output.out, HasSubstr("; a reader that is at work keeps the log"));
  });
  EXPECT_GE(size(), before);
  EXPECT_EQ(run({"store", "compact"}), 0) << output.error;
  EXPECT_THAT(output.out, Not(HasSubstr("reader")));
  EXPECT_LT(size(), before / 2);
}

TEST_F(StoreUpkeep, WhileADispatcherLivesNothingIsCompacted) {
  const auto lock = value_or_raise(queue::try_lock_dispatcher_file(path));
  EXPECT_EQ(run({"store", "compact"}), 75);
  EXPECT_THAT(output.error, HasSubstr("systemctl stop tenured"));
  EXPECT_EQ(run({"store", "checkpoint"}), 0) << output.error;
}

}  // namespace
}  // namespace tenure::cli
