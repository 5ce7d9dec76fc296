#include "program.hpp"

#include <fstream>
#include <string>
#include <vector>

// The noun `schedule`, and what `doctor` says of schedules.
namespace tenure::cli {
namespace {

using queue::ShownSchedule;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ScheduleNoun : public Program {
 protected:
  ScheduleNoun() { add_tenant("acme"); }

  queue::ScheduleEntry report() {
    queue::ScheduleEntry entry;
    entry.name = "monthly-report";
    entry.kind = "reports.monthly";
    entry.rule = {.cron = "30 2 * * *", .every = {}, .time_zone = "Europe/Berlin"};
    entry.arguments = R"({"format":"pdf","password":"hunter2"})";
    entry.scope = queue::ScheduleScope::each_tenant;
    entry.spread = std::chrono::minutes{30};
    return entry;
  }
  void declare(const std::vector<queue::ScheduleEntry>& entries) {
    std::vector<queue::DeclaredSchedule> declared;
    for (const queue::ScheduleEntry& entry : entries) declared.push_back({entry});
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { writer.schedules().declare(declared, clock.wall()); });
  }
  std::vector<ShownSchedule> schedules() {
    std::vector<ShownSchedule> all;
    store->read([&](queue::JobReader& reader) { all = reader.schedules().schedules(); });
    return all;
  }
  std::string last_audit() {
    std::string subject;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        subject = record.entry.verb + ": " + record.entry.subject;
        return false;
      });
    });
    return subject;
  }
};

TEST_F(ScheduleNoun, AListHasNextTicksAndWhatIsWrong) {
  queue::ScheduleEntry bad = report();
  bad.name = "bad";
  bad.rule.cron = "61 * * * *";
  declare({report(), bad});
  EXPECT_EQ(run({"schedule", "list"}), 0) << output.error;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("SCHEDULE"), HasSubstr("monthly-report"), HasSubstr("reports.monthly"),
                    HasSubstr("30 2 * * * in Europe/Berlin"), HasSubstr("each_tenant"), HasSubstr("active"),
                    HasSubstr("2026-03-03T01:30:00Z"), HasSubstr("disabled"),
                    HasSubstr("cron, column 1: 61 is no minute")));
  EXPECT_EQ(run({"schedule", "list", "--json", "--limit", "1"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr(R"("schema":"tenure.schedule.list/1")"),
                                HasSubstr(R"("name":"bad")"), HasSubstr(R"("state":"disabled")"),
                                HasSubstr(R"("next":null)"), Not(HasSubstr("monthly-report"))));
}

TEST_F(ScheduleNoun, OneIsShownWithItsTicksAndItsArgumentsAreMasked) {
  declare({report()});
  EXPECT_EQ(run({"schedule", "run", "monthly-report", "--tenant", "acme"}), 0) << output.error;
  EXPECT_EQ(run({"schedule", "show", "monthly-report"}), 0) << output.error;
  EXPECT_THAT(output.out, AllOf(HasSubstr("schedule  monthly-report\n"), HasSubstr("state     active\n"),
                                HasSubstr("scope     each_tenant, spread over 30 min\n"),
                                HasSubstr("overlap   skip\n"), HasSubstr("catch-up  latest\n"),
                                HasSubstr("fired, manual  tenant acme  "), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(run({"schedule", "show", "monthly-report", "--json"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr(R"("manual":true,"result":"fired","tenant":"acme")"),
                                Not(HasSubstr("hunter2"))));
  EXPECT_EQ(run({"schedule", "show", "monthly-reprot"}), 1);
  EXPECT_THAT(output.error, HasSubstr("did you mean monthly-report?"));
}

TEST_F(ScheduleNoun, APreviewHasZoneNoteAndTheMomentInsideTheSpread) {
  clock.jump_wall(std::chrono::hours{24 * 26});  // 2026-03-28
  declare({report()});
  EXPECT_EQ(run({"schedule", "preview", "monthly-report", "--count", "3"}), 0) << output.error;
  EXPECT_EQ(output.out,
            "monthly-report, 30 2 * * * in Europe/Berlin\n"
            "TICK                      UTC                   NOTE\n"
            "2026-03-29 03:00:00 CEST  2026-03-29T01:00:00Z  clocks go from 02:00:00 to 03:00:00\n"
            "2026-03-30 02:30:00 CEST  2026-03-30T00:30:00Z\n"
            "2026-03-31 02:30:00 CEST  2026-03-31T00:30:00Z\n");
  EXPECT_EQ(run({"schedule", "preview", "monthly-report", "--count", "1", "--tenant", "acme", "--json"}), 0);
  const auto due = std::chrono::sys_days{std::chrono::year{2026} / 3 / 29} + std::chrono::hours{1} +
                   queue::spread_of(report(), "acme");
  EXPECT_THAT(output.out, HasSubstr(R"("tick":"2026-03-29T01:00:00Z")"));
  EXPECT_THAT(output.out, HasSubstr("\"due\":\"" + to_rfc3339(due) + "\""));
  EXPECT_EQ(run({"schedule", "preview", "monthly-report", "--count", "0"}), 2);
  EXPECT_EQ(run({"schedule", "preview", "nobody"}), 1);
}

TEST_F(ScheduleNoun, APreviewOfAConfiguredOneFollowsWhatTheStoreKnowsOfIt) {
  std::ofstream(folder / "tenure.toml")
      << "[[schedule]]\nname = \"monthly-report\"\nkind = \"reports.monthly\"\n"
         "cron = \"30 2 * * *\"\ntime_zone = \"Europe/Berlin\"\n";
  EXPECT_EQ(run({"schedule", "preview", "monthly-report", "--count", "1"}), 0) << output.error;
  EXPECT_THAT(output.out, AllOf(HasSubstr("2026-03-03T01:30:00Z"), Not(HasSubstr("paused"))));
  declare({report()});
  EXPECT_EQ(run({"schedule", "pause", "monthly-report"}), 0) << output.error;
  // The clock has been wrong: what is decided stays so.
  clock.jump_wall(-std::chrono::hours{24 * 3});
  EXPECT_EQ(run({"schedule", "preview", "monthly-report", "--count", "1"}), 0) << output.error;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("2026-03-03T01:30:00Z"), HasSubstr("It is paused since 2026-03-02")));
  // Another rule has ticks from now on.
  std::ofstream(folder / "tenure.toml")
      << "[[schedule]]\nname = \"monthly-report\"\nkind = \"reports.monthly\"\n"
         "every = \"24h\"\n";
  EXPECT_EQ(run({"schedule", "preview", "monthly-report", "--count", "1"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("2026-02-28T00:00:00Z"));
}

TEST_F(ScheduleNoun, IsPausedWithWhoAndWhyAndResumed) {
  declare({report()});
  EXPECT_EQ(run({"schedule", "pause", "monthly-report", "--reason", "restore test"}), 0) << output.error;
  EXPECT_EQ(output.out, "paused schedule monthly-report\n");
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(last_audit(), "schedule pause: schedule monthly-report");
  EXPECT_EQ(run({"schedule", "list"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("paused"), HasSubstr("by root: restore test")));
  EXPECT_EQ(run({"schedule", "pause", "monthly-report"}), 1) << "it is";
  EXPECT_EQ(run({"schedule", "resume", "monthly-report", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would have resumed schedule monthly-report\n");
  EXPECT_TRUE(schedules()[0].record.paused);
  EXPECT_EQ(run({"schedule", "resume", "monthly-report"}), 0);
  EXPECT_FALSE(schedules()[0].record.paused);
}

TEST_F(ScheduleNoun, IsAddedAndRemoved) {
  EXPECT_EQ(run({"schedule",
                 "add",
                 "nightly",
                 "reports.nightly",
                 R"({"all":true})",
                 "--cron",
                 "30 2 * * *",
                 "--time-zone",
                 "Europe/Berlin",
                 "--scope",
                 "tenant:acme",
                 "--catch-up",
                 "all:3",
                 "--overlap",
                 "queue_one",
                 "--queue",
                 "reports",
                 "--priority",
                 "5",
                 "--max-attempts",
                 "2"}),
            0)
      << output.error;
  ASSERT_EQ(schedules().size(), 1U);
  const queue::ScheduleEntry entry = schedules()[0].record.entry;
  EXPECT_EQ(entry.rule, (queue::WrittenRule{"30 2 * * *", {}, "Europe/Berlin"}));
  EXPECT_EQ(queue::scope_text(entry), "tenant:acme");
  EXPECT_EQ(queue::catch_up_text(entry), "all:3");
  EXPECT_EQ(entry.overlap, queue::Overlap::queue_one);
  EXPECT_EQ(entry.queue, "reports");
  EXPECT_EQ(entry.priority, 5);
  EXPECT_EQ(entry.attempts_max, 2);
  EXPECT_EQ(entry.arguments, R"({"all":true})");
  EXPECT_EQ(run({"schedule", "add", "bad", "a.b", "--cron", "0 25 * * *"}), 2);
  EXPECT_THAT(output.error, HasSubstr("cron, column 3: 25 is no hour"));
  EXPECT_EQ(run({"schedule", "add", "bad", "a.b"}), 2);
  EXPECT_EQ(run({"schedule", "add", "bad", "a.b", "--every", "1m", "--scope", "all"}), 2);
  EXPECT_EQ(run({"schedule", "add", "bad", "a.b", "--every", "1m", "--catch-up", "all:0"}), 2);
  EXPECT_EQ(run({"schedule", "add", "bad", "a.b", "--every", "1m", "--overlap", "no"}), 2);
  EXPECT_EQ(schedules().size(), 1U);
  EXPECT_EQ(run({"schedule", "remove", "nightly"}), 0) << output.error;
  EXPECT_EQ(schedules().size(), 0U);
  declare({report()});
  EXPECT_EQ(run({"schedule", "remove", "monthly-report"}), 1);
  EXPECT_THAT(output.error, HasSubstr("stands in the configuration"));
}

TEST_F(ScheduleNoun, ARunSaysWhichJobItIs) {
  queue::ScheduleEntry entry = report();
  entry.scope = queue::ScheduleScope::global;
  entry.spread = {};
  declare({entry});
  EXPECT_EQ(run({"schedule", "run", "monthly-report", "--dry-run"}), 0) << output.error;
  EXPECT_EQ(run({"job", "count"}), 0);
  EXPECT_EQ(output.out, "0\n");
  EXPECT_EQ(run({"schedule", "run", "monthly-report"}), 0);
  const std::string said = output.out;
  EXPECT_EQ(run({"job", "list", "--columns", "id"}), 0);
  const std::string id = output.out.substr(output.out.find('\n') + 1, 36);
  EXPECT_EQ(said, "run schedule monthly-report: job " + id + "\n");
  EXPECT_EQ(run({"job", "show", id}), 0);
  EXPECT_THAT(output.out, HasSubstr("schedule   monthly-report, run by an operator at 2026-03-02T10:14:00Z"));
  EXPECT_EQ(run({"job", "show", id, "--json"}), 0);
  EXPECT_THAT(
      output.out,
      HasSubstr(R"("schedule":{"name":"monthly-report","tick":"2026-03-02T10:14:00Z","manual":true})"));
  EXPECT_EQ(run({"schedule", "run", "monthly-report"}), 1) << "it has not ended";
  EXPECT_THAT(output.error, HasSubstr(id));
}

TEST_F(ScheduleNoun, DoctorNamesWhatIsWrong) {
  EXPECT_EQ(run({"doctor", "schedules"}), 0);
  EXPECT_THAT(output.out, HasSubstr("there are none"));
  queue::ScheduleEntry bad = report();
  bad.name = "bad";
  bad.rule.time_zone = "Mars/Olympus";
  queue::ScheduleEntry gone = report();
  gone.name = "gone";
  gone.scope = queue::ScheduleScope::tenant;
  gone.tenant = "dodo";
  gone.spread = {};
  declare({bad, gone, report()});
  EXPECT_EQ(run({"doctor", "schedules"}), 1);
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("FAIL  schedules bad has no ticks: there is no time zone Mars/Olympus"),
                    HasSubstr("warn  schedules gone has no ticks: there is no tenant dodo"),
                    HasSubstr("warn  schedules monthly-report makes jobs of the kind reports.monthly, "
                              "which no job has had")));
  tell_pools({{.name = "general",
               .queues = {"default"},
               .workers = 1,
               .kinds = {"reports.monthly"},
               .default_queues = {}}});
  declare({report()});
  EXPECT_EQ(run({"doctor", "schedules"}), 0);
  EXPECT_THAT(output.out, HasSubstr("1 schedule, and nothing is wrong with any"));
}

}  // namespace
}  // namespace tenure::cli
