#include "store_suite.hpp"

#include <string>

// What handlers returned, of jobs that have succeeded.
namespace tenure::testing {
namespace {

class ResultSuite : public StoreSuite {
 protected:
  // A job that has succeeded and returned that.
  Enqueued succeeded_with(const JobResult& result) {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    EXPECT_EQ(claimed.id, job.id);
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish_succeeded(ref(claimed), now_));
      writer.keep_result(claimed.seq, result, now_);
    });
    return job;
  }
  std::optional<StoredResult> result(const Enqueued& job) {
    return asked([&](JobReader& reader) { return reader.result(job.seq, now_); });
  }
  std::int64_t forget(std::size_t limit = 100) {
    return written([&](StoreWriter& writer) { return writer.forget_results(now_, limit); });
  }
};

TEST_P(ResultSuite, AResultIsThereWithItsJobAndForNoOther) {
  const Enqueued before = put();
  static_cast<void>(claim_one());
  const Enqueued job = succeeded_with({R"({"rows":3})", minutes{10}});
  EXPECT_EQ(result(job), (StoredResult{R"({"rows":3})", now_ + minutes{10}}));
  EXPECT_EQ(result(before), std::nullopt);
}

TEST_P(ResultSuite, AnotherProcessReadsIt) {
  const std::string longest(kJobResultMax, 'x');
  const Enqueued job = succeeded_with({longest, minutes{1}});
  std::optional<StoredResult> found;
  world_->of_another_process().read([&](JobReader& reader) { found = reader.result(job.seq, now_); });
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->text, longest);
}

TEST_P(ResultSuite, ItIsThereUntilItsTimeAndNotAtIt) {
  const Enqueued job = succeeded_with({"1", minutes{1}});
  advance(minutes{1} - std::chrono::microseconds{1});
  EXPECT_TRUE(result(job).has_value());
  advance(std::chrono::microseconds{1});
  EXPECT_EQ(result(job), std::nullopt);
}

TEST_P(ResultSuite, ThoseWhoseTimeIsOverAreForgottenAFewAtATime) {
  const Enqueued first = succeeded_with({"1", minutes{1}});
  static_cast<void>(succeeded_with({"2", minutes{2}}));
  static_cast<void>(succeeded_with({"3", minutes{3}}));
  const Enqueued later = succeeded_with({"4", minutes{30}});
  EXPECT_EQ(forget(), 0);
  advance(minutes{3});
  EXPECT_EQ(forget(2), 2);
  EXPECT_EQ(forget(2), 1);
  EXPECT_EQ(forget(2), 0);
  EXPECT_TRUE(result(later).has_value());
  EXPECT_EQ(record(first.id).state, ShownState::succeeded) << "its job stays";
}

TEST_P(ResultSuite, WhatIsTakenBackHasNoResult) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 value_or_raise(writer.finish_succeeded(ref(claimed), now_));
                 writer.keep_result(claimed.seq, {"1", minutes{1}}, now_);
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_EQ(result(job), std::nullopt);
  EXPECT_EQ(record(job.id).state, ShownState::running);
}

TEST_P(ResultSuite, ItGoesWithItsJob) {
  const Enqueued deleted = succeeded_with({"1", hours{24 * 300}});
  const Enqueued pruned = succeeded_with({"2", hours{24 * 300}});
  static_cast<void>(put());  // the newest job of all stays
  write([&](StoreWriter& writer) { value_or_raise(writer.delete_by_operator(deleted.id)); });
  EXPECT_EQ(result(deleted), std::nullopt);
  EXPECT_TRUE(result(pruned).has_value());
  advance(hours{24 * 10});
  const PrunePass pass = asked([](JobReader& reader) { return reader.begin_pruning({}); });
  const std::vector<JobSeq> seqs{pruned.seq};
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.prune(seqs, pass, now_); }).succeeded, 1);
  EXPECT_EQ(result(pruned), std::nullopt);
}

TEST_P(ResultSuite, AClaimedJobSaysItsQueueAndWhenItCame) {
  NewJob job = new_job();
  job.queue = "exports";
  put(job);
  const WallTime came = now_;
  advance(minutes{5});
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(claimed.queue, "exports");
  EXPECT_EQ(claimed.created, came);
}

TEST_P(ResultSuite, AJobTellsWhoseItIs) {
  create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  const Enqueued untenanted = put();
  const auto owner = [&](JobId id) {
    return asked([&](JobReader& reader) { return reader.owner_of_job(id); });
  };
  EXPECT_EQ(owner(job.id), (JobOwner{job.seq, TenantName("acme"), job.generation, true}));
  EXPECT_EQ(owner(untenanted.id), (JobOwner{untenanted.seq, std::nullopt, Generation{}, true}));
  EXPECT_EQ(owner(new_job().id), std::nullopt);
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.owner_of_job(job.id); }), owner(job.id));
}

INSTANTIATE_TEST_SUITE_P(EachStore, ResultSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
