#include "store_suite.hpp"

#include <algorithm>
#include <array>
#include <functional>

// What runs tell of themselves while they go on: progress, which goes with the claim, and a cursor, which stays with the job.
namespace tenure::testing {
namespace {

class ProgressSuite : public StoreSuite {
 protected:
  std::optional<ErrorCode> tell(const RunNews& news) {
    return code_of(written([&](StoreWriter& writer) { return writer.tell(news, now_); }));
  }
  // The job's next claim, whatever it waits for.
  ClaimedJob claim_again() {
    advance(minutes{1});
    write([&](StoreWriter& writer) {
      static_cast<void>(writer.promote(now_, 10));
      static_cast<void>(writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10));
    });
    return claim_one();
  }
};

TEST_P(ProgressSuite, RUN_13_ProgressShowsTheLatestWhileTheJobRuns) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  EXPECT_FALSE(record(job.id).progress.has_value());
  EXPECT_EQ(tell({ref(claimed), Progress{1, 3, "importing"}, ""}), std::nullopt);
  advance(seconds{5});
  EXPECT_EQ(tell({ref(claimed), Progress{2, 3, "still importing"}, ""}), std::nullopt);
  const auto shown = record(job.id).progress;
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(shown->progress, (Progress{2, 3, "still importing"}));
  EXPECT_EQ(shown->told, now_);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  EXPECT_FALSE(record(job.id).progress.has_value()) << "it went with the claim";
  static_cast<void>(claim_one());
  EXPECT_FALSE(record(job.id).progress.has_value()) << "a new run begins anew";
}

TEST_P(ProgressSuite, RUN_13_ARerunSeesTheLastCursorWhateverEndedTheRunBefore) {
  using End = std::function<Result<void>(StoreWriter&, ClaimRef)>;
  const std::array<End, 5> ends{
      [&](StoreWriter& writer, ClaimRef claim) { return writer.retry(claim, now_, {}, now_); },
      [&](StoreWriter& writer, ClaimRef claim) { return writer.release(claim, true, {}, now_); },
      [&](StoreWriter& writer, ClaimRef claim) { return writer.block(claim, JobReason::envelope_newer); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return writer.reclaim(claim, CrashCharge::counted, {}, now_);
      },
      [&](StoreWriter& writer, ClaimRef) -> Result<void> {
        static_cast<void>(writer.reclaim_of_former_holders(Incarnation{kLife.value + 1}, 10, now_));
        return {};
      }};
  put();
  ClaimedJob claimed = claim_one();
  EXPECT_EQ(claimed.cursor, "");
  int step = 0;
  for (const End& end : ends) {
    const std::string cursor = std::string("step\0", 5) + std::to_string(++step);
    EXPECT_EQ(tell({ref(claimed), std::nullopt, "older"}), std::nullopt);
    EXPECT_EQ(tell({ref(claimed), std::nullopt, cursor}), std::nullopt);
    EXPECT_EQ(tell({ref(claimed), Progress{1, 0, ""}, ""}), std::nullopt) << "which leaves the cursor";
    write([&](StoreWriter& writer) { value_or_raise(end(writer, ref(claimed))); });
    claimed = claim_again();
    EXPECT_EQ(claimed.cursor, cursor) << step;
  }
}

TEST_P(ProgressSuite, TheCursorOfAJobShowsAsItsSizeAndTimeUntilItHasEnded) {
  const Enqueued job = put();
  EXPECT_FALSE(record(job.id).cursor.has_value());
  ClaimedJob claimed = claim_one();
  EXPECT_EQ(tell({ref(claimed), std::nullopt, std::string("4\0", 2)}), std::nullopt);
  advance(seconds{5});
  EXPECT_EQ(tell({ref(claimed), std::nullopt, "410"}), std::nullopt);
  const WallTime saved = now_;
  advance(seconds{5});
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  const auto shown = record(job.id).cursor;
  ASSERT_TRUE(shown.has_value()) << "it stays when the claim goes";
  EXPECT_EQ(shown->size_bytes, 3);
  EXPECT_EQ(shown->saved, saved);
  claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_FALSE(record(job.id).cursor.has_value());
}

TEST_P(ProgressSuite, RUN_13_ASuspectSeesItsCursorToo) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(tell({ref(claimed), std::nullopt, "40"}), std::nullopt);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.suspect(ref(claimed), CrashCharge::counted, {}, now_));
  });
  const ClaimReply trial = written([&](StoreWriter& writer) {
    return writer.claim_suspect({.seq = job.seq, .token = {kLife, 99}, .process = kProcess}, now_);
  });
  ASSERT_EQ(trial.jobs.size(), 1U);
  EXPECT_EQ(trial.jobs[0].cursor, "40");
}

TEST_P(ProgressSuite, RUN_13_AJobThatAnOperatorRetriesSeesItsCursorWhateverHadEndedIt) {
  using End = std::function<Result<void>(StoreWriter&, ClaimRef, JobId)>;
  const std::array<End, 5> ends{
      [&](StoreWriter& writer, ClaimRef claim, JobId) {
        return writer.finish(claim, JobState::dead, JobReason::by_rule, {}, now_);
      },
      [&](StoreWriter& writer, ClaimRef claim, JobId) { return writer.cancel(claim, true, {}, now_); },
      [&](StoreWriter& writer, ClaimRef claim, JobId) {
        return writer.reclaim(claim, CrashCharge::poison, {}, now_);
      },
      [&](StoreWriter& writer, ClaimRef claim, JobId id) {
        value_or_raise(writer.release(claim, true, {}, now_));
        return writer.cancel_by_operator(id, now_);
      },
      [&](StoreWriter& writer, ClaimRef claim, JobId id) {
        value_or_raise(writer.retry(claim, now_ + hours{1}, {}, now_));
        return writer.discard_by_operator(id, now_);
      }};
  for (const End& end : ends) {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    EXPECT_EQ(tell({ref(claimed), std::nullopt, "40"}), std::nullopt);
    write([&](StoreWriter& writer) { value_or_raise(end(writer, ref(claimed), job.id)); });
    write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(job.id, now_)); });
    const ClaimedJob again = claim_one();
    EXPECT_EQ(again.cursor, "40");
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(again), now_)); });
  }
}

TEST_P(ProgressSuite, ACursorIsGoneWithTheJobsSuccessOrItsRemovalAndACopyHasNone) {
  const Enqueued job = put();
  EXPECT_EQ(tell({ref(claim_one()), std::nullopt, "40"}), std::nullopt);
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.reclaim_of_former_holders(Incarnation{kLife.value + 1}, 10, now_));
    value_or_raise(writer.cancel_by_operator(job.id, now_));
  });
  const JobId copy = new_job().id;
  write([&](StoreWriter& writer) { value_or_raise(writer.copy_by_operator(job.id, copy, now_)); });
  EXPECT_EQ(claim_one().cursor, "");
  const auto has_strays = [&] {
    const auto defects = asked([](JobReader& reader) { return reader.defects(PageCheck::none); });
    return std::ranges::find(defects, Defect::row_without_job, &DefectRecord::defect) != defects.end();
  };
  EXPECT_FALSE(has_strays());
  write([&](StoreWriter& writer) { value_or_raise(writer.delete_by_operator(job.id)); });
  EXPECT_FALSE(has_strays()) << "no cursor is left behind";
}

TEST_P(ProgressSuite, LSE_02_AnOldTokenTellsNothing) {
  const Enqueued job = put();
  const ClaimRef old = ref(claim_one());
  EXPECT_EQ(tell({old, Progress{1, 3, "old"}, "1"}), std::nullopt);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(old, true, {}, now_)); });
  EXPECT_EQ(tell({old, Progress{2, 3, "late"}, "2"}), ErrorCode::claim_lost) << "without any claim";
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(claimed.cursor, "1");
  EXPECT_EQ(tell({old, Progress{2, 3, "late"}, "2"}), ErrorCode::claim_lost);
  EXPECT_EQ(tell({old, std::nullopt, "2"}), ErrorCode::claim_lost);
  EXPECT_FALSE(record(job.id).progress.has_value());
  EXPECT_EQ(record(job.id).claim, claimed.token);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  EXPECT_EQ(claim_one().cursor, "1");
}

TEST_P(ProgressSuite, CursorsCountWithTheEnvelopesOfAClaim) {
  for (int i = 0; i < 2; ++i) put();
  for (const ClaimedJob& claimed : claim(kUntenanted, 2).jobs) {
    EXPECT_EQ(tell({ref(claimed), std::nullopt, std::string(kCursorMax, 'x')}), std::nullopt);
    write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  }
  const ClaimReply reply = claim(kUntenanted, 2, kCursorMax + 4096);
  EXPECT_EQ(reply.jobs.size(), 1U);
  EXPECT_TRUE(reply.stopped_by_bytes);
}

TEST_P(ProgressSuite, WhatWasAbandonedWasNotTold) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(tell({ref(claimed), Progress{1, 0, "first"}, "1"}), std::nullopt);
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 value_or_raise(writer.tell({ref(claimed), Progress{2, 0, "second"}, "2"}, now_));
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_EQ(record(job.id).progress->progress.text, "first");
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  EXPECT_EQ(claim_one().cursor, "1");
}

INSTANTIATE_TEST_SUITE_P(EachStore, ProgressSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
