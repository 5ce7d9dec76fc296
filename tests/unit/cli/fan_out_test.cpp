#include "program.hpp"

#include <chrono>
#include <string>

// `tenure fan-out`, and what other verbs say of fan-outs.
namespace tenure::cli {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kFanOut = "019cadff-0000-7000-8000-0000000000f1";

class FanOutVerbsOfCli : public Program {
 protected:
  FanOutVerbsOfCli() {
    for (const char* const name : {"acme", "bolt", "crab"}) add_tenant(name);
  }
  void start(std::vector<std::string> options = {}) {
    std::vector<std::string> words{"fan-out", "start", "index.rebuild", R"({"deep":true})", "--id", kFanOut};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_EQ(run(words), 0) << output.error;
  }
  // What a dispatcher does.
  void visit(std::size_t tenants) {
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      const auto open = writer.fan_outs().open(queue::FanOutsMark{-1}).value();
      for (const queue::OpenFanOut& one : open.fan_outs)
        static_cast<void>(writer.fan_outs().carry_on({.fan_out = one.number,
                                                      .after = one.after,
                                                      .is_cancelled = one.is_cancelled,
                                                      .tenants_max = tenants,
                                                      .jobs_max = tenants},
                                                     clock.wall()));
    });
  }
  queue::FanOutRecord fan_out() {
    std::optional<queue::FanOutRecord> found;
    store->read([&](queue::JobReader& reader) {
      found = reader.fan_outs().fan_out(BatchId{Uuid::parse(kFanOut).value()});
    });
    return found.value();
  }
  std::vector<queue::FanOutJob> jobs() {
    std::vector<queue::FanOutJob> found;
    store->read([&](queue::JobReader& reader) {
      found = reader.fan_outs().jobs(BatchId{Uuid::parse(kFanOut).value()}, queue::FanOutJobs::all,
                                     queue::JobSeq{0}, 100);
    });
    return found;
  }
  void pause(const char* tenant) {
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.pause({.scope = queue::PauseScope::tenant, .name = tenant}, clock.wall()));
    });
  }
};

TEST_F(FanOutVerbsOfCli, OneIsStartedListedAndShownWithItsTenants) {
  pause("bolt");
  start({"--name", "index of 2026-03", "--key", "rebuild", "--over", "2h", "--rate", "10/1s", "--on-complete",
         R"(index.report {"to":"ops"})"});
  EXPECT_EQ(output.out, kFanOut + "\n");
  EXPECT_THAT(output.error, HasSubstr("no worker program has named the kind index.rebuild"));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(run({"fan-out", "show", kFanOut}), 0);
  expect_golden("fan_out_show_begun.txt");
  clock.advance(hours{2});
  visit(10);
  const auto made = jobs();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(run({"job", "cancel", made.front().id.text(), "--yes"}), 0) << output.error;
  EXPECT_EQ(run({"fan-out", "list"}), 0) << output.error;
  expect_golden("fan_out_list.txt");
  EXPECT_EQ(run({"fan-out", "list", "--json"}), 0);
  expect_golden("fan_out_list.json");
  EXPECT_EQ(run({"fan-out", "show", kFanOut}), 0);
  expect_golden("fan_out_show.txt");
  EXPECT_EQ(run({"fan-out", "show", kFanOut, "--json"}), 0);
  expect_golden("fan_out_show.json");
  EXPECT_EQ(run({"fan-out", "tenants", kFanOut}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme"));
  EXPECT_THAT(output.out, Not(HasSubstr("crab")));
  EXPECT_EQ(run({"fan-out", "tenants", kFanOut, "--which", "skipped", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"({"tenant":"bolt","outcome":"paused","job":null})"));
  EXPECT_EQ(run({"fan-out", "tenants", kFanOut, "--which", "all", "--limit", "1", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("next":")" + std::to_string(made.front().seq.value)));
  EXPECT_EQ(run({"fan-out", "tenants", kFanOut, "--which", "all", "--after",
                 std::to_string(made.front().seq.value)}),
            0);
  EXPECT_THAT(output.out, HasSubstr("crab"));
  EXPECT_EQ(run({"fan-out", "tenants", kFanOut, "--which", "some"}), 2);
}

TEST_F(FanOutVerbsOfCli, TheyAreFoundByAFilterAndSoAreTheirJobs) {
  start({"--name", "index"});
  visit(1);
  EXPECT_EQ(run({"fan-out", "list", "state=visiting", "kind=index.*", "name=index", "--fail-if-any"}), 1);
  EXPECT_THAT(output.out, HasSubstr(kFanOut));
  EXPECT_EQ(run({"fan-out", "list", "state=waiting"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr(kFanOut)));
  EXPECT_EQ(run({"fan-out", "list", "state=open"}), 2);
  add_job(1, "acme", "index.rebuild");
  EXPECT_EQ(run({"job", "list", "fan_out=" + kFanOut}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(jobs().front().id.text()));
  EXPECT_THAT(output.out, Not(HasSubstr(job_id(1).text())));
  EXPECT_EQ(run({"job", "show", jobs().front().id.text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("fan-out    " + kFanOut + ", index, visiting: 1 of 3 tenants visited"));
  EXPECT_EQ(run({"fan-out", "show", job_id(7).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("there is no fan-out"));
  EXPECT_EQ(run({"fan-out", "show", "mine"}), 2);
}

TEST_F(FanOutVerbsOfCli, UnderAKeyTheUnfinishedOneIsNamed) {
  start({"--key", "rebuild"});
  EXPECT_EQ(run({"fan-out", "start", "index.rebuild", "--key", "rebuild"}), 0);
  EXPECT_EQ(output.out, kFanOut + "\n");
  EXPECT_THAT(output.error, HasSubstr("that one is unfinished under the key"));
  EXPECT_EQ(run({"fan-out", "start", "index.rebuild", "--key", "rebuild", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would start none: " + kFanOut + " is unfinished\n");
  EXPECT_EQ(run({"fan-out", "start", "index.rebuild", "--json", "--dry-run"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("schema":"tenure.fan_out.start/1")"));
  EXPECT_EQ(run({"fan-out", "list", "--columns", "id"}), 0);
  EXPECT_EQ(std::count(output.out.begin(), output.out.end(), '\n'), 2) << "nothing else was started";
  EXPECT_EQ(run({"store", "audit", "verb=fan-out *", "--columns", "verb,subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr("fan-out start"));
}

TEST_F(FanOutVerbsOfCli, WhatCannotBeIsRefused) {
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--rate", "many"},
                                                  {"--over", "9d"},
                                                  {"--over", "long"},
                                                  {"--key", "a\nb"},
                                                  {"--start-within", "-1s"},
                                                  {"--on-complete", "NO KIND"}}) {
    std::vector<std::string> words{"fan-out", "start", "index.rebuild"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_EQ(run(words), 2) << options.front() << output.error;
  }
  EXPECT_EQ(run({"fan-out", "start", "index.rebuild", "{"}), 65);
  EXPECT_EQ(run({"fan-out", "start", "index.rebuild", R"({"x":{"$gid":"gid://billing/X/1?tenant=acme"}})"}),
            1);
  EXPECT_THAT(output.error, HasSubstr("NoTenant"));
  EXPECT_EQ(run({"fan-out", "list", "--columns", "id"}), 0);
  EXPECT_EQ(output.out, "");
}

TEST_F(FanOutVerbsOfCli, CancelEndsWhatHasNotStartedAndVisitsNoMore) {
  start();
  visit(2);
  const auto made = jobs();
  EXPECT_EQ(run({"fan-out", "cancel", kFanOut, "--dry-run"}), 0) << output.error;
  EXPECT_EQ(fan_out().state(), queue::FanOutState::visiting);
  EXPECT_EQ(run({"fan-out", "cancel", kFanOut}), 2) << "nobody can be asked";
  environment.messages_are_terminal = environment.answers_are_terminal = true;
  answer = "no";
  EXPECT_EQ(run({"fan-out", "cancel", kFanOut}), 1);
  EXPECT_EQ(fan_out().state(), queue::FanOutState::visiting);
  EXPECT_EQ(run({"fan-out", "cancel", kFanOut, "--yes", "--reason", "wrong day"}), 0) << output.error;
  EXPECT_EQ(output.out, "cancelled fan-out " + kFanOut + ", and 2 jobs that had not started\n");
  EXPECT_EQ(fan_out().state(), queue::FanOutState::complete);
  EXPECT_EQ(fan_out().visited, 2);
  EXPECT_EQ(run({"fan-out", "cancel", kFanOut, "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("is complete already"));
  EXPECT_EQ(run({"store", "audit", "verb=fan-out *", "--columns", "verb,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("fan-out cancel"));
  EXPECT_THAT(output.out, HasSubstr("wrong day"));
}

TEST_F(FanOutVerbsOfCli, WhySaysWhatItWaitsForAndTheDoctorWhereNobodyGoesOn) {
  start({"--over", "1h", "--on-complete", "index.report"});
  EXPECT_EQ(run({"why", kFanOut}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("fan-out    " + kFanOut + ", visiting: 0 of 3 tenants visited"));
  EXPECT_THAT(output.out, HasSubstr("3 tenants to be visited"));
  EXPECT_THAT(output.out, HasSubstr("pace       over 60 min, the next tenant "));
  EXPECT_THAT(output.out, HasSubstr("change     tenure fan-out cancel " + kFanOut));
  EXPECT_EQ(run({"why", kFanOut, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("is_fan_out":true)"));
  EXPECT_EQ(run({"doctor", "fan-outs"}), 0);
  EXPECT_THAT(output.out, HasSubstr("fan-outs  "));
  clock.advance(hours{48});
  EXPECT_EQ(run({"doctor", "batches"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    batches   1 open")) << "nobody has forgotten to close it";
  visit(10);
  visit(10);
  EXPECT_EQ(run({"doctor", "fan-outs"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    fan-outs  none is under way"));
}

}  // namespace
}  // namespace tenure::cli
