#include "notes.hpp"

#include <gmock/gmock.h>

#include <functional>

// What a handler says of its job, and what rules its kind has, through the real dispatcher and the queue.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using queue::JobReason;
using queue::JobRecord;
using queue::ShownState;

struct MailError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct MailTimeout : MailError {
  using MailError::MailError;
};

struct SendMail {
  static constexpr std::string_view kind = "mail.send";
  static JobOptions options() {
    return {.attempts_max = 3,
            .errors = {retry_on<MailError>(2), retry_on<MailTimeout>(4), discard_on<RecordNotFound>(),
                       dead_on<std::logic_error>()},
            .backoff = {.first = 1s, .factor = 1.0}};
  }
};

// Its time for retries is shorter than its attempts are many.
struct Hurried {
  static constexpr std::string_view kind = "mail.hurried";
  static JobOptions options() {
    return {.attempts_max = 1000, .backoff = {.first = 1min, .factor = 1.0}, .retry_for = 10min};
  }
};

class Failures : public Notes {
 protected:
  Failures() {
    jobs().add<SendMail>([this](const SendMail&, JobContext& context) { send_(context); });
    jobs().add<Hurried>([this](const Hurried&, JobContext& context) { send_(context); });
  }
  // The job behind all that becomes of it.
  JobRecord after(std::function<void(JobContext&)> send, std::optional<int> attempts_max = {}) {
    send_ = std::move(send);
    id_ = client().enqueue(SendMail{}, {.attempts_max = attempts_max});
    advance(24h);
    return job();
  }
  JobRecord job() {
    std::optional<JobRecord> record;
    world().store().read([&](queue::JobReader& reader) { record = reader.find_job({id_}); });
    return record.value();
  }
  std::vector<queue::AttemptRecord> attempts() {
    std::vector<queue::AttemptRecord> attempts;
    const queue::JobSeq seq = job().seq;
    world().store().read([&](queue::JobReader& reader) { attempts = reader.attempts(seq); });
    return attempts;
  }

  std::function<void(JobContext&)> send_;
  Uuid id_;
};

TEST_F(Failures, RTY_06_TheMostSpecificRuleTakesAnErrorAndEachCountsForItself) {
  int run = 0;
  // Two of the general rule, four of the special one, two of none: each is used up, and none beyond.
  const JobRecord all = after([&](JobContext&) {
    switch (++run) {
      case 1:
      case 4:
        throw MailError("no");
      case 2:
      case 5:
        throw std::runtime_error("no");
      case 3:
      case 6:
      case 7:
      case 8:
        throw MailTimeout("no");
      default:
        return;
    }
  });
  EXPECT_EQ(all.state, ShownState::succeeded);
  EXPECT_EQ(all.failures, 8);
  EXPECT_EQ(attempts().size(), 8U);

  run = 0;
  const JobRecord timeouts = after([&](JobContext&) {
    ++run;
    throw MailTimeout("no");
  });
  EXPECT_EQ(timeouts.state, ShownState::dead);
  EXPECT_EQ(timeouts.reason, JobReason::attempts_exhausted);
  EXPECT_EQ(run, 5);

  run = 0;
  const JobRecord others = after([&](JobContext&) {
    ++run;
    throw std::runtime_error("no");
  });
  EXPECT_EQ(others.state, ShownState::dead);
  EXPECT_EQ(run, 3) << "attempts_max";

  run = 0;
  const JobRecord logic = after([&](JobContext&) {
    ++run;
    throw std::invalid_argument("no");
  });
  EXPECT_EQ(logic.state, ShownState::dead);
  EXPECT_EQ(logic.reason, JobReason::by_rule);
  EXPECT_EQ(run, 1);

  run = 0;
  const JobRecord gone = after([&](JobContext&) {
    ++run;
    raise(ErrorCode::record_not_found, "there is no invoice 7");
  });
  EXPECT_EQ(gone.state, ShownState::discarded);
  EXPECT_EQ(gone.reason, JobReason::by_rule);
  EXPECT_EQ(run, 1);
}

// A dead job that an operator retries begins anew.
TEST_F(Failures, AnOperatorsRetryGivesEachRuleItsCountBack) {
  int run = 0;
  EXPECT_EQ(after([&](JobContext&) {
              ++run;
              throw MailTimeout("no");
            }).state,
            ShownState::dead);
  world().store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.retry_by_operator({id_}, clock().wall()));
  });
  run = 0;
  advance(24h);
  EXPECT_EQ(run, 5);
}

TEST_F(Failures, RTY_11_ATimeBudgetEndsRetriesAndOneAttemptIsNeverRetried) {
  int run = 0;
  send_ = [&](JobContext&) {
    ++run;
    throw std::runtime_error("no");
  };
  id_ = client().enqueue(Hurried{}, {.run_in = 24h * 365});
  advance(24h * 365);
  EXPECT_EQ(run, 1) << "it begins with the first failure, however long the job has waited";
  advance(24h);
  EXPECT_EQ(job().state, ShownState::dead);
  EXPECT_EQ(job().reason, JobReason::time_exhausted);
  EXPECT_GE(run, 6);
  EXPECT_LE(run, 10);
  EXPECT_LE(*job().finished, clock().wall() - 24h + 10min);

  run = 0;
  const JobRecord one = after(
      [&](JobContext&) {
        ++run;
        throw MailTimeout("no");
      },
      1);
  EXPECT_EQ(one.state, ShownState::dead);
  EXPECT_EQ(one.reason, JobReason::attempts_exhausted);
  EXPECT_EQ(run, 1);
}

TEST_F(Failures, AHandlerDiscardsItsJobOrSaysThatNoRetryHelps) {
  const JobRecord discarded = after([](JobContext&) { throw Discard("it was paid already"); });
  EXPECT_EQ(discarded.state, ShownState::discarded);
  EXPECT_EQ(discarded.reason, JobReason::by_rule);
  EXPECT_EQ(discarded.error, "tenure::Discard: it was paid already");
  const JobRecord dead = after([](JobContext&) { throw PermanentFailure("no such account"); });
  EXPECT_EQ(dead.state, ShownState::dead);
  EXPECT_EQ(dead.reason, JobReason::permanent_error);
  EXPECT_EQ(dead.error, "tenure::PermanentFailure: no such account");
}

TEST_F(Failures, ASnoozedJobRunsAgainThenAndIsChargedNothing) {
  std::vector<WallTime> runs;
  const WallTime start = clock().wall();
  send_ = [&](JobContext& context) {
    runs.push_back(context.now());
    EXPECT_EQ(context.attempt(), 1);
    if (runs.size() == 1) throw Snooze(start + 3h);
    if (runs.size() <= 20) throw Snooze(1h, "the bank is closed");
  };
  id_ = client().enqueue(SendMail{}, {.attempts_max = 1});
  advance(1h);
  EXPECT_EQ(job().state, ShownState::scheduled);
  EXPECT_EQ(job().reason, JobReason::put_off);
  EXPECT_EQ(job().due, start + 3h);
  advance(48h);
  EXPECT_EQ(job().state, ShownState::succeeded);
  EXPECT_EQ(job().failures, 0);
  ASSERT_EQ(runs.size(), 21U);
  EXPECT_EQ(runs[1], start + 3h);
  EXPECT_EQ(runs[2], start + 4h);
  ASSERT_EQ(attempts().size(), 1U) << "releases side by side are one";
  EXPECT_EQ(attempts()[0].outcome, queue::AttemptOutcome::released);
  EXPECT_EQ(attempts()[0].error, "tenure::Snooze: the bank is closed");
}

// Also one of weeks, which is no clock's mistake.
TEST_F(Failures, AJobIsRetriedAtATimeOfItsOwn) {
  std::vector<WallTime> runs;
  send_ = [&](JobContext& context) {
    runs.push_back(context.now());
    if (runs.size() == 1) throw RetryIn(24h * 14, "the bank is on holiday");
  };
  const WallTime start = clock().wall();
  id_ = client().enqueue(SendMail{});
  advance(24h * 30);
  EXPECT_EQ(job().state, ShownState::succeeded);
  EXPECT_EQ(job().failures, 1);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[1], start + 24h * 14);
}

TEST_F(Failures, WhatAStepHasWrittenIsUndoneWithIt) {
  const JobRecord discarded = after([](JobContext& context) {
    context.once("add", [](JobTransaction& transaction) {
      transaction.execute("insert into note (text) values ('x')");
      throw Discard("not wanted");
    });
  });
  EXPECT_EQ(discarded.state, ShownState::discarded);
  EXPECT_THAT(notes(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace tenure::testing
