#include "file_program.hpp"
#include "written_capsules.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// The capsules of a folder, and what one of them holds.
namespace tenure::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ReplayList : public FileProgram {
 protected:
  ReplayList() {
    add_tenant("acme");
    add_job(1, "acme", "billing.close");
  }
  // Of a job of its own, a minute later than the one before it.
  std::filesystem::path capture(int seed, std::string kind = "billing.close", bool fails = true) {
    replay::Capsule capsule = testing::capsule_of(job_id(seed));
    capsule.head.job.kind = std::move(kind);
    capsule.head.job.claim.token.counter = seed;
    capsule.head.started += std::chrono::minutes{seed};
    if (!fails) capsule.run.failure.reset();
    return testing::write_capsule(folder / "capsules", capsule);
  }
  static std::string name(int seed) {
    return job_id(seed).text() + ".2." + std::to_string(seed) + ".capsule";
  }
};

TEST_F(ReplayList, WithoutAFolderThereIsNothingAndWhatIsAskedForIsTold) {
  EXPECT_EQ(run({"replay", "list"}), 0) << output.error;
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.error, "0 capsules\n");
  ASSERT_EQ(run({"replay", "capture", job_id(1).text()}), 0);
  EXPECT_EQ(run({"replay", "list"}), 0);
  EXPECT_THAT(output.error, HasSubstr("open: request 1: the next run of job " + job_id(1).text()));
  EXPECT_EQ(run({"replay", "list", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("requests":[{"number":1,)"));
  EXPECT_EQ(run({"replay", "list", "--folder", (folder / "none").string()}), 69);
  EXPECT_THAT(output.error, HasSubstr("the folder of capsules cannot be read"));
}

TEST_F(ReplayList, IsSortedFilteredAndPagedAsOtherLists) {
  capture(1);
  capture(2, "reports.monthly", false);
  capture(3);
  const auto shown = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"replay", "list", "--columns", "job"});
    EXPECT_EQ(run(words), 0) << output.error;
    std::string seeds;
    for (int seed = 1; seed <= 3; ++seed)
      if (const auto at = output.out.find(job_id(seed).text()); at != std::string::npos)
        seeds += std::to_string(at) + ':' + std::to_string(seed) + ' ';
    return seeds;
  };
  const std::string newest_first = shown({});
  EXPECT_LT(output.out.find(job_id(3).text()), output.out.find(job_id(1).text()));
  EXPECT_NE(shown({"--sort", "started"}), newest_first);
  EXPECT_EQ(shown({"kind=reports.*"}), "4:2 ");
  EXPECT_EQ(shown({"error=HandlerFailed*", "started=..2026-03-02T10:15:30Z"}), "4:1 ");
  EXPECT_EQ(shown({"tenant=corvid"}), "");
  EXPECT_EQ(shown({"--limit", "1"}), "4:3 ");
  EXPECT_THAT(output.error, HasSubstr("--after " + name(3)));
  EXPECT_EQ(shown({"--limit", "1", "--after", name(3)}), "4:2 ");
  EXPECT_EQ(run({"replay", "list", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"replay", "list", "queue=default"}), 2);
  EXPECT_EQ(run({"replay", "list", "--sort", "age"}), 2);
}

TEST_F(ReplayList, CLI_01_ItsTableAndJsonStayAsTheyAre) {
  capture(1);
  capture(2, "reports.monthly", false);
  EXPECT_EQ(run({"replay", "list", "--columns", "file,job,kind,tenant,started,attempt,outcome"}), 0);
  expect_golden("replay_list.txt");
  EXPECT_EQ(run({"replay", "list", "--json", "kind=reports.monthly"}), 0);
  EXPECT_THAT(output.out,
              AllOf(HasSubstr(R"({"schema":"tenure.replay.list/1","items":[{"file":")" + name(2)),
                    HasSubstr(R"("kind":"reports.monthly","tenant":"acme","generation":1,"attempt":2,)"
                              R"("started":"2026-03-02T10:16:00Z","outcome":"succeeded","code":null)")));
}

TEST_F(ReplayList, OneThatCannotBeReadIsNamedAndHidesNoOther) {
  capture(1);
  std::ofstream(folder / "capsules/b\x1b.capsule") << "no capsule";
  std::ofstream(folder / "capsules/notes.txt") << "no capsule";
  std::ofstream(folder / "capsules/.c.capsule") << "unfinished";
  EXPECT_EQ(run({"replay", "list"}), 0) << output.error;
  EXPECT_THAT(output.out, AllOf(HasSubstr(name(1)), HasSubstr("b\\x1b.capsule"), HasSubstr("unreadable: "),
                                Not(HasSubstr("notes")), Not(HasSubstr(".c.capsule"))));
  EXPECT_EQ(run({"replay", "list", "tenant=acme"}), 0);
  EXPECT_THAT(output.error, HasSubstr("1 capsule\n"));
}

TEST_F(ReplayList, CLI_01_WhatOneHoldsStaysAsItIs) {
  replay::Capsule capsule = testing::capsule_of(job_id(1));
  capsule.run.calls = {{"rate", "1.5"}, {"charge", "", Failure{ErrorCode::handler_failed, "declined \x1b"}}};
  capsule.run.jobs = {{.id = job_id(2),
                       .kind = "billing.note",
                       .queue = "slow",
                       .priority = -3,
                       .due = from_us(1'772'446'500'000'000),
                       .attempts_max = 4,
                       .arguments = "{}"}};
  capsule.run.changes = {
      {"invoice", replay::RowChange::Kind::inserted, R"({"id":1})", "", R"({"id":1,"paid":0})"},
      {"invoice", replay::RowChange::Kind::updated, R"({"id":2})", R"({"paid":0})", R"({"paid":1})"},
      {"invoice", replay::RowChange::Kind::deleted, R"({"id":3})", R"({"id":3})", ""}};
  capsule.run.tables_not_recorded = {"log"};
  testing::write_capsule(folder / "capsules", capsule);
  std::filesystem::rename(folder / "capsules" / (job_id(1).text() + ".2.3.capsule"),
                          folder / "capsules/a.capsule");
  const auto without_folder = [&] {
    for (std::size_t at = output.out.find(folder.path().string()); at != std::string::npos;
         at = output.out.find(folder.path().string()))
      output.out.replace(at, folder.path().string().size(), "FOLDER");
    for (std::size_t at = output.out.find(TENURE_TEST_VERSION); at != std::string::npos;
         at = output.out.find(TENURE_TEST_VERSION))
      output.out.replace(at, std::string_view{TENURE_TEST_VERSION}.size(), "VERSION");
  };
  EXPECT_EQ(run({"replay", "show", "a.capsule"}), 0) << output.error;
  without_folder();
  expect_golden("replay_show.txt");
  EXPECT_EQ(run({"replay", "show", "a.capsule", "--json"}), 0);
  without_folder();
  expect_golden("replay_show.json");
  EXPECT_EQ(run({"replay", "show", (folder / "capsules/a.capsule").string()}), 0) << output.error;
}

TEST_F(ReplayList, WhatIsNoCapsuleIsRefusedWithTheReason) {
  EXPECT_EQ(run({"replay", "show", "none.capsule"}), 69);
  EXPECT_THAT(output.error, HasSubstr("DatabaseMissing"));
  const auto file = capture(1);
  std::filesystem::resize_file(file, 4096);
  EXPECT_EQ(run({"replay", "show", file.string()}), 65);
  EXPECT_THAT(output.error, HasSubstr("DatabaseDamaged"));
  std::ofstream(file) << "a text that is longer than the beginning of a database";
  EXPECT_EQ(run({"replay", "show", file.string()}), 65);
  EXPECT_THAT(output.error,
              AllOf(HasSubstr("DatabaseDamaged: the file is no capsule: it is no SQLite database"),
                    Not(HasSubstr("integrity_check"))));
}

}  // namespace
}  // namespace tenure::cli
