#include "program.hpp"

#include <tenure/base/text.hpp>

// What tells of many jobs: groups, streams, and what has changed.
namespace tenure::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  auto lines = split(text, '\n');
  lines.pop_back();
  return lines;
}

class JobGroup : public Program {
 protected:
  JobGroup() {
    add_tenant("acme");
    add_tenant("corvid");
    for (int seed = 1; seed <= 3; ++seed) dead(seed, "acme", "mail.send", "SmtpTimeout: no answer");
    dead(4, "corvid", "mail.send", "SmtpTimeout: no answer");
    dead(5, "corvid", "mail.send", "a,b \"c\"*\nand a line of its own");
    add_job(6, "acme", "mail.read");
    add_job(7, "acme", "mail.read");
    succeed(7);
  }
  void dead(int seed, std::string_view tenant, std::string_view kind, std::string_view error) {
    add_job(seed, tenant, kind);
    die(seed, error);
  }
};

TEST_F(JobGroup, CountsByKindAndErrorUnlessItIsSaid) {
  EXPECT_EQ(run({"job", "group"}), 0);
  expect_golden("job_group.txt");
  EXPECT_EQ(output.error, "3 groups\n");
}

TEST_F(JobGroup, CLI_01_ItsJsonStaysAsItIs) {
  EXPECT_EQ(run({"job", "group", "state=dead", "--by", "tenant,state", "--json"}), 0);
  expect_golden("job_group.json");
}

TEST_F(JobGroup, TheFilterOfARowFindsItsJobs) {
  EXPECT_EQ(run({"job", "count", "kind=mail.send", "error=SmtpTimeout: no answer", "state!=succeeded"}), 0);
  EXPECT_EQ(output.out, "4\n");
  EXPECT_EQ(run({"job", "group", "tenant=corvid", "--by", "error"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"(tenant=corvid 'error=a?b ?c??*' state!=succeeded)"));
  EXPECT_EQ(run({"job", "count", "tenant=corvid", "error=a?b ?c??*", "state!=succeeded"}), 0);
  EXPECT_EQ(output.out, "1\n");
}

TEST_F(JobGroup, FieldsAreNamedOnceAndWrongOnesAreRefused) {
  EXPECT_EQ(run({"job", "group", "--by", "queue,queue", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("items":[{"queue":"default","jobs":6,)"));
  EXPECT_EQ(run({"job", "group", "--by", "tennant"}), 2);
  EXPECT_THAT(output.error, HasSubstr("did you mean tenant?"));
  EXPECT_EQ(run({"job", "group", "state=dead", "--by", "tenant", "--limit", "1"}), 0);
  EXPECT_EQ(output.error, "1 of 2 groups\n");
  EXPECT_EQ(run({"job", "group", "state=dead", "--fail-if-any"}), 1);
}

TEST_F(JobGroup, ExportWritesEachJobOnceInTheOrderOfItsEnqueue) {
  EXPECT_EQ(run({"job", "export"}), 0);
  const auto lines = lines_of(output.out);
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_THAT(lines[0],
              StartsWith(R"({"schema":"tenure.job.export/1","cursor":"j1","id":")" + job_id(1).text()));
  EXPECT_EQ(output.error, "exported 7 jobs\n");
  EXPECT_EQ(run({"job", "export", "state=dead", "--after", "j3"}), 0);
  EXPECT_EQ(lines_of(output.out).size(), 2U);
  EXPECT_EQ(run({"job", "export", "--after", "x"}), 2);
}

TEST_F(JobGroup, CLI_11_AnExportThatNobodyReadsIsAFailure) {
  output.closed = true;
  EXPECT_EQ(run({"job", "export"}), 1);
  EXPECT_THAT(output.error, HasSubstr("standard output is closed or full"));
}

class JobTail : public Program {
 protected:
  // Runs `job tail`; `events` happen one after the other, each between two looks.
  std::vector<std::string> tail(std::vector<std::string> words, std::vector<std::function<void()>> events) {
    std::size_t next = 0;
    on_pause = [&] {
      if (next == events.size()) return false;
      events[next++]();
      return true;
    };
    words.insert(words.begin(), {"job", "tail"});
    EXPECT_EQ(run(words), 0) << output.error;
    on_pause = nullptr;
    return lines_of(output.out);
  }
  static std::string line(const std::string& time, int seed, const std::string& rest) {
    return time + "  " + job_id(seed).text() + "  " + rest;
  }
};

TEST_F(JobTail, ALineForEachJobThatHasComeOrChanged) {
  add_job(1, "none", "mail.send");
  EXPECT_THAT(
      tail({}, {[&] { add_job(2, "none", "mail.read"); }, [&] { die(1); }, [&] { hold(2); }, [] {}}),
      ElementsAre(line("2026-03-02T10:14:01Z", 2, "new -> ready  mail.read of no tenant"),
                  line("2026-03-02T10:14:04.500000Z", 1,
                       "ready -> dead  mail.send of no tenant, permanent_error: no answer from "
                       "mx.acme.example"),
                  line("2026-03-02T10:14:05.500000Z", 2,
                       "ready -> running  mail.read of no tenant, since 2026-03-02T10:14:05.500000Z")));
  EXPECT_EQ(output.error, "following 1 job, and those to come\n");
}

TEST_F(JobTail, WhatMatchesNoMoreIsToldOnceAndWhatComesToMatchIsNew) {
  add_job(1, "none", "mail.send");
  add_job(2, "none", "mail.read");
  const auto left = tail({"state=ready"}, {[&] { succeed(1); }, [] {}});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_THAT(left[0], HasSubstr("ready -> succeeded"));
  const auto come = tail({"state=dead"}, {[&] { die(2); }, [] {}});
  ASSERT_EQ(come.size(), 1U);
  EXPECT_THAT(come[0], HasSubstr("new -> dead"));
}

TEST_F(JobTail, NoMoreThanTheNewestAreFollowed) {
  for (int seed = 1; seed <= 3; ++seed) add_job(seed, "none", "mail.send");
  EXPECT_THAT(tail({"--limit", "2"}, {[&] { die(1); }, [] {}}), ElementsAre()) << "it is the oldest of three";
  const auto lines = tail({"--limit", "2"}, {[&] { add_job(4, "none", "mail.send"); }, [&] { die(4); }});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[1], HasSubstr("ready -> dead"));
}

TEST_F(JobTail, CLI_01_ItsLinesAsJsonStayAsTheyAre) {
  add_job(1, "none", "mail.send");
  (void)tail({"--json"}, {[&] { die(1); }});
  expect_golden("job_tail.json");
  EXPECT_EQ(output.error, "");
}

TEST_F(JobTail, CLI_11_WhereNobodyReadsItEnds) {
  on_pause = [&] {
    add_job(1, "none", "mail.send");
    output.closed = true;
    return true;
  };
  EXPECT_EQ(run({"job", "tail"}), 1);
}

class Shows : public Program {
 protected:
  Shows() {
    add_tenant("acme");
    tell_pools({{"general", {"default"}, 2, {"mail.send"}}, {"heavy", {"reports"}, 0, {}}});
    add_job(1, "acme", "mail.send");
    add_job(2, "acme", "mail.sned");
    add_job(3, "acme", "mail.send", "{}", {}, "reports");
    add_job(4, "acme", "mail.send", "{}", std::chrono::hours{1});
    add_job(5, "acme", "mail.send");
    die(5);
  }
};

TEST_F(Shows, OneQueueKindOrTenantIsShownAsItStands) {
  std::string all;
  for (const auto& words : {std::vector<std::string>{"queue", "show", "default"},
                            {"queue", "show", "reports"},
                            {"kind", "show", "mail.send"},
                            {"kind", "show", "mail.sned"},
                            {"kind", "list"},
                            {"tenant", "show", "acme"}}) {
    EXPECT_EQ(run(words), 0);
    all += output.out + '\n';
  }
  output.out = all;
  expect_golden("shows.txt");
}

TEST_F(Shows, CLI_01_TheirJsonStaysAsItIs) {
  std::string all;
  for (const auto& words : {std::vector<std::string>{"queue", "show", "default", "--json"},
                            {"kind", "show", "mail.send", "--json"},
                            {"kind", "list", "--json"},
                            {"tenant", "show", "acme", "--json"}}) {
    EXPECT_EQ(run(words), 0);
    all += output.out;
  }
  output.out = all;
  expect_golden("shows.json");
}

TEST_F(Shows, CLI_01_WhatIsNotThereIsAnAnswerOfNo) {
  EXPECT_EQ(run({"queue", "show", "defualt"}), 1);
  EXPECT_THAT(output.error, HasSubstr("did you mean default?"));
  EXPECT_EQ(run({"kind", "show", "mail"}), 1);
  EXPECT_EQ(run({"tenant", "show", "corvid"}), 1);
  EXPECT_EQ(run({"tenant", "show", "No Tenant"}), 2);
}

TEST_F(Shows, CLI_12_AListWithThresholdsIsACheckForMonitors) {
  for (const char* noun : {"queue", "kind", "tenant"}) {
    EXPECT_EQ(run({noun, "list", "dead=1..", "--fail-if-any"}), 1) << noun;
    EXPECT_EQ(run({noun, "list", "dead=2..", "--fail-if-any"}), 0) << noun;
    EXPECT_EQ(run({noun, "list", "oldest=5m..", "--fail-if-any"}), 0) << noun;
  }
  EXPECT_EQ(run({"job", "count", "state=dead", "finished=-5m..", "--fail-if-any"}), 1);
  clock.advance(std::chrono::minutes{6});
  for (const char* noun : {"queue", "kind", "tenant"})
    EXPECT_EQ(run({noun, "list", "oldest=5m..", "--fail-if-any", "--json"}), 1) << noun;
  EXPECT_EQ(run({"job", "count", "state=dead", "finished=-5m..", "--fail-if-any"}), 0);
}

}  // namespace
}  // namespace tenure::cli
