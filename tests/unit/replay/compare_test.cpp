#include <tenure/replay/compare.hpp>

#include <gtest/gtest.h>

namespace tenure::replay {
namespace {

using Outcome = Expectation::Outcome;

RunRecord record_of_run() {
  RunRecord run;
  run.calls = {{"rate", "1.5"}, {"charge", "true"}};
  run.jobs = {{.id = {}, .kind = "books.note", .queue = "default", .arguments = "{}"}};
  run.changes = {{"invoice", RowChange::Kind::updated, R"({"id":1})", R"({"paid":0})", R"({"paid":1})"},
                 {"invoice", RowChange::Kind::inserted, R"({"id":7})", "", R"({"id":7,"paid":2})"}};
  run.failure = queue::AttemptFailure{ErrorCode::handler_failed, "declined", {}};
  return run;
}

std::string first(const RunRecord& replayed, const Expectation& expected = {}) {
  const auto difference = compare(record_of_run(), replayed, expected);
  return difference ? difference->text() : "";
}

TEST(CompareRuns, TheSameRunDoesNotDiffer) {
  RunRecord same = record_of_run();
  same.readings = {from_us(1)};
  same.seed = 9;
  same.failure->place.pid = 77;
  same.tables_not_recorded = {"log"};
  EXPECT_EQ(first(same), "") << "readings, seed and place are given, or of no account";
}

TEST(CompareRuns, ACallIsNamedFirstByItsNumberAndName) {
  RunRecord run = record_of_run();
  run.calls[1].name = "refund";
  run.failure.reset();
  EXPECT_EQ(first(run),
            "calls differ at call 2, \"charge\":\n  recorded \"charge\": true\n  replayed \"refund\": true");
  run.calls.pop_back();
  EXPECT_EQ(first(run),
            "calls differ at call 2, \"charge\":\n  recorded \"charge\": true\n  replayed nothing");
  run = record_of_run();
  run.calls.push_back({"more", "", Failure{ErrorCode::replay_differs, "no such call"}});
  EXPECT_EQ(first(run),
            "calls differ at call 3, \"more\":\n  recorded nothing\n"
            "  replayed \"more\": threw ReplayDiffers: no such call");
}

TEST(CompareRuns, ThenTheOutcome) {
  RunRecord run = record_of_run();
  run.failure.reset();
  run.jobs.clear();
  EXPECT_EQ(
      first(run),
      "outcome differs at the end of the run:\n  recorded HandlerFailed: declined\n  replayed succeeded");
  run = record_of_run();
  run.cursor = "page 2";
  EXPECT_NE(first(run).find("with the cursor \"page 2\""), std::string::npos);
}

TEST(CompareRuns, ThenTheJobsEnqueued) {
  RunRecord run = record_of_run();
  run.jobs.front().queue = "slow";
  run.changes.clear();
  const std::string text = first(run);
  EXPECT_TRUE(text.starts_with("jobs differ at enqueued job 1, books.note:\n")) << text;
  EXPECT_NE(text.find("in queue default"), std::string::npos);
  EXPECT_NE(text.find("in queue slow"), std::string::npos);
}

TEST(CompareRuns, JobsDifferByTheirKeysAndStartTimesWhereBothRecordsKnowThem) {
  RunRecord run = record_of_run();
  run.jobs.front().keys = R"({"unique":{"key":"may"}})";
  EXPECT_NE(first(run).find(R"(, keys {"unique":{"key":"may"}})"), std::string::npos) << first(run);
  run = record_of_run();
  run.jobs.front().start_before = WallTime{std::chrono::hours{1}};
  EXPECT_NE(first(run).find(", to start before 1970-01-01T01:00:00Z"), std::string::npos) << first(run);
  RunRecord older = record_of_run();
  older.has_keys_of_jobs = false;
  EXPECT_FALSE(compare(older, run, {})) << "a capsule from before says nothing of them";
}

TEST(CompareRuns, ThenTheRowsEachByTableAndKey) {
  RunRecord run = record_of_run();
  run.changes[1].after = R"({"id":7,"paid":3})";
  EXPECT_EQ(first(run),
            "rows differ at row {\"id\":7} of table invoice:\n  recorded inserted {\"id\":7,\"paid\":2}\n"
            "  replayed inserted {\"id\":7,\"paid\":3}");
  run = record_of_run();
  run.changes.erase(run.changes.begin());
  EXPECT_EQ(first(run),
            "rows differ at row {\"id\":1} of table invoice:\n"
            "  recorded updated {\"paid\":0} to {\"paid\":1}\n  replayed nothing");
  run = record_of_run();
  run.changes.insert(run.changes.begin() + 1,
                     {"invoice", RowChange::Kind::deleted, R"({"id":3})", R"({"id":3})", ""});
  EXPECT_EQ(first(run),
            "rows differ at row {\"id\":3} of table invoice:\n  recorded nothing\n"
            "  replayed deleted {\"id\":3}");
}

TEST(CompareRuns, ALongOrHostileTextIsCutAndEscaped) {
  RunRecord run = record_of_run();
  run.failure->error = "\x1b[2J" + std::string(100'000, 'x');
  const std::string text = first(run);
  EXPECT_LT(text.size(), 3000U);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(CompareRuns, AMendedBugPassesWhateverWasRecorded) {
  RunRecord run;
  EXPECT_EQ(first(run, {.outcome = Outcome::passes}), "");
  run.failure = queue::AttemptFailure{ErrorCode::bad_options, "no", {}};
  EXPECT_NE(first(run, {.outcome = Outcome::passes}).find("which must succeed"), std::string::npos);
}

TEST(CompareRuns, ARunThatMustFailFailsByItsError) {
  RunRecord run;
  run.failure = queue::AttemptFailure{ErrorCode::bad_options, "no", {}};
  EXPECT_EQ(first(run, {.outcome = Outcome::fails}), "");
  EXPECT_EQ(first(run, {.outcome = Outcome::fails, .error = ErrorCode::bad_options}), "");
  EXPECT_NE(first(run, {.outcome = Outcome::fails, .error = ErrorCode::time_limit}), "");
  run.failure.reset();
  EXPECT_NE(first(run, {.outcome = Outcome::fails}), "");
}

TEST(CompareRuns, ARunThatLeftTheRecordingIsNoFailureThatWasExpected) {
  RunRecord run = record_of_run();
  run.calls[1] = {"refund", "", Failure{ErrorCode::replay_differs, "another call"}};
  run.failure = queue::AttemptFailure{ErrorCode::replay_differs, "another call", {}};
  EXPECT_TRUE(first(run, {.outcome = Outcome::fails}).starts_with("calls differ at call 2"));
  EXPECT_TRUE(first(run, {.outcome = Outcome::passes}).starts_with("calls differ at call 2"));
}

}  // namespace
}  // namespace tenure::replay
