#include "keys_suite.hpp"

#include <tenure/queue/retention.hpp>

#include <array>
#include <functional>
#include <optional>
#include <thread>

// Unique keys of jobs.
namespace tenure::testing {
namespace {

using ::testing::HasSubstr;

class UniqueSuite : public KeysSuite {};

TEST_P(UniqueSuite, LIM_07_TheSecondEnqueueOfAUniqueKeyReturnsTheFirstIdAlsoFromManyThreads) {
  const Enqueued first = put(unique());
  const auto second = enqueue(unique());
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->existed);
  EXPECT_EQ(second->id, first.id);
  EXPECT_EQ(second->seq, first.seq);
  EXPECT_FALSE(second->arrival.has_value());
  EXPECT_EQ(asked([](JobReader& reader) { return reader.summary(); }).jobs, 1);

  std::vector<NewJob> jobs;
  for (int thread = 0; thread < 16; ++thread) jobs.push_back(unique("globex"));
  std::vector<std::optional<Enqueued>> answers(jobs.size());
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < jobs.size(); ++thread)
    threads.emplace_back([&, thread] {
      store().write(Durability::durable, [&](StoreWriter& writer) {
        answers[thread] = value_or_raise(writer.enqueue(jobs[thread], now_));
      });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::ranges::count_if(answers, [](const auto& each) { return !each->existed; }), 1);
  for (const auto& answer : answers) EXPECT_EQ(answer->id, answers.front()->id);
}

TEST_P(UniqueSuite, TheSameIdIsTheSameJobBeforeItsUniqueKeyIsLookedAt) {
  const NewJob job = unique();
  const Enqueued first = put(job);
  const auto again = enqueue(job);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, first.id);
  succeed(claim_one(acme_));
  const Enqueued second = put(unique());
  const auto late = enqueue(job);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->id, first.id) << "though another one has the key by now";
  NewJob other = job;
  other.arguments = R"({"other":1})";
  EXPECT_EQ(code_of(enqueue(other)), ErrorCode::id_conflict);
  EXPECT_NE(second.id, first.id);
}

// Whoever has died in the commit of an end has not ended it; behind the commit the key is free, for other processes too.
TEST_P(UniqueSuite, LIM_08_AUniqueKeyIsFreeAtOnceAfterEachEndDeletionAndPruningAlsoThroughACrash) {
  using End = std::function<void(StoreWriter&, JobId, const ClaimedJob&)>;
  const auto finish = [&](StoreWriter& writer, const ClaimedJob& job, JobState state) {
    value_or_raise(writer.finish(ref(job), state, JobReason::by_rule, failure_, now_));
  };
  const std::array<End, 9> ends{
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) {
        value_or_raise(writer.finish_succeeded(ref(job), now_));
      },
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) { finish(writer, job, JobState::dead); },
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) { finish(writer, job, JobState::discarded); },
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) { finish(writer, job, JobState::cancelled); },
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) {
        value_or_raise(writer.cancel(ref(job), true, failure_, now_));
      },
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) {
        value_or_raise(writer.reclaim(ref(job), CrashCharge::poison, failure_, now_));
      },
      [&](StoreWriter& writer, JobId, const ClaimedJob& job) {
        value_or_raise(writer.suspect(ref(job), CrashCharge::poison, failure_, now_));
      },
      [&](StoreWriter& writer, JobId id, const ClaimedJob& job) {
        value_or_raise(writer.release(ref(job), true, failure_, now_));
        value_or_raise(writer.cancel_by_operator(id, now_));
      },
      [&](StoreWriter& writer, JobId id, const ClaimedJob& job) {
        value_or_raise(writer.retry(ref(job), now_ + hours{1}, failure_, now_));
        value_or_raise(writer.discard_by_operator(id, now_));
      }};
  std::vector<JobId> ended;
  for (const End& end : ends) {
    const Enqueued job = put(unique());
    ASSERT_FALSE(job.existed);
    const ClaimedJob claimed = claim_one(acme_);
    EXPECT_TRUE(value_or_raise(enqueue(unique())).existed) << "it has not ended";
    const auto die_in_the_commit = [&](StoreWriter& writer) {
      end(writer, job.id, claimed);
      throw Abandoned{};
    };
    EXPECT_THROW(write(die_in_the_commit), Abandoned);
    EXPECT_TRUE(value_or_raise(enqueue(unique())).existed) << "it still has not";
    write([&](StoreWriter& writer) { end(writer, job.id, claimed); });
    ended.push_back(job.id);
  }
  std::optional<Enqueued> elsewhere;
  world_->of_another_process().write(Durability::ordered, [&](StoreWriter& writer) {
    elsewhere = value_or_raise(writer.enqueue(unique(), now_));
  });
  EXPECT_FALSE(elsewhere->existed);
  put(new_job("acme"));  // the newest row stays
  write([&](StoreWriter& writer) {
    value_or_raise(writer.cancel_by_operator(elsewhere->id, now_));
    value_or_raise(writer.delete_by_operator(elsewhere->id));
  });
  const Enqueued last = put(unique());
  EXPECT_FALSE(last.existed);
  // Pruned with all that has ended: nothing of its keys is in the way of whoever has one by now, and a retry of it is none any more.
  while (store().tidy()) continue;
  now_ += hours{24 * 365};
  const PrunePass pass = asked([](JobReader& reader) { return reader.begin_pruning({}); });
  const auto page =
      asked([&](JobReader& reader) { return reader.prunable_jobs(JobSeq{}, pass, now_, 1000); });
  static_cast<void>(written([&](StoreWriter& writer) { return writer.prune(page.jobs, pass, now_); }));
  for (const JobId id : ended)
    EXPECT_FALSE(asked([&](JobReader& reader) { return reader.find_job(id); })) << id.text();
  EXPECT_TRUE(value_or_raise(enqueue(unique())).existed) << "the last one has it";
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(last.id, now_)); });
  EXPECT_FALSE(put(unique()).existed);
}

TEST_P(UniqueSuite, AUniqueKeyThatWaitsForTheStartIsFreeFromItOn) {
  put(unique("acme", UniqueUntil::started));
  EXPECT_TRUE(value_or_raise(enqueue(unique("acme", UniqueUntil::started))).existed);
  const ClaimedJob claimed = claim_one(acme_);
  const Enqueued next = put(unique("acme", UniqueUntil::started));
  EXPECT_FALSE(next.existed);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, failure_, now_)); });
  EXPECT_EQ(claim(acme_, 10).jobs.size(), 2U) << "who has started once does without it";
}

TEST_P(UniqueSuite, UniqueKeysAreOfTheirTenantUnlessTheyAreGlobal) {
  EXPECT_FALSE(put(unique("acme")).existed);
  EXPECT_FALSE(put(unique("globex")).existed);
  NewJob global = unique("acme");
  global.unique->is_global = true;
  const Enqueued first = put(global);
  EXPECT_FALSE(first.existed);
  NewJob of_other = unique("globex");
  of_other.unique->is_global = true;
  EXPECT_EQ(value_or_raise(enqueue(of_other)).id, first.id);
}

TEST_P(UniqueSuite, LIM_14_ARetryOfADeadJobWhoseUniqueKeyHasAnotherOwnerIsRefusedNamingIt) {
  const Enqueued dead = put(unique());
  die(claim_one(acme_));
  const Enqueued owner = put(unique());
  const auto refused = retry(dead.id);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::limit_reached);
  EXPECT_THAT(refused.error().message, HasSubstr(owner.id.text()));
  EXPECT_EQ(record(dead.id).state, ShownState::dead);
  succeed(claim_one(acme_));
  EXPECT_TRUE(retry(dead.id).has_value());
  EXPECT_EQ(value_or_raise(enqueue(unique())).id, dead.id) << "it has its key again";
  EXPECT_TRUE(keys(dead.id).is_unique_held);
}

TEST_P(UniqueSuite, ACopyStatesItsConcurrencyKeyAndNoUniqueOne) {
  NewJob job = keyed("acme", 3);
  job.unique = UniqueKey{"close"};
  const Enqueued first = put(job);
  const JobId copy{Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01").value()};
  const auto copied =
      written([&](StoreWriter& writer) { return writer.copy_by_operator(first.id, copy, now_); });
  ASSERT_TRUE(copied.has_value());
  EXPECT_FALSE(copied->existed);
  EXPECT_EQ(keys(copy).concurrency, job.concurrency);
  EXPECT_FALSE(keys(copy).unique.has_value());
}

TEST_P(UniqueSuite, KeysComeThroughAnOutbox) {
  const Enqueued holder = put(keyed());
  claim_one(acme_);
  NewJob child = keyed();
  child.generation = Generation{1};
  child.unique = UniqueKey{"a \"quoted\" key", UniqueUntil::started, true};
  const auto row = store().outbox_row(child);
  ASSERT_TRUE(row.has_value());
  EXPECT_THAT(*row, HasSubstr("tenure-outbox/2 "));
  const OutboxOwner owner{value_or_raise(TenantName::parse("acme")), Generation{1}};
  const auto relayed = written([&](StoreWriter& writer) {
    return writer.relay_outbox(owner, {.newest = OutboxSeq{1}, .rows = {{OutboxSeq{1}, *row}}}, now_);
  });
  ASSERT_EQ(relayed.inserted, 1);
  EXPECT_EQ(record(child.id).reason, JobReason::limit_key);
  EXPECT_EQ(keys(child.id).unique, child.unique);
  EXPECT_NE(holder.id, child.id);
}

INSTANTIATE_TEST_SUITE_P(EachStore, UniqueSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
