#include "sqlite/sqlite_store.hpp"
#include "store_suite.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gmock/gmock.h>

#include <array>
#include <string>

// Rows that hold what no store of ours writes: they are kept and shown, refused for work, and stop nobody.
namespace tenure::testing {
namespace {

using sqlite::Connection;

constexpr std::string_view kJobState = "update job set state = ";

class DamagedRows : public ::testing::Test {
 protected:
  void open() {
    store_.reset();
    store_ = open_sqlite_store({.path = path_, .create = true}, clock_);
  }
  // With the store closed, as what is in its memory would not be read again.
  void damage(const std::string& sql) {
    store_.reset();
    execute("pragma ignore_check_constraints = 1; " + sql);
    open();
  }
  void execute(const std::string& sql) { Connection(path_, {}).execute({"script", sql}); }

  template <class Verb>
  auto written(Verb verb) {
    std::optional<std::invoke_result_t<Verb, StoreWriter&>> result;
    store_->write(Durability::ordered, [&](StoreWriter& writer) { result.emplace(verb(writer)); });
    return std::move(*result);
  }
  template <class Question>
  auto asked(Question question) {
    std::optional<std::invoke_result_t<Question, JobReader&>> answer;
    store_->read([&](JobReader& reader) { answer.emplace(question(reader)); });
    return std::move(*answer);
  }

  static JobId id(std::uint8_t number) {
    Uuid::Bytes bytes{};
    bytes[15] = number;
    return JobId{Uuid{bytes}};
  }
  void put(std::uint8_t number, std::optional<std::string_view> tenant = std::nullopt,
           std::chrono::seconds due_in = {}) {
    NewJob job;
    job.id = id(number);
    if (tenant) job.tenant = TenantName{*tenant};
    job.queue = "default";
    job.kind = "billing.send_invoice";
    job.attempts_max = 10;
    job.due = clock_.wall() + due_in;
    job.arguments = "{}";
    written([&](StoreWriter& writer) { return value_or_raise(writer.enqueue(job, clock_.wall())); });
  }
  void create_tenant(std::string_view name) {
    const TenantName tenant{name};
    const auto record = value_or_raise(store_->registry().begin_create(tenant, clock_.wall()));
    value_or_raise(store_->registry().activate(tenant, record.generation));
  }

  // What a dispatcher does that has just started: it scans, follows, promotes, unblocks and claims all there is.
  std::vector<ClaimedJob> work() {
    return written([&](StoreWriter& writer) {
      static_cast<void>(writer.promote(clock_.wall(), 100));
      static_cast<void>(writer.unblock(JobReason::envelope_newer, JobSeq{0}, 100));
      static_cast<void>(writer.take_lane_hints(100));
      LaneReader& reader = writer.reader();
      for (JobSeq last{0};;) {
        const auto rows = reader.arrivals(last, 2);
        if (rows.empty()) break;
        EXPECT_GT(rows.back().seq, last);
        last = rows.back().seq;
      }
      std::vector<ClaimedJob> claimed;
      std::optional<Lane> after;
      for (auto lanes = reader.lanes(after, 1); !lanes.empty(); lanes = reader.lanes(after, 1)) {
        after = lanes.back();
        auto reply = writer.claim(request_for(*after), clock_.wall());
        next_counter_ += 100;
        for (ClaimedJob& job : reply.jobs) claimed.push_back(std::move(job));
      }
      return claimed;
    });
  }
  [[nodiscard]] ClaimRequest request_for(const Lane& lane) const {
    return {.queue = lane.queue,
            .priority = lane.priority,
            .tenant = lane.tenant,
            .kinds = {{lane.kind, {}}},
            .count = 100,
            .incarnation = kLife,
            .first_counter = next_counter_,
            .process = kProcess};
  }
  std::vector<JobId> worked() {
    std::vector<JobId> ids;
    for (const ClaimedJob& job : work()) ids.push_back(job.id);
    return ids;
  }
  JobRecord record(std::uint8_t number) {
    const auto found = asked([&](JobReader& reader) { return reader.find_job(id(number)); });
    EXPECT_TRUE(found);
    return found.value_or(JobRecord{});
  }
  std::int64_t count(std::string_view filter) {
    const std::vector<std::string> words =
        filter.empty() ? std::vector<std::string>{} : std::vector{std::string{filter}};
    const Filter parsed = value_or_raise(parse_filter(words, job_filter_fields(), clock_.wall()));
    const auto counted =
        asked([&](JobReader& reader) { return reader.count_jobs(parsed, {}, clock_.wall()).count; });
    EXPECT_EQ(std::ssize(
                  asked([&](JobReader& reader) { return reader.list_jobs(parsed, {}, clock_.wall()).jobs; })),
              counted)
        << filter;
    return counted;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  std::unique_ptr<Store> store_ = open_sqlite_store({.path = path_, .create = true}, clock_);
  std::int64_t next_counter_ = 1;
};

using ::testing::ElementsAre;
using ::testing::HasSubstr;

}  // namespace

// 4294967296 is 0 where it is cut to an int.
constexpr std::array<std::string_view, 4> kBadPriorities{"9223372036854775807", "-9223372036854775808",
                                                         "4294967296", "101"};

TEST_F(DamagedRows, AFreshJobOfNoPriorityIsHeldAndStopsNobody) {
  for (const std::string_view priority : kBadPriorities) {
    const auto first = static_cast<std::uint8_t>(count("") + 1);
    put(first);
    put(first + 1);
    damage("update job set priority = " + std::string{priority} + " where seq = " + std::to_string(first));
    EXPECT_THAT(worked(), ElementsAre(id(first + 1))) << priority;
    EXPECT_EQ(record(first).state, ShownState::held);
    EXPECT_EQ(record(first).refused, "its priority is " + std::string{priority});
  }
  EXPECT_EQ(count("state=held"), 4);
  EXPECT_EQ(count("state=ready"), 0);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.queues(); }).at(0).held, 4);
  EXPECT_EQ(record(1).priority.value, std::numeric_limits<int>::max());
}

TEST_F(DamagedRows, APlacedJobOfNoPriorityStopsNobody) {
  for (const std::string_view priority : kBadPriorities) {
    const auto first = static_cast<std::uint8_t>(count("") + 1);
    for (std::uint8_t number = 0; number < 4; ++number) put(first + number, {}, std::chrono::seconds{5});
    const auto seq = [&](int number) { return std::to_string(first + number); };
    damage(
        "update job set priority = " + std::string{priority} + " where seq < " + seq(3) +
        "; update scheduled set priority = " + std::string{priority} + " where seq < " + seq(3) +
        "; insert into ready select queue, priority, tenant, kind, due_us, seq from scheduled where seq = " +
        seq(1) +
        "; insert into blocked select seq, 3, queue, priority, tenant, kind, due_us from scheduled where seq "
        "= " +
        seq(2) + "; delete from scheduled where seq in (" + seq(1) + ", " + seq(2) + ')');
    clock_.advance(std::chrono::seconds{10});
    EXPECT_THAT(worked(), ElementsAre(id(first + 3))) << priority;
    EXPECT_TRUE(worked().empty());
    EXPECT_EQ(written([](StoreWriter& writer) { return writer.reader().next_due(); }), std::nullopt);
    EXPECT_EQ(record(first).state, ShownState::scheduled);
    EXPECT_EQ(record(first + 1).state, ShownState::held);
    EXPECT_EQ(record(first + 2).state, ShownState::blocked);
  }
}

TEST_F(DamagedRows, AJobOfNoPriorityIsNotRetriedByAnOperator) {
  put(1);
  damage(std::string{kJobState} + "5, priority = 9223372036854775807");
  const auto retried =
      written([&](StoreWriter& writer) { return writer.retry_by_operator(id(1), clock_.wall()); });
  ASSERT_FALSE(retried);
  EXPECT_EQ(retried.error().code, ErrorCode::database_damaged);
  EXPECT_EQ(record(1).state, ShownState::dead);
}

TEST_F(DamagedRows, AJobOfNoPriorityThatWaitsIsLeftToItsOperatorsEyes) {
  put(1);
  damage("update job set priority = 9223372036854775807");
  for (const auto verb : {&StoreWriter::cancel_by_operator, &StoreWriter::run_by_operator}) {
    const auto done = written([&](StoreWriter& writer) { return (writer.*verb)(id(1), clock_.wall()); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::database_damaged);
  }
  EXPECT_EQ(record(1).state, ShownState::held);
}

TEST_F(DamagedRows, AJobOfNoPriorityThatHasEndedIsRemoved) {
  put(1);
  put(2);
  damage(std::string{kJobState} + "5, priority = 9223372036854775807 where seq = 1");
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.delete_by_operator(id(1)); }));
  EXPECT_EQ(count(""), 1);
}

TEST_F(DamagedRows, CountsThatNoJobHasAreShownUncutAndRefusedForWork) {
  const std::array<std::string_view, 5> damages{"attempts_max = 4294967297", "failures = 9223372036854775807",
                                                "crashes = -4294967295", "releases = 4294967296",
                                                "id = x'0102'"};
  for (const std::string_view each : damages) {
    const auto first = static_cast<std::uint8_t>(count("") + 1);
    put(first);
    put(first + 1);
    damage("update job set " + std::string{each} + " where seq = " + std::to_string(first));
    EXPECT_THAT(worked(), ElementsAre(id(first + 1))) << each;
  }
  EXPECT_EQ(record(1).attempts_max, std::numeric_limits<int>::max());
  EXPECT_EQ(record(3).failures, std::numeric_limits<int>::max());
  EXPECT_EQ(record(5).crashes, std::numeric_limits<int>::min());
  EXPECT_EQ(record(5).state, ShownState::held);
  EXPECT_EQ(count(""), 10);
}

// A round that fails is repeated for ever, and nobody's jobs run.
TEST_F(DamagedRows, AnEndIsNotStoppedByCountsThatWereDamagedMeanwhile) {
  for (std::uint8_t number = 1; number <= 4; ++number) put(number);
  const auto jobs = work();
  ASSERT_EQ(jobs.size(), 4U);
  damage(
      "update job set failures = 9223372036854775807, crashes = 9223372036854775807, releases = -5;"
      "insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process)"
      " select seq, 9223372036854775807, 1, 0, 1, 1, 1 from job;"
      "insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process)"
      " select seq, 2147483647, 1, 0, 1, 1, 1 from job;"
      "insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process)"
      " select seq, 2147483646, 1, 0, 1, 1, 1 from job");
  const auto ref = [&](std::size_t at) { return ClaimRef{jobs[at].seq, jobs[at].token}; };
  const AttemptFailure failure{ErrorCode::handler_failed, "no answer"};
  written([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(0), JobState::dead, JobReason::permanent_error, failure, clock_.wall()));
    value_or_raise(writer.retry(ref(1), clock_.wall(), failure, clock_.wall()));
    value_or_raise(writer.release(ref(2), true, failure, clock_.wall()));
    value_or_raise(writer.reclaim(ref(3), CrashCharge::poison, failure, clock_.wall()));
    return 0;
  });
  EXPECT_EQ(record(1).state, ShownState::dead);
  EXPECT_EQ(record(1).failures, std::numeric_limits<int>::max());
  EXPECT_EQ(record(3).releases, 1);
}

TEST_F(DamagedRows, AClaimOfAJobThatLostItsPriorityEndsAndStopsNobody) {
  put(1);
  put(2);
  const auto jobs = work();
  ASSERT_EQ(jobs.size(), 2U);
  damage("update job set priority = 9223372036854775807 where seq = 1");
  written([&](StoreWriter& writer) {
    const auto lost = writer.release({jobs[0].seq, jobs[0].token}, true, {}, clock_.wall());
    EXPECT_FALSE(lost);
    if (!lost) {
      EXPECT_EQ(lost.error().code, ErrorCode::claim_lost);
    }
    value_or_raise(writer.release({jobs[1].seq, jobs[1].token}, true, {}, clock_.wall()));
    return 0;
  });
  EXPECT_EQ(record(1).state, ShownState::held);
  EXPECT_THAT(worked(), ElementsAre(id(2)));
}

TEST_F(DamagedRows, ARequestOfAClaimThatHasMovedOnSaysNothingAndIsReplaced) {
  put(1);
  const auto claimed = work();
  ASSERT_EQ(claimed.size(), 1U);
  const std::string seq = std::to_string(claimed[0].seq.value);
  damage("insert into cancel_request(seq, incarnation, counter, asked_us) values (" + seq +
         ", 1, 1, 5); insert into cancel_request(seq, incarnation, counter, asked_us) values (99, 1, 1, 5)");
  EXPECT_EQ(asked([](JobReader& reader) { return reader.find_job(id(1)); })->cancel_asked, std::nullopt);
  const auto requests = [&](CancelNumber after) {
    return written([&](StoreWriter& writer) { return writer.cancel_requests(after, 10); });
  };
  EXPECT_TRUE(requests({}).empty());
  EXPECT_FALSE(written([&](StoreWriter& writer) {
    return writer.is_cancel_asked({claimed[0].seq, claimed[0].token});
  }));
  written([&](StoreWriter& writer) { return writer.ask_to_cancel(id(1), clock_.wall()).has_value(); });
  const auto anew = requests(CancelNumber{2});
  ASSERT_EQ(anew.size(), 1U) << "behind what the dispatcher has read";
  EXPECT_EQ(anew[0].claim.token, claimed[0].token);
}

TEST_F(DamagedRows, WhatAnOlderClaimHasToldIsNotShownAndIsReplaced) {
  put(1);
  const auto claimed = work();
  ASSERT_EQ(claimed.size(), 1U);
  damage("insert into progress(seq, incarnation, counter, done, total, text, told_us) values (" +
         std::to_string(claimed[0].seq.value) + ", 1, 1, -5, 0, 'odd', 5)");
  const auto progress = [&] {
    return asked([](JobReader& reader) { return reader.find_job(id(1)); })->progress;
  };
  EXPECT_FALSE(progress().has_value());
  const RunNews news{{claimed[0].seq, claimed[0].token}, Progress{2, 3, "right"}, ""};
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.tell(news, clock_.wall()); }).has_value());
  EXPECT_EQ(progress()->progress, (Progress{2, 3, "right"}));
}

TEST_F(DamagedRows, AttemptsAreShownUncut) {
  put(1);
  damage(
      "insert into attempt(seq, number, outcome, error_code, finished_us, incarnation, counter, process)"
      " values (1, 4294967297, 257, 65537, 0, 1, 1, 1)");
  const auto attempts = asked([](JobReader& reader) { return reader.attempts(JobSeq{1}); });
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].number, std::numeric_limits<int>::max());
  EXPECT_EQ(attempts[0].error_code, ErrorCode::internal);
  EXPECT_EQ(name_of(attempts[0].outcome), "unknown");
}

TEST_F(DamagedRows, StatesThatAreNoneAreShownAsUnknownAndRefusedForWork) {
  put(1);
  put(2);
  damage("update job set state = 260, reason = 261 where seq = 1");
  EXPECT_THAT(worked(), ElementsAre(id(2)));
  EXPECT_EQ(name_of(record(1).state), "unknown");
  EXPECT_EQ(name_of(record(1).reason), "unknown");
  EXPECT_EQ(count(""), 2);
  const auto retried =
      written([&](StoreWriter& writer) { return writer.retry_by_operator(id(1), clock_.wall()); });
  ASSERT_FALSE(retried);
  EXPECT_EQ(retried.error().code, ErrorCode::state_changed);
}

TEST_F(DamagedRows, ATenantInAStateThatIsNoneIsGatedAsFailed) {
  create_tenant("acme");
  put(1, "acme");
  put(2);
  damage("update tenant set state = 258 where name = 'acme'");
  EXPECT_THAT(worked(), ElementsAre(id(2)));
  EXPECT_EQ(record(1).tenant_state, TenantState::failed);
  EXPECT_EQ(record(1).state, ShownState::held);
  EXPECT_EQ(count("state=held"), 1);
  EXPECT_EQ(written([](StoreWriter& writer) { return writer.reader().tenant_state(TenantNumber{1}); }),
            TenantState::failed);
}

TEST_F(DamagedRows, AFanOutThatCannotBeReadIsCancelledWithTheJobsThatItHas) {
  for (const char* const name : {"acme", "bolt"}) create_tenant(name);
  NewFanOut all{.id = BatchId{id(9).uuid}, .name = "rebuild"};
  all.job = {.queue = "default", .kind = "index.rebuild", .attempts_max = 3, .arguments = "{}"};
  written([&](StoreWriter& writer) { return value_or_raise(writer.fan_outs().start(all, clock_.wall())); });
  const auto carry_on = [&] {
    return written([&](StoreWriter& writer) {
      const OpenFanOut open = writer.fan_outs().open(FanOutsMark{-1})->fan_outs.at(0);
      return writer.fan_outs().carry_on(
          {open.number, open.after, open.is_cancelled, 1, open.is_cancelled ? 0U : 1U}, clock_.wall());
    });
  };
  EXPECT_EQ(carry_on().made.size(), 1U);
  damage("update fan_out set envelope = x'00'");
  const VisitReply stopped = carry_on();
  EXPECT_FALSE(stopped.why.empty());
  EXPECT_FALSE(stopped.is_done) << "its jobs are left";
  EXPECT_FALSE(carry_on().is_stale);
  EXPECT_TRUE(carry_on().is_done);
  const auto record = asked([&](JobReader& reader) { return reader.fan_outs().fan_out(all.id); }).value();
  EXPECT_TRUE(record.batch.completed);
  EXPECT_EQ(record.problem, stopped.why);
  EXPECT_EQ(count("state=cancelled"), 1);
}

// Names that were taken once and are refused today, and what only damage writes.
TEST_F(DamagedRows, ATenantWhoseNameIsRefusedTodayStopsNobody) {
  create_tenant("acme");
  create_tenant("corvid");
  put(1, "acme");
  put(2, "corvid");
  for (const char* name : {"Acme Ltd", "none", "../corvid", "", "\x1b[2J"}) {
    damage("update tenant set name = '" + std::string{name} + "' where number = 1");
    const auto claimed = work();
    EXPECT_TRUE(std::ranges::all_of(claimed, [](const ClaimedJob& job) { return job.id == id(2); }));
    EXPECT_EQ(record(1).state, ShownState::held);
    EXPECT_EQ(record(1).tenant, TenantName::stored(name));
    EXPECT_EQ(record(1).tenant_state, TenantState::failed);
    EXPECT_THAT(record(1).refused, HasSubstr("breaks the rules"));
    EXPECT_EQ(count("state=held"), 1);
    EXPECT_EQ(written([](StoreWriter& writer) { return writer.reader().tenant_state(TenantNumber{1}); }),
              TenantState::failed);
    EXPECT_EQ(asked([](JobReader& reader) { return reader.queues(); }).at(0).held, 1);
  }
  EXPECT_EQ(count("tenant=corvid"), 1);
  EXPECT_EQ(record(2).state, ShownState::running);
}

TEST_F(DamagedRows, ATenantWhoseNameIsRefusedTodayIsListed) {
  create_tenant("acme");
  put(1, "acme");
  damage("update tenant set name = 'Acme Ltd' where number = 1");
  const auto summaries = asked([](JobReader& reader) { return reader.tenants(std::nullopt, 10); });
  ASSERT_EQ(summaries.size(), 1U);
  EXPECT_EQ(summaries[0].tenant.name.text(), "Acme Ltd");
  EXPECT_EQ(summaries[0].tenant.state, TenantState::failed);
  EXPECT_EQ(summaries[0].held, 1);
  EXPECT_EQ(store_->registry().list(std::nullopt, 10).size(), 1U);
  EXPECT_EQ(asked([&](JobReader& reader) { return reader.tenants(summaries[0].tenant.name, 10).size(); }),
            0U);
}

TEST_F(DamagedRows, AJobWhoseTenantIsMissingIsCountedAndListed) {
  create_tenant("acme");
  put(1, "acme");
  put(2);
  damage("delete from tenant where number = 1");
  EXPECT_THAT(worked(), ElementsAre(id(2)));
  EXPECT_EQ(record(1).tenant, TenantName::stored("(tenant 1 is missing)"));
  EXPECT_EQ(record(1).state, ShownState::held);
  EXPECT_EQ(record(1).refused, "the row of its tenant is missing");
  EXPECT_EQ(count(""), 2);
  EXPECT_EQ(count("state=held"), 1);
  EXPECT_EQ(count("tenant=none"), 1) << "the other one";
  EXPECT_EQ(count("tenant!=none"), 1);
  EXPECT_EQ(count("tenant!=acme"), 2);
  EXPECT_EQ(count("tenant=*missing*"), 1);
  EXPECT_EQ(count("tenant=acme"), 0);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.queues(); }).at(0).held, 1);
}

TEST_F(DamagedRows, AJobWhoseTenantIsMissingIsNotRetriedByAnOperator) {
  create_tenant("acme");
  put(1, "acme");
  damage("delete from tenant where number = 1; update job set state = 5");
  const auto retried =
      written([&](StoreWriter& writer) { return writer.retry_by_operator(id(1), clock_.wall()); });
  ASSERT_FALSE(retried);
  EXPECT_EQ(retried.error().code, ErrorCode::database_damaged);
}

TEST_F(DamagedRows, JobsWhoseQueueOrKindIsMissingAreCountedAndListed) {
  put(1);
  damage("delete from queue; delete from kind");
  EXPECT_EQ(count("queue!=mail"), 1);
  EXPECT_EQ(count("kind=*missing*"), 1);
  EXPECT_EQ(count("queue=default"), 0);
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues[0].name, "(queue 1 is missing)");
  EXPECT_EQ(queues[0].ready, 1);
}

TEST_F(DamagedRows, ABatchIsCompleteWhenItsLastMemberIsRemovedThatWasNeverCountedAsEnded) {
  const BatchId batch{id(200).uuid};
  written([&](StoreWriter& writer) {
    NewJob job;
    job.id = id(2);
    job.queue = "default";
    job.kind = "billing.send_invoice";
    job.attempts_max = 10;
    job.due = clock_.wall();
    job.arguments = "{}";
    const BatchCallback callback{.job = job};
    job.batch = batch;
    static_cast<void>(
        value_or_raise(writer.batches().open({.id = batch, .on_complete = callback}, clock_.wall())));
    return value_or_raise(writer.enqueue(job, clock_.wall()));
  });
  put(3);
  value_or_raise(written([&](StoreWriter& writer) { return writer.batches().close(batch, clock_.wall()); }));
  damage(std::string{kJobState} + "5 where id = x'00000000000000000000000000000002'; delete from ready");
  value_or_raise(written([](StoreWriter& writer) { return writer.delete_by_operator(id(2)); }));
  const BatchRecord record = asked([&](JobReader& reader) { return reader.batches().batch(batch); }).value();
  EXPECT_TRUE(record.completed.has_value());
  EXPECT_EQ(record.counts.discarded, 1);
  EXPECT_TRUE(record.on_complete->enqueued.has_value());
}

TEST_F(DamagedRows, TheSchemaRefusesThem) {
  put(1, {}, std::chrono::seconds{5});
  execute(
      "insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process)"
      " values (1, 1, 1, 0, 1, 1, 1)");
  for (const char* change :
       {"update job set priority = 101", "update job set priority = -101",
        "update scheduled set priority = 101", "update job set attempts_max = 0",
        "update job set attempts_max = 1001", "update job set failures = -1",
        "update job set crashes = 2147483648", "update job set releases = -1", "update job set reason = 255",
        "update attempt set number = 0", "update attempt set error_code = 65536",
        "update attempt set exit_code = 256", "update attempt set signal = 0", "update attempt set pid = -1"})
    EXPECT_THROW(execute(change), ConstraintViolated) << change;
  for (const char* change : {"update job set priority = 100", "update job set priority = -100",
                             "update job set attempts_max = 1000", "update job set failures = 2147483647",
                             "update attempt set error_code = 65535", "update attempt set exit_code = 255",
                             "update attempt set signal = 127"})
    EXPECT_NO_THROW(execute(change)) << change;
}

}  // namespace tenure::testing
