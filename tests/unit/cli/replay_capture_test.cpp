#include "program.hpp"

#include <string>
#include <vector>

// Asking for capsules, and taking that back.
namespace tenure::cli {
namespace {

using queue::CaptureRecord;
using ::testing::HasSubstr;
using ::testing::Not;

class ReplayCapture : public Program {
 protected:
  ReplayCapture() {
    add_tenant("acme");
    add_job(1, "acme", "billing.close");
    add_job(2, "none", "house.keeping");
  }
  std::vector<CaptureRecord> open() {
    std::vector<CaptureRecord> records;
    store->read([&](queue::JobReader& reader) { records = reader.captures(); });
    return records;
  }
  std::string last_subject() {
    std::string subject;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        subject = record.entry.verb + ": " + record.entry.subject;
        return false;
      });
    });
    return subject;
  }
  // As the dispatcher stores it.
  void note_capsule(int seed, std::int64_t request, const std::string& file,
                    std::optional<Failure> failure = std::nullopt) {
    const queue::JobSeq seq = job(seed).seq;
    store->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
      writer.note_capsule(seq, {queue::CaptureNumber{request}, file, std::move(failure)}, clock.wall());
    });
  }
  const std::string id = job_id(1).text();
};

TEST_F(ReplayCapture, OfAJobIsItsNextRunThatFailsForADay) {
  EXPECT_EQ(run({"replay", "capture", id, "--reason", "ticket 4711"}), 0) << output.error;
  EXPECT_EQ(output.out,
            "made request 1: the next run of job " + id + " that fails, until 2026-03-03T10:14:00Z\n");
  EXPECT_EQ(wakes, 1);
  const auto requests = open();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].left, 1);
  EXPECT_EQ(requests[0].login, "root");
  EXPECT_EQ(requests[0].reason, "ticket 4711");
  EXPECT_EQ(last_subject(),
            "replay capture: request 1: job " + id + ", 1 on failure, until 2026-03-03T10:14:00Z");
}

TEST_F(ReplayCapture, OfAKindInATenantTakesCountEndAndTime) {
  EXPECT_EQ(run({"replay", "capture", "--kind", "billing.close", "--tenant", "acme", "--count", "3",
                 "--until", "2h", "--on", "any", "--json"}),
            0)
      << output.error;
  EXPECT_EQ(
      output.out,
      R"({"schema":"tenure.replay.capture/1","dry_run":false,"items":[{"number":1,"job":null,)"
      R"("kind":"billing.close","tenant":"acme","on":"any","left":3,"taken":0,"failed":0,)"
      R"("asked":"2026-03-02T10:14:00Z","until":"2026-03-02T12:14:00Z","uid":0,"login":"root","reason":""}]})"
      "\n");
  EXPECT_EQ(run({"replay", "capture", "--tenant", "acme", "--until", "2026-03-04"}), 0) << output.error;
  EXPECT_EQ(output.out,
            "made request 2: the next 5 runs of tenant acme that fail, until 2026-03-04T00:00:00Z\n");
}

TEST_F(ReplayCapture, ADryRunSaysWhatWouldBeAskedAndAsksNothing) {
  EXPECT_EQ(run({"replay", "capture", id, "--dry-run"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("would make a request: the next run of job " + id));
  EXPECT_EQ(run({"replay", "capture", id, "--dry-run", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("dry_run":true,"items":[{"number":null,"job":")" + id));
  EXPECT_TRUE(open().empty());
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(run({"replay", "capture", "--kind", "billing.unheard_of", "--dry-run"}), 1);
  EXPECT_THAT(output.error, HasSubstr("UnknownKind"));
}

TEST_F(ReplayCapture, WhatCannotBeAskedIsRefused) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> usage{
      {{}, "say of which runs"},
      {{id, "--kind", "billing.close"}, "named by its id alone"},
      {{id, "--count", "0"}, "--count"},
      {{id, "--count", "1001"}, "--count"},
      {{id, "--until", "31d"}, "at most 30 days"},
      {{id, "--until", "18446744073709552ms"}, "at most 30 days"},
      {{id, "--until", "soon"}, "--until 'soon'"},
      {{id, "--until", "-2h"}, "its end must be to come"},
      {{id, "--on", "fridays"}, "failure, success, any"},
      {{"--kind", "no kind"}, "kind"},
      {{"--tenant", "No"}, "tenant"},
      {{job_id(2).text()}, "has no tenant"},
      {{"019cae08"}, "is no job id"}};
  for (const auto& [words, why] : usage) {
    std::vector<std::string> arguments{"replay", "capture"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    EXPECT_EQ(run(arguments), 2) << why;
    EXPECT_THAT(output.error, HasSubstr(why));
  }
  EXPECT_EQ(run({"replay", "capture", job_id(7).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("JobNotFound"));
  EXPECT_EQ(run({"replay", "capture", "--tenant", "corvid"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantDoesNotExist"));
  succeed(1);
  EXPECT_EQ(run({"replay", "capture", id}), 1);
  EXPECT_THAT(output.error, HasSubstr("has succeeded"));
  EXPECT_TRUE(open().empty());
}

TEST_F(ReplayCapture, CancelTakesRequestsBackAllOrNone) {
  for (int each = 0; each < 2; ++each) ASSERT_EQ(run({"replay", "capture", id}), 0);
  wakes = 0;
  EXPECT_EQ(run({"replay", "cancel", "1", "3"}), 1);
  EXPECT_THAT(output.error, HasSubstr("CaptureNotFound: request 3 is not open"));
  EXPECT_EQ(open().size(), 2U);
  EXPECT_EQ(run({"replay", "cancel", "1", "2", "--dry-run"}), 0);
  EXPECT_EQ(open().size(), 2U);
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(run({"replay", "cancel", "2", "1", "2"}), 0) << output.error;
  EXPECT_EQ(output.out, "cancelled request 2: job " + id + "\ncancelled request 1: job " + id + '\n');
  EXPECT_TRUE(open().empty());
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(last_subject(), "replay cancel: request 2: job " + id + "; request 1: job " + id);
  for (const char* word : {"x", "0", "-1", "1.5"}) {
    EXPECT_EQ(run({"replay", "cancel", "--", word}), 2) << word;
    EXPECT_THAT(output.error, HasSubstr("tenure replay list shows them"));
  }
}

TEST_F(ReplayCapture, AJobShowsWhatIsAskedAndWhatBecameOfIt) {
  ASSERT_EQ(run({"replay", "capture", id, "--count", "3"}), 0);
  note_capsule(1, 1, "a.capsule");
  note_capsule(1, 1, "", Failure{ErrorCode::limit_reached, "too \x1b large"});
  EXPECT_EQ(run({"job", "show", id}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("capture    request 1: the next run of job " + id));
  EXPECT_THAT(output.out, HasSubstr("1 taken; 1 failed\n"));
  EXPECT_THAT(output.out, HasSubstr("capsule    a.capsule, request 1, 2026-03-02T10:14:00Z\n"));
  EXPECT_THAT(output.out, HasSubstr("capsule    none: LimitReached: too \\x1b large, request 1"));
  EXPECT_EQ(run({"job", "show", id, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("capsules":[{"request":1,"at":"2026-03-02T10:14:00Z","file":null,)"
                                    R"("code":"LimitReached","error":"too \u001b large"},)"));
  EXPECT_THAT(output.out, HasSubstr(R"("captures":[{"number":1,)"));
}

TEST_F(ReplayCapture, WhyOfAJobTellsWhatIsAskedOfItsRuns) {
  EXPECT_EQ(run({"job", "why", id}), 0) << output.error;
  EXPECT_THAT(output.out, Not(HasSubstr("capture")));
  ASSERT_EQ(run({"replay", "capture", id}), 0);
  ASSERT_EQ(run({"replay", "capture", "--kind", "billing.close"}), 0) << output.error;
  EXPECT_EQ(run({"job", "why", id}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("\ncapture    request 1: the next run of job " + id + " that fails"));
  EXPECT_THAT(output.out, Not(HasSubstr("request 2"))) << "of other jobs, too: replay list has it";
  EXPECT_EQ(run({"job", "why", id, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("captures":[{"number":1,"job":")" + id));
  EXPECT_EQ(run({"job", "why", job_id(2).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("request")));
}

// It is in the store until a dispatcher removes it.
TEST_F(ReplayCapture, ARequestWhoseTimeIsOverIsShownNowhere) {
  ASSERT_EQ(run({"replay", "capture", id, "--until", "2h"}), 0);
  clock.advance(std::chrono::hours{2} - std::chrono::milliseconds{1});
  EXPECT_EQ(run({"replay", "list", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("requests":[{"number":1,)"));
  clock.advance(std::chrono::milliseconds{1});
  ASSERT_EQ(open().size(), 1U);
  EXPECT_EQ(run({"replay", "list", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("requests":[])"));
  EXPECT_EQ(run({"doctor", "captures"}), 0);
  EXPECT_THAT(output.out, HasSubstr("0 requests for capsules are open"));
  EXPECT_EQ(run({"job", "show", id}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("request 1")));
  EXPECT_EQ(run({"replay", "cancel", "1"}), 1);
  EXPECT_THAT(output.error, HasSubstr("CaptureNotFound"));
}

TEST_F(ReplayCapture, ADoctorFindsCapturesThatFailedInTheLastDay) {
  EXPECT_EQ(run({"doctor", "captures"}), 0);
  EXPECT_EQ(output.out,
            "ok    captures  0 requests for capsules are open, and no capture has failed in the last 24 h\n");
  ASSERT_EQ(run({"replay", "capture", id, "--count", "3"}), 0);
  note_capsule(1, 1, "", Failure{ErrorCode::limit_reached, "too large"});
  EXPECT_EQ(run({"doctor", "captures"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("warn  captures  1 run that should have been captured in the last 24 h could not be, "
                        "the last one none: LimitReached: too large"));
  EXPECT_THAT(output.out, HasSubstr("-> tenure job show " + id));
  clock.advance(std::chrono::hours{24});
  EXPECT_EQ(run({"doctor", "captures"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("warn")));
}

}  // namespace
}  // namespace tenure::cli
