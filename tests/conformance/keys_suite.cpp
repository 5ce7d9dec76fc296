#include "keys_suite.hpp"

#include <array>
#include <functional>
#include <utility>

// Concurrency keys of jobs.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(KeysSuite, AClaimTakesAsManyJobsOfAKeyAsMayRunAndPutsTheOthersIntoItsLine) {
  const auto jobs = put_keyed(5, 2);
  const Enqueued other = put(new_job("acme"));
  EXPECT_THAT(ids_of(claim_all()), ElementsAre(jobs[0].id, jobs[1].id, other.id));
  for (std::size_t job = 2; job < 5; ++job) EXPECT_TRUE(waits(jobs[job])) << job;
  EXPECT_EQ(record(jobs[0].id).state, ShownState::running);
}

TEST_P(KeysSuite, AllClaimsOfACommitPutSoManyIntoLinesTogether) {
  for (int each = 0; each < 1200; ++each) {
    NewJob job = keyed();
    job.priority = Priority{each % 2};
    put(job);
  }
  const auto all = lanes();
  ASSERT_EQ(all.size(), 2U);
  const auto claim_of = [&](StoreWriter& writer, const Lane& lane) {
    return writer.claim({.queue = lane.queue,
                         .priority = lane.priority,
                         .tenant = lane.tenant,
                         .kinds = {{lane.kind, std::nullopt}},
                         .count = 1,
                         .incarnation = kLife,
                         .first_counter = next_counter_++,
                         .process = kProcess},
                        now_);
  };
  // A claim finds what scan and arrivals have told of.
  write([](StoreWriter& writer) {
    for (JobSeq after = writer.reader().known_until();;) {
      const auto page = writer.reader().arrivals(after, 1'000);
      if (page.empty()) return;
      after = page.back().seq;
    }
  });
  write([&](StoreWriter& writer) {
    EXPECT_EQ(claim_of(writer, all[0]).jobs.size(), 1U);
    bool is_stopped = false;
    for (std::size_t claims = 0; claims < 1'200 && !is_stopped; ++claims)
      is_stopped = claim_of(writer, all[claims % 2]).stopped_by_keys;
    EXPECT_TRUE(is_stopped);
    EXPECT_TRUE(claim_of(writer, all[0]).stopped_by_keys || claim_of(writer, all[1]).stopped_by_keys);
  });
  const auto filter =
      value_or_raise(parse_filter(std::vector<std::string>{"state=blocked"}, job_filter_fields(), now_));
  EXPECT_EQ(
      asked([&](JobReader& reader) { return reader.count_jobs(filter, {.limit = 10'000}, now_).count; }),
      1000);
  write([&](StoreWriter& writer) { EXPECT_FALSE(claim_of(writer, all[1]).stopped_by_keys); });
}

TEST_P(KeysSuite, AJobIsPutIntoTheLineAtOnceWhereItsKeyIsTaken) {
  put(keyed());
  claim_one(acme_);
  const Enqueued waiting = put(keyed());
  ASSERT_TRUE(waiting.arrival.has_value());
  EXPECT_EQ(waiting.arrival->state, JobState::blocked);
  EXPECT_TRUE(waits(waiting));
  EXPECT_THAT(lanes(), IsEmpty());
}

TEST_P(KeysSuite, LIM_03_ASlotOfAKeyIsFreeAtOnceAfterEachEndAndNeverWhileItsClaimStands) {
  using End = std::function<Result<void>(StoreWriter&, ClaimRef)>;
  const std::array<std::pair<const char*, End>, 8> ends{{
      {"success", [&](StoreWriter& writer, ClaimRef claim) { return writer.finish_succeeded(claim, now_); }},
      {"failure", [&](StoreWriter& writer,
                      ClaimRef claim) { return writer.retry(claim, now_ + hours{1}, failure_, now_); }},
      {"dead",
       [&](StoreWriter& writer, ClaimRef claim) {
         return writer.finish(claim, JobState::dead, JobReason::by_rule, failure_, now_);
       }},
      {"discard",
       [&](StoreWriter& writer, ClaimRef claim) {
         return writer.finish(claim, JobState::discarded, JobReason::by_rule, failure_, now_);
       }},
      {"cancel",
       [&](StoreWriter& writer, ClaimRef claim) { return writer.cancel(claim, true, failure_, now_); }},
      {"block",
       [&](StoreWriter& writer, ClaimRef claim) { return writer.block(claim, JobReason::envelope_newer); }},
      {"poison", [&](StoreWriter& writer,
                     ClaimRef claim) { return writer.reclaim(claim, CrashCharge::poison, failure_, now_); }},
      {"suspect", [&](StoreWriter& writer,
                      ClaimRef claim) { return writer.suspect(claim, CrashCharge::none, failure_, now_); }},
  }};
  for (const auto& [name, end] : ends) {
    SCOPED_TRACE(name);
    put(keyed());
    const Enqueued next = put(keyed());
    const Enqueued last = put(keyed());
    const ClaimedJob first = claim_one(acme_);
    put(new_job("acme"));
    claim_one(acme_);
    EXPECT_TRUE(waits(next)) << "while its claim stands";
    write([&](StoreWriter& writer) { value_or_raise(end(writer, ref(first))); });
    EXPECT_THAT(hints(), ElementsAre(next.seq));
    EXPECT_TRUE(waits(last));
    const ClaimedJob second = claim_one(acme_);
    EXPECT_EQ(second.id, next.id);
    succeed(second);
    succeed(claim_one(acme_));
    static_cast<void>(hints());
  }
}

TEST_P(KeysSuite, AJobThatIsGivenBackStandsInLineWithTheOthersAndTheFirstOfThemStarts) {
  const Enqueued low = put(keyed());
  const ClaimedJob claimed = claim_one(acme_);
  NewJob job = keyed();
  job.priority = Priority{-5};
  const Enqueued urgent = put(job);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), false, {}, now_)); });
  EXPECT_TRUE(waits(low));
  const ClaimedJob first = claim_one(acme_);
  EXPECT_EQ(first.id, urgent.id);
  succeed(first);
  const ClaimedJob second = claim_one(acme_);
  EXPECT_EQ(second.id, low.id);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.reclaim(ref(second), CrashCharge::counted, failure_, now_));
  });
  EXPECT_EQ(claim_one(acme_).id, low.id) << "nobody else waits";
}

TEST_P(KeysSuite, LimitsHoldForWhateverMakesAJobReady) {
  const auto put_for_later = [&](microseconds in) {
    NewJob job = keyed();
    job.due = now_ + in;
    return put(job);
  };
  const Enqueued scheduled = put_for_later(minutes{1});
  const Enqueued run_now = put_for_later(hours{1});
  const Enqueued dead = put(keyed());
  die(claim_one(acme_));
  const Enqueued changed = put_for_later(hours{1});
  const Enqueued newer = put(keyed());
  const ClaimedJob unreadable = claim_one(acme_);
  write(
      [&](StoreWriter& writer) { value_or_raise(writer.block(ref(unreadable), JobReason::envelope_newer)); });
  const Enqueued holder = put(keyed());
  const ClaimedJob running = claim_one(acme_);
  ASSERT_EQ(running.id, holder.id);

  advance(minutes{1});
  const auto promoted = written([&](StoreWriter& writer) { return writer.promote(now_, 10); });
  ASSERT_EQ(promoted.size(), 1U);
  EXPECT_EQ(promoted.front().state, JobState::blocked);
  const auto unblocked =
      written([&](StoreWriter& writer) { return writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10); });
  ASSERT_EQ(unblocked.size(), 1U);
  EXPECT_EQ(unblocked.front().state, JobState::blocked);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.run_by_operator(run_now.id, now_));
    value_or_raise(writer.change_by_operator(changed.id, {.due = now_}, now_));
  });
  value_or_raise(retry(dead.id));
  const auto copy = written([&](StoreWriter& writer) {
    return writer.copy_by_operator(dead.id,
                                   JobId{Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01").value()}, now_);
  });
  ASSERT_TRUE(copy.has_value());
  for (const Enqueued& job : {scheduled, run_now, dead, changed, newer, *copy})
    EXPECT_TRUE(waits(job)) << job.seq.value;
  EXPECT_THAT(hints(), IsEmpty());
  succeed(running);
  for (int left = 6; left > 0; --left) {
    const auto next = claim_all();
    ASSERT_EQ(next.size(), 1U) << left;
    succeed(next.front());
  }
  EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_P(KeysSuite, WhatAnOperatorTakesAwayPassesOnTheKeyThatItWouldHaveHad) {
  const auto jobs = put_keyed(4);
  const ClaimedJob running = claim_one(acme_);
  put(new_job("acme"));
  succeed(claim_one(acme_));  // the others stand in line now
  succeed(running);
  ASSERT_EQ(hints().size(), 1U);
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(jobs[1].id, now_)); });
  EXPECT_THAT(hints(), ElementsAre(jobs[2].seq));
  write([&](StoreWriter& writer) {
    value_or_raise(writer.change_by_operator(jobs[2].id, {.due = now_ + hours{1}}, now_));
  });
  EXPECT_THAT(hints(), ElementsAre(jobs[3].seq));
  EXPECT_EQ(claim_one(acme_).id, jobs[3].id);
}

TEST_P(KeysSuite, AJobThatIsCancelledInLineIsPassedOver) {
  const auto jobs = put_keyed(3);
  const ClaimedJob running = claim_all().front();
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(jobs[1].id, now_)); });
  EXPECT_EQ(record(jobs[1].id).state, ShownState::cancelled);
  succeed(running);
  EXPECT_EQ(claim_one(acme_).id, jobs[2].id);
}

TEST_P(KeysSuite, LIM_06_KeysAreOfTheirTenantUnlessTheyAreGlobal) {
  const Enqueued of_acme = put(keyed("acme"));
  const Enqueued of_globex = put(keyed("globex"));
  EXPECT_THAT(ids_of(claim_all()), ElementsAre(of_acme.id, of_globex.id));
  const Enqueued global = put(keyed("acme", 1, true));
  const Enqueued waiting = put(keyed("globex", 1, true));
  const auto claimed = claim_all();
  EXPECT_THAT(ids_of(claimed), ElementsAre(global.id));
  EXPECT_TRUE(waits(waiting));
  succeed(claimed.front());
  EXPECT_EQ(claim_one(globex_).id, waiting.id);
}

TEST_P(KeysSuite, UntenantedJobsHaveKeysOfTheirOwn) {
  NewJob job = new_job();
  job.concurrency = ConcurrencyKey{"reports"};
  const Enqueued untenanted = put(job);
  const Enqueued of_acme = put(keyed());
  EXPECT_EQ(claim_one().id, untenanted.id);
  EXPECT_EQ(claim_one(acme_).id, of_acme.id);
}

TEST_P(KeysSuite, LIM_16_AKeysLineIsInTheOrderOfPriorityDueTimeAndSequenceAndTenantsOfAGlobalOneTakeTurns) {
  put(keyed());
  ClaimedJob running = claim_one(acme_);
  const auto put_with = [&](int priority, seconds due, std::string_view tenant, bool is_global) {
    NewJob job = keyed(tenant, 1, is_global);
    job.priority = Priority{priority};
    job.due = now_ + due;
    return put(job);
  };
  const Enqueued late = put_with(0, seconds{0}, "acme", false);
  const Enqueued later = put_with(0, seconds{0}, "acme", false);
  const Enqueued early = put_with(0, seconds{-10}, "acme", false);
  const Enqueued urgent = put_with(-1, seconds{0}, "acme", false);
  for (const Enqueued& next : {urgent, early, late, later}) {
    succeed(running);
    running = claim_one(acme_);
    EXPECT_EQ(running.id, next.id);
  }
  put_with(0, seconds{0}, "acme", true);
  running = claim_one(acme_);
  std::vector<TenantNumber> turns;
  for (const std::string_view tenant : {"acme", "acme", "acme", "globex", "globex", "initech", "initech"})
    put_with(0, seconds{0}, tenant, true);
  for (int job = 0; job < 7; ++job) {
    succeed(running);
    const auto next = claim_all();
    ASSERT_EQ(next.size(), 1U);
    running = next.front();
    turns.push_back(running.lane.tenant);
  }
  EXPECT_THAT(turns, ElementsAre(globex_, initech_, acme_, globex_, initech_, acme_, acme_));
}

TEST_P(KeysSuite, TheTurnOfATenantThatIsPausedPassesToTheNext) {
  put(keyed("acme", 1, true));
  const ClaimedJob running = claim_one(acme_);
  const Enqueued paused = put(keyed("globex", 1, true));
  const Enqueued active = put(keyed("initech", 1, true));
  set_tenant_state("globex", TenantState::paused);
  succeed(running);
  EXPECT_TRUE(waits(paused));
  EXPECT_EQ(claim_one(initech_).id, active.id);
}

TEST_P(KeysSuite, WhoIsOfAPausedQueueOrKindIsPassedOver) {
  const auto pause = [&](PauseScope scope, const char* name) {
    write([&](StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.pause({.scope = scope, .name = name}, now_)));
    });
  };
  for (const bool is_global : {false, true}) {
    SCOPED_TRACE(is_global);
    put(keyed("acme", 1, is_global));
    const ClaimedJob running = claim_one(acme_);
    std::vector<Enqueued> paused;
    for (int job = 0; job < 3; ++job) {
      NewJob of_queue = keyed("acme", 1, is_global);
      of_queue.queue = "exports";
      paused.push_back(put(of_queue));
      NewJob of_kind = keyed("acme", 1, is_global);
      of_kind.kind = "billing.close";
      paused.push_back(put(of_kind));
    }
    const Enqueued open = put(keyed("acme", 1, is_global));
    pause(PauseScope::queue, "exports");
    pause(PauseScope::kind, "billing.close");
    succeed(running);
    for (const Enqueued& job : paused) EXPECT_TRUE(waits(job));
    const ClaimedJob next = claim_one(acme_);
    EXPECT_EQ(next.id, open.id) << "at once, not with a look of the dispatcher";
    // Where nothing else is in line one of them is let in, and starts when its pause ends.
    succeed(next);
    EXPECT_EQ(std::ranges::count_if(paused, [&](const Enqueued& job) { return waits(job); }), 5);
    write([&](StoreWriter& writer) {
      EXPECT_TRUE(writer.resume(PauseScope::queue, "exports"));
      EXPECT_TRUE(writer.resume(PauseScope::kind, "billing.close"));
    });
    for (const Enqueued& job : paused) {
      if (record(job.id).state == ShownState::ready || waits(job))
        write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(job.id, now_)); });
    }
  }
}

TEST_P(KeysSuite, ALineOfHundredsOfGatedTenantsIsPassedOver) {
  put(keyed("acme", 1, true));
  const ClaimedJob running = claim_one(acme_);
  for (int tenant = 0; tenant < 150; ++tenant) {
    const std::string name = "gated-" + std::to_string(tenant);
    create_tenant(name);
    put(keyed(name, 1, true));
    set_tenant_state(name, TenantState::paused);
  }
  const Enqueued open = put(keyed("acme", 1, true));
  succeed(running);
  EXPECT_EQ(claim_one(acme_).id, open.id);
}

TEST_P(KeysSuite, AKeyWhoseNextJobCannotStartIsGivenToTheNextButOne) {
  put(keyed("acme"));
  const ClaimedJob running = claim_one(acme_);
  const Enqueued gated = put(keyed());
  const Enqueued waiting = put(keyed());
  succeed(running);
  EXPECT_THAT(hints(), ElementsAre(gated.seq));
  EXPECT_FALSE(written([](StoreWriter& writer) { return writer.give_free_keys("", 100); }).has_value());
  EXPECT_THAT(hints(), ElementsAre(waiting.seq));
  const auto claimed = claim_all();
  EXPECT_THAT(ids_of(claimed), ElementsAre(gated.id)) << "never more than may";
  EXPECT_TRUE(waits(waiting));
  static_cast<void>(written([](StoreWriter& writer) { return writer.give_free_keys("", 100); }));
  EXPECT_THAT(hints(), IsEmpty()) << "the key is taken";
}

TEST_P(KeysSuite, FreeKeysAreReadPageByPage) {
  for (const char* key : {"a", "b", "c"}) {
    for (int job = 0; job < 2; ++job) {
      NewJob next = keyed();
      next.concurrency->key = key;
      put(next);
    }
    claim_one(acme_);
    put(new_job("acme"));
    claim_one(acme_);
  }
  std::optional<std::string> until = "";
  int pages = 0;
  for (; until; ++pages)
    until = written([&](StoreWriter& writer) { return writer.give_free_keys(*until, 2); });
  EXPECT_EQ(pages, 2);
}

TEST_P(KeysSuite, ASuspectWhoseKeyIsTakenStandsInLine) {
  const Enqueued suspect = put(keyed());
  const ClaimedJob first = claim_one(acme_);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.suspect_of_process(ref(first), CrashCharge::none, failure_, now_));
  });
  put(keyed());
  const ClaimedJob holder = claim_one(acme_);
  const SuspectRequest request{suspect.seq, {kLife, 900}, kProcess};
  EXPECT_THAT(written([&](StoreWriter& writer) { return writer.claim_suspect(request, now_); }).jobs,
              IsEmpty());
  EXPECT_TRUE(waits(suspect));
  succeed(holder);
  EXPECT_THAT(hints(), ElementsAre(suspect.seq));
  EXPECT_EQ(record(suspect.id).reason, JobReason::suspect) << "it is performed alone still";
  const auto alone = written([&](StoreWriter& writer) { return writer.claim_suspect(request, now_); });
  ASSERT_EQ(alone.jobs.size(), 1U);
  const Enqueued waiting = put(keyed());
  EXPECT_TRUE(waits(waiting)) << "a suspect has its key as others do";
}

TEST_P(KeysSuite, WhatADispatcherBeforeHasLeftPassesItsKeysOn) {
  const auto jobs = put_keyed(3, 2);
  claim_all();
  ASSERT_TRUE(waits(jobs[2]));
  const auto back = written([&](StoreWriter& writer) {
    const Incarnation life = writer.open_incarnation(kLife.value + 5, "node", 1, now_);
    return writer.reclaim_of_former_holders(life, 100, now_);
  });
  EXPECT_EQ(back.size(), 2U);
  EXPECT_EQ(claim_all().size(), 2U);
}

TEST_P(KeysSuite, AnAbandonedCommitLeavesKeysAsTheyWere) {
  const auto jobs = put_keyed(2);
  const ClaimedJob running = claim_all().front();
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 value_or_raise(writer.finish_succeeded(ref(running), now_));
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_TRUE(waits(jobs[1]));
  EXPECT_EQ(keys(jobs[1].id).running, 1);
  succeed(running);
  EXPECT_EQ(claim_one(acme_).id, jobs[1].id);
}

TEST_P(KeysSuite, AJobsKeysAreShownWithWhoHasThemAndWhoWaits) {
  NewJob job = keyed("acme", 2, true);
  job.unique = UniqueKey{"close", UniqueUntil::started, true};
  const Enqueued first = put(job);
  const Enqueued second = put(keyed("globex", 2, true));
  const auto running = claim_all();
  ASSERT_EQ(running.size(), 2U);
  const Enqueued third = put(keyed("acme", 2, true));
  const Enqueued fourth = put(keyed("acme", 2, true));
  EXPECT_EQ(keys(third.id).ahead, 0);
  const JobKeys shown = keys(fourth.id);
  EXPECT_EQ(shown.concurrency, (ConcurrencyKey{"reports", 2, true}));
  EXPECT_EQ(shown.running, 2);
  EXPECT_THAT(shown.holders, ElementsAre(KeyHolder{first.id, now_}, KeyHolder{second.id, now_}));
  EXPECT_EQ(shown.ahead, 1);
  EXPECT_FALSE(shown.unique.has_value());
  EXPECT_EQ(keys(first.id).unique, (UniqueKey{"close", UniqueUntil::started, true}));
  EXPECT_FALSE(keys(first.id).is_unique_held) << "it has started";
  EXPECT_FALSE(keys(put(new_job("acme")).id).concurrency.has_value());
}

TEST_P(KeysSuite, KeysThatNoStoreTakesAreRefusedAndLeaveNothing) {
  const auto refused = [&](auto change) {
    NewJob job = keyed();
    job.unique = UniqueKey{"one"};
    change(job);
    EXPECT_EQ(code_of(enqueue(job)), ErrorCode::bad_options);
  };
  refused([](NewJob& job) { job.concurrency->key = ""; });
  refused([](NewJob& job) { job.concurrency->key = std::string(kJobKeyMax + 1, 'k'); });
  refused([](NewJob& job) { job.concurrency->key = "a\nb"; });
  refused([](NewJob& job) { job.concurrency->key = "\xff"; });
  refused([](NewJob& job) { job.concurrency->running_max = 0; });
  refused([](NewJob& job) { job.concurrency->running_max = kRunningMax + 1; });
  refused([](NewJob& job) { job.unique->key = ""; });
  refused([](NewJob& job) { job.unique->until = UniqueUntil{3}; });
  EXPECT_THAT(lanes(), IsEmpty());
  NewJob most = keyed("acme", kRunningMax);
  most.concurrency->key = std::string(kJobKeyMax, 'k');
  EXPECT_TRUE(enqueue(most).has_value());
}

INSTANTIATE_TEST_SUITE_P(EachStore, KeysSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
