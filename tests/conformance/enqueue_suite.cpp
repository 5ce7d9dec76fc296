#include "store_suite.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/envelope.hpp>

#include <algorithm>

namespace tenure::testing {

TEST_P(StoreSuite, AnEnqueueTellsWhereADispatcherFindsTheNewJob) {
  create_tenant("acme");
  NewJob job = new_job("acme");
  job.priority = Priority{-3};
  const Enqueued now = put(job);
  ASSERT_TRUE(now.arrival);
  const auto rows = told([](LaneReader& reader) { return reader.arrivals(JobSeq{0}, 10); });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(now.arrival->seq, rows[0].seq);
  EXPECT_EQ(now.arrival->lane, rows[0].lane);
  EXPECT_EQ(now.arrival->due, rows[0].due);
  EXPECT_EQ(now.arrival->state, JobState::ready);
  EXPECT_FALSE(put(job).arrival);  // it was there
  NewJob later = new_job("acme");
  later.due = now_ + seconds{1};
  EXPECT_EQ(put(later).arrival->state, JobState::scheduled);
}

TEST_P(StoreSuite, ENQ_01_AnEnqueuedJobIsFoundByIdFromAnotherProcessEqualInAll) {
  create_tenant("acme");
  NewJob job = new_job("acme");
  job.priority = Priority{-3};
  job.attempts_max = 4;
  const Enqueued enqueued = put(job);
  EXPECT_EQ(enqueued.id, job.id);
  EXPECT_EQ(enqueued.generation, Generation{1});
  EXPECT_FALSE(enqueued.existed);

  world_->of_another_process().read([&](JobReader& reader) {
    const auto found = reader.find_job(job.id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->seq, enqueued.seq);
    EXPECT_EQ(found->tenant, job.tenant);
    EXPECT_EQ(found->generation, Generation{1});
    EXPECT_EQ(found->queue, job.queue);
    EXPECT_EQ(found->kind, job.kind);
    EXPECT_EQ(found->priority, job.priority);
    EXPECT_EQ(found->state, ShownState::ready);
    EXPECT_EQ(found->reason, JobReason::none);
    EXPECT_EQ(found->created, now_);
    EXPECT_EQ(found->due, job.due);
    EXPECT_EQ(found->attempts_max, 4);
    EXPECT_FALSE(found->started || found->finished || found->claim || found->process);
    const std::string envelope = reader.envelope(enqueued.seq).value();
    EXPECT_EQ(found->size_bytes, static_cast<std::int64_t>(envelope.size()));
    const Envelope read = value_or_raise(read_envelope(envelope));
    EXPECT_EQ(read, (Envelope{job.id, job.tenant, Generation{1}, job.kind, job.arguments}));
  });
}

TEST_P(StoreSuite, ENQ_01_ALaterJobIsScheduledAndADueOneReady) {
  NewJob later = new_job();
  later.due = now_ + milliseconds{1};
  NewJob past = new_job();
  past.due = now_ - hours{1};
  put(later);
  put(past);
  EXPECT_EQ(record(later.id).state, ShownState::scheduled);
  EXPECT_EQ(record(later.id).reason, JobReason::not_due);
  EXPECT_EQ(record(past.id).state, ShownState::ready);
  EXPECT_EQ(told([](LaneReader& reader) { return reader.next_due(); }), later.due);
}

TEST_P(StoreSuite, ENQ_03_TheSameIdAgainIsOneJobAndSaysSo) {
  create_tenant("acme");
  const NewJob job = new_job("acme");
  const Enqueued first = put(job);
  advance(minutes{1});
  const Enqueued again = put(job);
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.seq, first.seq);
  EXPECT_EQ(again.generation, first.generation);
  EXPECT_EQ(record(job.id).created, now_ - minutes{1});
  EXPECT_EQ(asked([](JobReader& reader) { return reader.count_jobs({}, {.limit = 10}, {}).count; }), 1);
}

TEST_P(StoreSuite, ENQ_03_TheSameIdWithOtherContentIsAConflict) {
  create_tenant("acme");
  create_tenant("globex");
  const NewJob job = new_job("acme");
  put(job);
  const auto conflicts = [&](auto change) {
    NewJob other = job;
    change(other);
    EXPECT_EQ(code_of(enqueue(other)), ErrorCode::id_conflict);
  };
  conflicts([](NewJob& other) { other.arguments = "{}"; });
  conflicts([](NewJob& other) { other.queue = "mail"; });
  conflicts([](NewJob& other) { other.kind = "billing.remind"; });
  conflicts([](NewJob& other) { other.priority = Priority{1}; });
  conflicts([](NewJob& other) { other.tenant = TenantName{"globex"}; });
  conflicts([](NewJob& other) { other.tenant.reset(); });
  EXPECT_EQ(asked([](JobReader& reader) { return reader.queues().size(); }), 1U)
      << "a refused job leaves no queue";
}

TEST_P(StoreSuite, ENQ_03_ARepetitionIsAnsweredThoughTheTenantIsDrainingDeletedOrNew) {
  create_tenant("acme");
  const NewJob job = new_job("acme");
  put(job);
  set_tenant_state("acme", TenantState::draining);
  EXPECT_TRUE(put(job).existed);
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_TRUE(put(job).existed);
  create_tenant("acme");
  EXPECT_TRUE(put(job).existed);
  EXPECT_EQ(put(job).generation, Generation{1}) << "the job is the old generation's";
}

TEST_P(StoreSuite, ENQ_03_TheRepetitionOfAFinishedJobIsTheFinishedJob) {
  const NewJob job = new_job();
  put(job);
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_TRUE(put(job).existed);
  EXPECT_EQ(record(job.id).state, ShownState::succeeded);
}

TEST_P(StoreSuite, ENQ_04_AnUnknownTenantRefusesAndNothingIsStored) {
  EXPECT_EQ(code_of(enqueue(new_job("nobody"))), ErrorCode::tenant_does_not_exist);
  EXPECT_TRUE(asked([](JobReader& reader) { return reader.queues(); }).empty());
  EXPECT_EQ(asked([](JobReader& reader) { return reader.count_jobs({}, {.limit = 10}, {}).count; }), 0);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.tenants(std::nullopt, 10).size(); }), 0U);
}

TEST_P(StoreSuite, ENQ_04_AnEnvelopeAboveTheLimitIsRefused) {
  NewJob job = new_job();
  job.arguments.clear();
  const std::size_t header =
      write_envelope({job.id, job.tenant, {}, job.kind, std::string(200'000, '1')}).size() - 200'000;
  job.arguments.assign(limits::kPayloadDefault - header + 1, '1');
  EXPECT_EQ(code_of(enqueue(job)), ErrorCode::payload_too_large);
  job.arguments.pop_back();
  EXPECT_FALSE(code_of(enqueue(job)));
  EXPECT_EQ(record(job.id).size_bytes, static_cast<std::int64_t>(limits::kPayloadDefault));
}

TEST_P(StoreSuite, ENQ_09_BadItemsOfABulkGetTheirErrorsAndTheRestIsStoredInOneCommit) {
  NewJob bad = new_job("nobody");
  const std::vector<NewJob> jobs{new_job(), bad, new_job()};
  std::vector<std::optional<ErrorCode>> codes;
  write([&](StoreWriter& writer) {
    for (const NewJob& job : jobs) codes.push_back(code_of(writer.enqueue(job, now_)));
  });
  EXPECT_EQ(codes, (std::vector<std::optional<ErrorCode>>{{}, ErrorCode::tenant_does_not_exist, {}}));
  EXPECT_EQ(asked([](JobReader& reader) { return reader.count_jobs({}, {.limit = 10}, {}).count; }), 2);
}

TEST_P(StoreSuite, ENQ_09_WhatThrowsInsideAWriteUndoesAllOfIt) {
  create_tenant("acme");
  const JobSeq seq = put(new_job("acme")).seq;
  const auto number = store().registry().find(TenantName{"acme"})->number;
  const std::size_t rows = told([](LaneReader& reader) { return reader.arrivals(JobSeq{0}, 1000).size(); });
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 NewJob elsewhere = new_job();
                 elsewhere.queue = "mail";
                 value_or_raise(writer.enqueue(elsewhere, now_));
                 ClaimRequest request;
                 request.queue = writer.reader().queue_number("default").value();
                 request.tenant = number;
                 request.kinds.push_back({writer.reader().kind_number("billing.send_invoice").value(), {}});
                 request.incarnation = kLife;
                 const ClaimReply reply = writer.claim(request, now_);
                 value_or_raise(writer.retry(ref(reply.jobs.at(0)), now_ + hours{1}, {}, now_));
                 value_or_raise(writer.enqueue(new_job("nobody"), now_));
               }),
               TenantDoesNotExist);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.count_jobs({}, {.limit = 10}, {}).count; }), 1);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.queues().size(); }), 1U);
  EXPECT_FALSE(told([](LaneReader& reader) { return reader.queue_number("mail"); }));
  EXPECT_FALSE(told([](LaneReader& reader) { return reader.next_due(); }));
  EXPECT_EQ(told([](LaneReader& reader) { return reader.arrivals(JobSeq{0}, 1000).size(); }), rows);
  EXPECT_TRUE(attempts(seq).empty());
  EXPECT_EQ(claim_one(number).failures, 0);
  NewJob elsewhere = new_job();
  elsewhere.queue = "mail";
  put(elsewhere);
  EXPECT_EQ(record(elsewhere.id).queue, "mail") << "a name that was rolled back is not remembered";
}

TEST_P(StoreSuite, ENQ_14_WhatNoStoreTakesIsRefused) {
  const auto code = [&](auto change) {
    NewJob job = new_job();
    change(job);
    return code_of(enqueue(job));
  };
  const auto with_priority = [&](int priority) {
    return code([&](NewJob& job) { job.priority = Priority{priority}; });
  };
  EXPECT_FALSE(with_priority(limits::kPriorityLowest));
  EXPECT_FALSE(with_priority(limits::kPriorityHighest));
  EXPECT_EQ(with_priority(limits::kPriorityLowest + 1), ErrorCode::bad_options);
  EXPECT_EQ(with_priority(limits::kPriorityHighest - 1), ErrorCode::bad_options);

  const auto with_attempts = [&](int attempts) {
    return code([&](NewJob& job) { job.attempts_max = attempts; });
  };
  EXPECT_FALSE(with_attempts(1));
  EXPECT_FALSE(with_attempts(limits::kAttemptsMax));
  EXPECT_EQ(with_attempts(0), ErrorCode::bad_options);
  EXPECT_EQ(with_attempts(limits::kAttemptsMax + 1), ErrorCode::bad_options);

  const auto with_queue = [&](std::string queue) {
    return code([&](NewJob& job) { job.queue = std::move(queue); });
  };
  EXPECT_FALSE(with_queue(std::string(limits::kQueueNameMax, 'q')));
  EXPECT_EQ(with_queue(std::string(limits::kQueueNameMax + 1, 'q')), ErrorCode::bad_options);
  EXPECT_EQ(with_queue(""), ErrorCode::bad_options);
  EXPECT_EQ(with_queue("two words"), ErrorCode::bad_options);
  EXPECT_EQ(with_queue("line\n"), ErrorCode::bad_options);

  const auto with_kind = [&](std::string kind) {
    return code([&](NewJob& job) { job.kind = std::move(kind); });
  };
  EXPECT_FALSE(with_kind(std::string(limits::kKindNameMax, 'k')));
  EXPECT_EQ(with_kind(std::string(limits::kKindNameMax + 1, 'k')), ErrorCode::bad_options);
  EXPECT_EQ(with_kind("a b"), ErrorCode::bad_options);
  EXPECT_EQ(with_kind("tenure.migrate"), ErrorCode::bad_options);
  EXPECT_EQ(with_kind("tenure."), ErrorCode::bad_options);
  EXPECT_FALSE(with_kind("tenures"));
}

TEST_P(StoreSuite, ENQ_14_DistinctQueuesAndKindsAreLimited) {
  write([&](StoreWriter& writer) {
    for (std::size_t i = 0; i < limits::kInternedMax; ++i) {
      NewJob job = new_job();
      job.queue = "q" + std::to_string(i);
      job.kind = "k" + std::to_string(i);
      value_or_raise(writer.enqueue(job, now_));
    }
  });
  NewJob job = new_job();
  job.queue = "one-more";
  job.kind = "k0";
  EXPECT_EQ(code_of(enqueue(job)), ErrorCode::limit_reached);
  job.queue = "q0";
  job.kind = "one.more";
  EXPECT_EQ(code_of(enqueue(job)), ErrorCode::limit_reached);
  job.kind = "k0";
  EXPECT_FALSE(code_of(enqueue(job)));
}

TEST_P(StoreSuite, REG_08_DrainingAndDeletedTenantsTakeNoJobs) {
  create_tenant("acme");
  set_tenant_state("acme", TenantState::draining);
  EXPECT_EQ(code_of(enqueue(new_job("acme"))), ErrorCode::tenant_not_ready);
  set_tenant_state("acme", TenantState::deleted);
  const auto refused = enqueue(new_job("acme"));
  EXPECT_EQ(code_of(refused), ErrorCode::tenant_deleted);
  EXPECT_NE(refused.error().message.find("generation was 1"), std::string::npos) << refused.error().message;
}

TEST_P(StoreSuite, REG_07_AnotherGenerationThanTheLiveOneIsStale) {
  create_tenant("acme");
  set_tenant_state("acme", TenantState::deleted);
  create_tenant("acme");
  NewJob job = new_job("acme");
  job.generation = Generation{1};
  EXPECT_EQ(code_of(enqueue(job)), ErrorCode::stale_generation);
  job.generation = Generation{3};
  EXPECT_EQ(code_of(enqueue(job)), ErrorCode::stale_generation);
  job.generation = Generation{2};
  EXPECT_EQ(put(job).generation, Generation{2});
}

TEST_P(StoreSuite, REG_09_HeldTenantsTakeJobsWhichWaitUnchanged) {
  const auto tenant = create_tenant("acme");
  for (const TenantState state : {TenantState::provisioning, TenantState::paused, TenantState::read_only,
                                  TenantState::migrating, TenantState::failed}) {
    set_tenant_state("acme", state);
    const NewJob job = new_job("acme");
    put(job);
    const ClaimReply reply = claim(tenant.number);
    EXPECT_TRUE(reply.jobs.empty());
    EXPECT_EQ(reply.gate, state);
    EXPECT_EQ(record(job.id).state, ShownState::held);
    EXPECT_EQ(record(job.id).tenant_state, state);
    EXPECT_EQ(record(job.id).failures + record(job.id).releases, 0);
  }
  set_tenant_state("acme", TenantState::active);
  EXPECT_EQ(claim(tenant.number, 10).jobs.size(), 5U);
}

TEST_P(StoreSuite, REG_05_AJobAcceptedDuringAFailedCreationIsKept) {
  const TenantName acme{"acme"};
  const auto begun = value_or_raise(store().registry().begin_create(acme, now_));
  const NewJob job = new_job("acme");
  put(job);
  store().registry().abandon_create(acme, begun.generation);
  EXPECT_EQ(record(job.id).state, ShownState::held);
  create_tenant("acme");
  EXPECT_EQ(claim_one(begun.number).id, job.id);
}

}  // namespace tenure::testing
