#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Operators' requests for capsules, and what became of them.
namespace tenure::testing {
namespace {

using ::testing::HasSubstr;

class CaptureSuite : public StoreSuite {
 protected:
  CaptureSuite() { acme_ = create_tenant("acme").number; }

  static NewCapture of_job(JobId id) { return {.target = {.job = id}}; }
  static NewCapture of_kind(std::string kind) { return {.target = {.kind = std::move(kind)}}; }
  NewCapture of_tenant(std::string_view name) {
    return {.target = {.kind = {}, .tenant = value_or_raise(TenantName::parse(name))}};
  }
  // Open for an hour unless it says otherwise.
  Result<CaptureNumber> ask(NewCapture request) {
    if (request.until == WallTime{}) request.until = now_ + hours{1};
    return written([&](StoreWriter& writer) { return writer.ask_for_capture(request, now_); });
  }
  std::optional<ErrorCode> refusal(const NewCapture& request) { return code_of(ask(request)); }
  std::optional<OpenCaptures> open(CapturesMark known) {
    return written([&](StoreWriter& writer) { return writer.open_captures(known); });
  }
  std::vector<CaptureRecord> records() {
    return asked([](JobReader& reader) { return reader.captures(); });
  }
  std::vector<CapsuleNote> notes(std::optional<JobId> job = std::nullopt) {
    return asked([&](JobReader& reader) { return reader.capsules(job); });
  }
  void note(JobSeq seq, const TakenCapsule& capsule) {
    write([&](StoreWriter& writer) { writer.note_capsule(seq, capsule, now_); });
  }
  Enqueued job_of_acme() { return put(new_job("acme")); }

  TenantNumber acme_;
};

const Failure kTooLarge{ErrorCode::limit_reached, "too large", {}, "invoice"};

TEST_P(CaptureSuite, ARequestShowsWhoAskedForWhatUntilWhen) {
  const Enqueued job = job_of_acme();
  NewCapture request = of_job(job.id);
  request.on = CaptureOn::any_end;
  request.count = 3;
  request.until = now_ + kCaptureUntilMax;
  request.uid = 1000;
  request.login = "ann";
  request.reason = "ticket 4711";
  const auto first = ask(request);
  NewCapture other = of_tenant("acme");
  other.target.kind = "billing.send_invoice";
  const auto second = ask(other);
  ASSERT_TRUE(first && second);
  EXPECT_LT(first->value, second->value);
  const auto shown = records();
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0], (CaptureRecord{.number = *first,
                                     .target = {.job = job.id},
                                     .generation = {},
                                     .on = CaptureOn::any_end,
                                     .left = 3,
                                     .asked = now_,
                                     .until = now_ + kCaptureUntilMax,
                                     .uid = 1000,
                                     .login = "ann",
                                     .reason = "ticket 4711"}));
  EXPECT_EQ(shown[1].target.tenant->text(), "acme");
  EXPECT_EQ(shown[1].generation, Generation{1});
  EXPECT_EQ(shown[1].target.kind, "billing.send_invoice");
  EXPECT_EQ(shown[1].on, CaptureOn::failure);
}

TEST_P(CaptureSuite, WhatCannotBeCapturedIsRefusedWithItsReason) {
  const Enqueued untenanted = put();
  const Enqueued job = job_of_acme();
  NewCapture both = of_job(job.id);
  both.target.kind = "billing.send_invoice";
  EXPECT_EQ(refusal(both), ErrorCode::bad_options);
  EXPECT_EQ(refusal({}), ErrorCode::bad_options) << "nothing is named";
  EXPECT_EQ(refusal(of_job(untenanted.id)), ErrorCode::bad_options);
  EXPECT_EQ(refusal(of_job(JobId{})), ErrorCode::job_not_found);
  EXPECT_EQ(refusal(of_kind("billing.unheard_of")), ErrorCode::unknown_kind);
  EXPECT_EQ(refusal(of_tenant("nobody")), ErrorCode::tenant_does_not_exist);
  create_tenant("gone");
  set_tenant_state("gone", TenantState::deleted);
  EXPECT_EQ(refusal(of_tenant("gone")), ErrorCode::tenant_deleted);
  for (const int count : {0, kCaptureCountMax + 1}) {
    NewCapture request = of_job(job.id);
    request.count = count;
    EXPECT_EQ(refusal(request), ErrorCode::bad_options) << count;
  }
  for (const WallTime until : {now_, now_ + kCaptureUntilMax + std::chrono::microseconds{1}}) {
    NewCapture request = of_job(job.id);
    request.until = until;
    EXPECT_EQ(refusal(request), ErrorCode::bad_options);
  }
  EXPECT_TRUE(records().empty());
}

TEST_P(CaptureSuite, AJobThatHasSucceededHasNoNextAttemptAndADeadOneMayBeRetried) {
  const Enqueued job = job_of_acme();
  const ClaimedJob claimed = claim_one(acme_);
  EXPECT_TRUE(ask(of_job(job.id))) << "one that runs may run again";
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  const auto refused = ask(of_job(job.id));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::state_changed);
  EXPECT_THAT(refused.error().message, HasSubstr("has succeeded"));
  const Enqueued dead = job_of_acme();
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(dead.id, now_)); });
  EXPECT_TRUE(ask(of_job(dead.id)));
}

TEST_P(CaptureSuite, AKindMayBeNamedThatOnlyAWorkerProgramHasNamed) {
  write([&](StoreWriter& writer) {
    const Incarnation life = writer.open_incarnation(1, "node", 1, now_);
    const PoolRecord pool{
        .name = "general", .queues = {}, .workers = 1, .kinds = {"billing.new"}, .default_queues = {}};
    writer.tell_pools(life, std::span{&pool, 1});
  });
  EXPECT_TRUE(ask(of_kind("billing.new")));
}

TEST_P(CaptureSuite, OnlySoManyAreOpenAtOnceAndExpiredOnesDoNotCount) {
  const Enqueued job = job_of_acme();
  for (std::size_t each = 0; each < kCapturesMax; ++each) {
    NewCapture request = of_job(job.id);
    if (each == 0) request.until = now_ + minutes{1};
    ASSERT_TRUE(ask(request)) << each;
  }
  EXPECT_EQ(refusal(of_job(job.id)), ErrorCode::limit_reached);
  advance(minutes{1});
  EXPECT_TRUE(ask(of_job(job.id)));
  EXPECT_EQ(records().size(), kCapturesMax);
}

TEST_P(CaptureSuite, ADispatcherReadsThemOnlyWhereOneHasChanged) {
  EXPECT_EQ(open(CapturesMark{0}), std::nullopt) << "nobody has ever asked";
  const Enqueued job = job_of_acme();
  NewCapture request = of_tenant("acme");
  request.on = CaptureOn::success;
  request.count = 4;
  const auto number = ask(request);
  const auto of_one = ask(of_job(job.id));
  ASSERT_TRUE(number && of_one);
  const auto first = open(CapturesMark{0});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->requests.size(), 2U);
  EXPECT_EQ(first->requests[0], (OpenCapture{.number = *number,
                                             .tenant = acme_,
                                             .on = CaptureOn::success,
                                             .left = 4,
                                             .until = now_ + hours{1}}));
  EXPECT_EQ(first->requests[1].job, job.seq);
  EXPECT_EQ(open(first->mark), std::nullopt);
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 EXPECT_TRUE(writer.withdraw_capture(*number));
                 throw Abandoned{};
               }),
               Abandoned);
  const auto again = open(CapturesMark{0});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->requests, first->requests) << "what was taken back changes nothing";
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.withdraw_capture(*number); }));
  EXPECT_FALSE(written([&](StoreWriter& writer) { return writer.withdraw_capture(*number); })) << "twice";
  const auto withdrawn = open(again->mark);
  ASSERT_TRUE(withdrawn);
  ASSERT_EQ(withdrawn->requests.size(), 1U);
  note(job.seq, {*of_one, "a.capsule"});
  const auto ended = open(withdrawn->mark);
  ASSERT_TRUE(ended) << "a capsule changes it too";
  EXPECT_TRUE(ended->requests.empty());
}

TEST_P(CaptureSuite, ACapsuleAndAFailureToMakeOneCountAndTheLastOneEndsTheRequest) {
  const Enqueued job = job_of_acme();
  NewCapture request = of_job(job.id);
  request.count = 3;
  const CaptureNumber number = value_or_raise(ask(request));
  note(job.seq, {number, "a.capsule"});
  advance(seconds{1});
  note(job.seq, {number, {}, kTooLarge});
  auto shown = records();
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0].left, 1);
  EXPECT_EQ(shown[0].taken, 1);
  EXPECT_EQ(shown[0].failed, 1);
  note(job.seq, {number, "c.capsule"});
  EXPECT_TRUE(records().empty());
  const auto noted = notes(job.id);
  ASSERT_EQ(noted.size(), 3U);
  EXPECT_EQ(noted[0].file, "c.capsule");
  EXPECT_EQ(noted[1], (CapsuleNote{.job = job.id,
                                   .request = number,
                                   .at = now_,
                                   .file = {},
                                   .failure = Failure{ErrorCode::limit_reached, "too large (at invoice)"}}));
  EXPECT_EQ(noted[2].file, "a.capsule");
  EXPECT_TRUE(notes(job_of_acme().id).empty());
  EXPECT_EQ(notes(), noted);
}

TEST_P(CaptureSuite, ACapsuleWhoseRequestHasGoneIsNotedAllTheSame) {
  const Enqueued job = job_of_acme();
  const CaptureNumber number = value_or_raise(ask(of_job(job.id)));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.withdraw_capture(number); }));
  note(job.seq, {number, "late.capsule"});
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(notes(job.id).size(), 1U);
}

TEST_P(CaptureSuite, WhatIsExpiredGoesWhenTheDispatcherSaysSo) {
  NewCapture request = of_tenant("acme");
  request.until = now_ + minutes{1};
  ASSERT_TRUE(ask(request) && ask(of_tenant("acme")));
  advance(minutes{1});
  EXPECT_EQ(records().size(), 2U);
  write([&](StoreWriter& writer) { writer.remove_expired_captures(now_); });
  EXPECT_EQ(records().size(), 1U);
}

TEST_P(CaptureSuite, WithItsJobGoWhatWasAskedAndWhatWasNoted) {
  const Enqueued job = job_of_acme();
  const Enqueued other = job_of_acme();
  NewCapture request = of_job(job.id);
  request.count = 2;
  const CaptureNumber number = value_or_raise(ask(request));
  note(job.seq, {number, "a.capsule"});
  note(other.seq, {number, "b.capsule"});
  ASSERT_EQ(records().size(), 0U);
  ASSERT_TRUE(ask(of_job(job.id)) && ask(of_tenant("acme")));
  (void)put();  // the newest row stays
  write([&](StoreWriter& writer) {
    value_or_raise(writer.cancel_by_operator(job.id, now_));
    value_or_raise(writer.delete_by_operator(job.id));
  });
  ASSERT_EQ(records().size(), 1U);
  EXPECT_EQ(records()[0].target.job, std::nullopt);
  const auto left = notes();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].job, other.id);
}

TEST_P(CaptureSuite, OnlyTheLastThousandCapsulesAreNoted) {
  const Enqueued job = job_of_acme();
  write([&](StoreWriter& writer) {
    for (std::int64_t each = 1; each <= kCapsulesKept + 2; ++each)
      writer.note_capsule(job.seq, {CaptureNumber{1}, std::to_string(each)}, now_);
  });
  const auto noted = notes();
  ASSERT_EQ(std::ssize(noted), kCapsulesKept);
  EXPECT_EQ(noted.front().file, std::to_string(kCapsulesKept + 2));
  EXPECT_EQ(noted.back().file, "3");
}

INSTANTIATE_TEST_SUITE_P(EachStore, CaptureSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
