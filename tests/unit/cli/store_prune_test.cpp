#include "program.hpp"

// Jobs that have ended long ago, removed at once.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

class StorePrune : public Program {
 protected:
  StorePrune() {
    add_tenant("acme");
    for (int seed = 1; seed <= 3; ++seed) add_job(seed, "acme", "billing.close");
    succeed(1);
    succeed(2);
    die(3);
    add_job(4, "acme", "billing.close");
  }
  std::int64_t jobs() {
    std::int64_t count = 0;
    store->read([&](queue::JobReader& reader) { count = reader.summary().jobs; });
    return count;
  }
  std::vector<std::string> verbs() {
    std::vector<std::string> found;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        found.push_back(record.entry.verb + " " + std::to_string(record.entry.count));
        return true;
      });
    });
    return found;
  }
};

TEST_F(StorePrune, RemovesWhatMayGoAndLeavesARecordAndNothingElse) {
  EXPECT_EQ(run({"store", "prune"}), 0);
  EXPECT_EQ(output.out, "pruned no job\n");
  clock.advance(std::chrono::hours(25));
  const auto before = verbs();
  EXPECT_EQ(run({"store", "prune", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would prune 2 jobs: 2 succeeded\n");
  EXPECT_EQ(jobs(), 4);
  EXPECT_EQ(verbs(), before);
  EXPECT_EQ(run({"store", "prune"}), 0);
  EXPECT_EQ(output.out, "pruned 2 jobs: 2 succeeded\n");
  EXPECT_EQ(jobs(), 2);
  EXPECT_EQ(verbs().front(), "store prune 2");
  clock.advance(std::chrono::hours(24 * 30));
  EXPECT_EQ(run({"store", "prune", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"({"schema":"tenure.store.prune/1","item":{"succeeded":0,"dead":1,)"));
  EXPECT_EQ(jobs(), 1);
}

TEST_F(StorePrune, TheDoctorWarnsOfJobsThatShouldHaveGoneHoursAgo) {
  clock.advance(std::chrono::hours(25));
  EXPECT_EQ(run({"doctor", "retention"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    retention no job is kept for longer than it should be\n"))
      << "the daemon may be about to";
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(run({"doctor", "retention"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("warn  retention 2 jobs should have been removed more than 2 hours ago  -> "
                        "tenure store prune\n"));
  EXPECT_EQ(run({"store", "prune"}), 0);
  EXPECT_EQ(run({"doctor", "retention"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    retention "));
}

}  // namespace
}  // namespace tenure::cli
