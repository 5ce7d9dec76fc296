#include "store_suite.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace tenure::testing {

// What an attempt keeps of the process that performed it, by each verb that leaves one.
TEST_P(StoreSuite, LSE_22_AnAttemptKeepsWhereItWasPerformedAndHowItsProcessEnded) {
  const Incarnation life =
      written([&](StoreWriter& writer) { return writer.open_incarnation(kLife.value, "app-1", 4711, now_); });
  const auto place = [](std::optional<ProcessExit> exit) { return RunPlace{"general.3", 815, exit}; };
  const ProcessExit killed{ProcessExit::By::signal, 9};
  const ProcessExit left{ProcessExit::By::code, 0};
  struct Ending {
    RunPlace place;
    std::function<Result<void>(StoreWriter&, ClaimRef, const AttemptFailure&)> verb;
  };
  const std::vector<Ending> endings{
      {place({}), [&](auto& writer, auto claim, auto& why) { return writer.retry(claim, now_, why, now_); }},
      {place({}),
       [&](auto& writer, auto claim, auto& why) {
         return writer.finish(claim, JobState::dead, JobReason::permanent_error, why, now_);
       }},
      {place(left),
       [&](auto& writer, auto claim, auto& why) { return writer.release(claim, true, why, now_); }},
      {place(killed), [&](auto& writer, auto claim,
                          auto& why) { return writer.reclaim(claim, CrashCharge::counted, why, now_); }},
      {place(killed), [&](auto& writer, auto claim,
                          auto& why) { return writer.suspect(claim, CrashCharge::poison, why, now_); }},
      {{},
       [&](auto& writer, auto claim, auto& why) {
         return writer.suspect(claim, CrashCharge::none, why, now_);
       }},
  };
  std::vector<Enqueued> jobs;
  for (const Ending& ending : endings) {
    jobs.push_back(put());
    ClaimRequest request = claim_request(kUntenanted, 1);
    request.incarnation = life;
    const auto claimed = written([&](StoreWriter& writer) { return writer.claim(request, now_); });
    ASSERT_EQ(claimed.jobs.size(), 1U);
    ASSERT_EQ(claimed.jobs[0].seq, jobs.back().seq);
    const AttemptFailure why{ErrorCode::worker_crashed, "as said", ending.place};
    write([&](StoreWriter& writer) { value_or_raise(ending.verb(writer, ref(claimed.jobs[0]), why)); });
    const auto history = attempts(jobs.back().seq);
    ASSERT_EQ(history.size(), 1U);
    EXPECT_EQ(history[0].place, ending.place);
    EXPECT_EQ(history[0].node, "app-1");
    EXPECT_EQ(history[0].process, kProcess);
    EXPECT_EQ(history[0].started, now_);
    EXPECT_EQ(history[0].finished, now_);
    // So that the next claim is the next job's.
    if (!record(jobs.back().id).finished)
      write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(jobs.back().id, now_)); });
    advance(std::chrono::seconds{1});
  }
}

// Releases in a row share a row, which tells of the last of them.
TEST_P(StoreSuite, ARepeatedReleaseTellsOfTheProcessThatPerformedLast) {
  const Enqueued job = put();
  for (const char* process : {"general.0", "general.1"}) {
    const AttemptFailure why{ErrorCode::interrupted, "stopped", {process, 5, {}}};
    const ClaimRef claim = ref(claim_one());
    write([&](StoreWriter& writer) { value_or_raise(writer.release(claim, true, why, now_)); });
  }
  ASSERT_EQ(attempts(job.seq).size(), 1U);
  EXPECT_EQ(attempts(job.seq)[0].place.process, "general.1");
}

}  // namespace tenure::testing
