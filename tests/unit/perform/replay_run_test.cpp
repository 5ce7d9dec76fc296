#include "capturing.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/jobs/scratch_replay.hpp>

#include <future>
#include <limits>
#include <thread>

namespace tenure::testing {
namespace {

class ReplayRun : public Capturing {
 protected:
  Ref<Invoice> invoice() { return invoice_of("acme"); }
};

struct NotANumber {  // encoding it fails
  double value = std::numeric_limits<double>::quiet_NaN();
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(value));
  }
};

struct Quote {
  std::string currency;
  std::vector<double> rates;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(currency), CEREAL_NVP(rates));
  }
};

void pay_in_replay(JobTransaction& transaction) {
  transaction.execute("update invoice set paid = paid + 1 where id = 1");
}

TEST_F(ReplayRun, PerformsARunAgainWithTheSameTenantClockSeedAndEffects) {
  const Ref<Invoice> of = invoice();
  bool ticks = true;
  const auto body = [&](JobContext& context) {
    const WallTime first = context.now();
    if (ticks) clock_.advance(std::chrono::milliseconds{1500});
    const auto number = static_cast<std::int64_t>(context.random().below(1'000'000));
    const std::string key = context.idempotency_key();
    context.once("pay", [&](JobTransaction& transaction) {
      transaction.execute("insert into invoice values (?, ?)", 10 + context.attempt(), number);
      transaction.execute("update invoice set paid = ? where id = 1",
                          context.now() - first > std::chrono::seconds{1});
      transaction.enqueue(PayInvoice{of}, {.run_in = std::chrono::minutes{5}});
      transaction.enqueue(PayInvoice{of});
    });
    context.write([&](TenantTransaction& transaction) {
      transaction.execute("insert into invoice (paid) values (length(?))", key);
    });
    context.checkpoint("behind all");
    throw std::runtime_error("at " + std::to_string(to_us(context.now())) + " with " +
                             std::to_string(number));
  };
  const auto end = capture(body, queue::CaptureOn::failure);
  const auto file = file_of(end);
  const replay::Capsule capsule = capsule_of(end);
  ASSERT_EQ(capsule.run.jobs.size(), 2U);
  ASSERT_EQ(capsule.run.changes.size(), 3U);
  clock_.advance(std::chrono::hours{100});
  ticks = false;
  for (int times = 0; times < 2; ++times) {
    const replay::RunRecord again = replay(file, body);
    const auto found = replay::compare(capsule.run, again);
    EXPECT_FALSE(found) << found->text();
    EXPECT_EQ(again, capsule.run);
  }
}

// Which quotes the path of the database, as each error of SQLite does.
struct Balance {
  static constexpr std::string_view kind = "books.balance";
  static JobOptions options() { return {.queue = "slow"}; }
  struct Result {
    std::string queue;
    std::int64_t enqueued = 0;
    std::string api_token;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(CEREAL_NVP(queue), CEREAL_NVP(enqueued), CEREAL_NVP(api_token));
    }
  };
  template <class Archive>
  void serialize(Archive&) {}
};

TEST_F(ReplayRun, WhatTheHandlerReturnedIsInTheCapsuleWithoutSecretsAndComparedByAReplay) {
  const auto add = [](JobRegistry& jobs, const std::string& token) {
    jobs.add<Balance>([token](const Balance&, JobContext& context) {
      return Balance::Result{context.queue(), to_us(context.enqueued()), token};
    });
  };
  add(jobs_, "t0p");
  with_tenant("acme", [&] { client_.enqueue(Balance{}); });
  const queue::ClaimedJob job = claim();
  clock_.advance(std::chrono::minutes{5});
  const auto end = perform_assigned(assigned(job, queue::CaptureOn::any_end));
  ASSERT_TRUE(end.returned.has_value());
  const auto returned = capsule_of(end).run.returned;
  ASSERT_TRUE(returned.has_value());
  EXPECT_EQ(returned->find("t0p"), std::string::npos) << *returned;
  EXPECT_NE(returned->find(R"("queue":"slow")"), std::string::npos) << *returned;

  const auto difference_with = [&](auto&& fill) {
    const TemporaryFolder scratch;
    const TenantFiles files{(scratch / "%{tenant}.db").string()};
    replay::restore_tenant(file_of(end), files);
    HandleCache handles{files, {}};
    JobRegistry jobs;
    fill(jobs);
    const auto found = replay::compare(capsule_of(end).run, replay_run(jobs, handles, capsule_of(end), {}));
    return found ? found->text() : std::string{};
  };
  EXPECT_EQ(difference_with([&](JobRegistry& jobs) { add(jobs, "another"); }), "")
      << "the context tells the same, and what is masked is not compared";
  EXPECT_NE(difference_with([](JobRegistry& jobs) {
              jobs.add<Balance>([](const Balance&, JobContext&) { return Balance::Result{}; });
            }).find("returned"),
            std::string::npos);
}

TEST_F(ReplayRun, AStatementThatFailsIsTheSameFailureWhereverTheDatabaseLies) {
  const auto body = [](JobContext& context) {
    context.recorded("elsewhere", [&] {
      context.write(
          [](TenantTransaction& transaction) { transaction.execute("insert into nowhere values (1)"); });
    });
  };
  const auto direct = [](JobContext& context) {
    context.once("pay", [](JobTransaction& transaction) {
      transaction.execute("insert into invoice (id, paid) values (1, 1)");
    });
  };
  for (const Body& each : {Body{direct}, Body{body}}) {
    const auto end = capture(each);
    EXPECT_NE(end.failure.error.find(handles_.files().path_for(TenantName{"acme"}).string()),
              std::string::npos)
        << "as an operator wants it: " << end.failure.error;
    EXPECT_EQ(difference(end, each), "");
    EXPECT_NE(capsule_of(end).run.failure->error.find("in the tenant's database"), std::string::npos);
  }
}

TEST_F(ReplayRun, ARecordedCallIsMadeOnceAndAnsweredInAReplay) {
  int calls = 0;
  std::vector<std::string> seen;
  const auto body = [&](JobContext& context) {
    const auto quote = context.recorded("rate", [&] {
      ++calls;
      return Quote{"EUR", {1.25, 2.5}};
    });
    const std::string text = context.recorded("text", [&] {
      ++calls;
      return std::string{"ü"};
    });
    context.recorded("ping", [&] { ++calls; });
    const std::optional<int> none = context.recorded("maybe", [&]() -> std::optional<int> {
      ++calls;
      return std::nullopt;
    });
    seen.push_back(quote.currency + std::to_string(quote.rates.at(1)) + text + (none ? "some" : "none"));
  };
  const auto end = capture(body);
  EXPECT_EQ(calls, 4);
  const replay::Capsule capsule = capsule_of(end);
  ASSERT_EQ(capsule.run.calls.size(), 4U);
  EXPECT_EQ(capsule.run.calls[0].value, R"({"currency":"EUR","rates":[1.25,2.5]})");
  EXPECT_EQ(capsule.run.calls[2].value, "null");
  EXPECT_EQ(difference(end, body), "");
  EXPECT_EQ(calls, 4) << "a replay does not call";
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0], seen[1]);
}

TEST_F(ReplayRun, RPL_13_ACallIsMadeOnceAnsweredInAReplayAndNamedWhereTheRecordingLacksIt) {
  std::vector<std::string> made;
  const auto call = [&](JobContext& context, const std::string& name) {
    return context.recorded(name, [&] {
      made.push_back(name);
      return name + " answered";
    });
  };
  const auto body = [&](JobContext& context) {
    const std::string answer = call(context, "rate");
    throw std::runtime_error(answer + ", " + call(context, "tax"));
  };
  const auto end = capture(body);
  EXPECT_EQ(made, (std::vector<std::string>{"rate", "tax"}));
  EXPECT_EQ(capsule_of(end).run.calls, (std::vector<replay::RecordedCall>{{"rate", R"("rate answered")"},
                                                                          {"tax", R"("tax answered")"}}));
  const replay::RunRecord again = replay(file_of(end), body);
  EXPECT_EQ(again.failure.value().error, end.failure.error);
  const auto named = [&](const std::vector<std::string>& names) {
    return replay(file_of(end),
                  [&](JobContext& context) {
                    for (const std::string& name : names) static_cast<void>(call(context, name));
                  })
        .failure.value();
  };
  EXPECT_EQ(named({"rate", "tax", "fee"}).code, ErrorCode::replay_differs);
  EXPECT_NE(named({"rate", "tax", "fee"}).error.find("\"fee\""), std::string::npos);
  EXPECT_EQ(named({"tax", "rate"}).code, ErrorCode::replay_differs);
  EXPECT_NE(named({"tax", "rate"}).error.find("\"tax\""), std::string::npos);
  EXPECT_EQ(made.size(), 2U) << "no replay calls";
}

TEST_F(ReplayRun, WhatACallThrewIsThrownAgain) {
  const auto ends_by = [](auto thrown) {
    return [thrown](JobContext& context) { context.recorded("charge", [&]() -> int { throw thrown; }); };
  };
  const std::vector<Body> bodies{
      ends_by(std::runtime_error("declined")),
      ends_by(RecordNotFound(Failure{ErrorCode::record_not_found, "no such card", "", "card"})), ends_by(17),
      ends_by(std::string{"a text"})};
  for (const Body& body : bodies) {
    const auto end = capture(body, queue::CaptureOn::failure);
    EXPECT_EQ(difference(end, body), "");
    EXPECT_EQ(replay(file_of(end), body).failure, capsule_of(end).run.failure);
    EXPECT_EQ(replay(file_of(end), body).failure->code, end.failure.code);
  }
}

TEST_F(ReplayRun, ACallOfAMaskedNameThrowsWhatIsLeftOfIt) {
  for (const std::string text : {"tok_thrown_secret", "no", ""}) {
    const auto body = [&](JobContext& context) {
      context.recorded("renew token", [&]() -> int { throw std::runtime_error(text); });
    };
    const auto end = capture(body, queue::CaptureOn::failure);
    EXPECT_EQ(difference(end, body), "") << text;
    EXPECT_EQ(capsule_of(end).run.failure->error.find("tok_thrown"), std::string::npos);
    const replay::RunRecord other =
        replay(file_of(end), [](JobContext& context) { context.recorded("new token", [] { return 1; }); });
    EXPECT_NE(other.failure.value().error.find("\"new token\""), std::string::npos) << other.failure->error;
  }
}

TEST_F(ReplayRun, ACallThatTheRecordingLacksIsNamed) {
  const auto end = capture([](JobContext& context) { context.recorded("rate", [] { return 1; }); });
  bool was_called = false;
  const auto more = [&](JobContext& context) {
    context.recorded("rate", [] { return 1; });
    context.recorded("tax", [&] { return was_called = true; });
  };
  const replay::RunRecord again = replay(file_of(end), more);
  ASSERT_TRUE(again.failure);
  EXPECT_EQ(again.failure->code, ErrorCode::replay_differs);
  EXPECT_NE(again.failure->error.find("\"tax\""), std::string::npos) << again.failure->error;
  EXPECT_FALSE(was_called);
  EXPECT_TRUE(difference(end, more).starts_with("calls differ at call 2, \"tax\":\n  recorded nothing"));
}

TEST_F(ReplayRun, ACallInAnotherOrderIsNamedWhateverTheHandlerMakesOfIt) {
  const auto end = capture([](JobContext& context) {
    context.recorded("rate", [] { return 1; });
    context.recorded("tax", [] { return 2; });
  });
  const auto turned = [](JobContext& context) {
    try {
      context.recorded("tax", [] { return 2; });
    } catch (const std::exception&) {
    }
    try {
      context.recorded("rate", [] { return 1; });
    } catch (const std::exception&) {
    }
  };
  const replay::RunRecord again = replay(file_of(end), turned);
  EXPECT_EQ(again.failure.value().code, ErrorCode::replay_differs);
  EXPECT_NE(again.failure->error.find("\"tax\" where the capsule's run has made \"rate\""), std::string::npos)
      << again.failure->error;
  EXPECT_TRUE(difference(end, turned).starts_with("calls differ at call 1, \"rate\""));
}

TEST_F(ReplayRun, ACallThatIsNotMadeAnyMoreIsNamed) {
  const auto end = capture([](JobContext& context) { context.recorded("rate", [] { return 1; }); });
  EXPECT_EQ(difference(end, [](JobContext&) {}),
            "calls differ at call 1, \"rate\":\n  recorded \"rate\": 1\n  replayed nothing");
}

TEST_F(ReplayRun, ARunThatIsNeitherCapturedNorReplayedOnlyCalls) {
  body_ = [](JobContext& context) {
    EXPECT_NE(context.recorded("bad", [] { return NotANumber{}; }).value, 0);
    context.recorded("nothing", [] {});
    static_cast<void>(context.random().next());
    EXPECT_THROW(context.recorded("", [] {}), BadOptions);
    EXPECT_THROW(context.recorded(std::string(257, 'x'), [] {}), BadOptions);
    EXPECT_NO_THROW(context.recorded(std::string(256, 'x'), [] {}));
    EXPECT_THROW(context.recorded("\xff", [] {}), BadOptions);
  };
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice()}); });
  EXPECT_EQ(perform(claim()), std::nullopt);
  const auto end = capture([](JobContext& context) {
    EXPECT_NE(context.recorded("bad", [] { return NotANumber{}; }).value, 0)
        << "the run has its value all the same";
  });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  EXPECT_EQ(end.capsule.value().failure.value().code, ErrorCode::bad_payload);
  EXPECT_NE(end.capsule->failure->message.find("\"bad\""), std::string::npos);
}

TEST_F(ReplayRun, InsideOfACallNothingIsRecordedAndTheRestStaysInOrder) {
  const auto body = [](JobContext& context) {
    const WallTime before = context.now();
    const int value = context.recorded("outer", [&] {
      static_cast<void>(context.now());
      static_cast<void>(context.random().next());
      return context.recorded("inner", [] { return 7; });
    });
    const std::uint64_t number = context.random().below(1000);
    throw std::runtime_error(std::to_string(to_us(before)) + " " + std::to_string(value) + " " +
                             std::to_string(number));
  };
  const auto end = capture(body);
  EXPECT_EQ(capsule_of(end).run.calls.size(), 1U);
  EXPECT_EQ(difference(end, body), "");
}

TEST_F(ReplayRun, AClockThatIsAskedMoreOftenStandsStill) {
  const auto end = capture([this](JobContext& context) {
    static_cast<void>(context.now());
    clock_.advance(std::chrono::seconds{1});
    static_cast<void>(context.now());
  });
  std::vector<WallTime> seen;
  static_cast<void>(replay(file_of(end), [&](JobContext& context) {
    for (int i = 0; i < 4; ++i) seen.push_back(context.now());
    std::thread([&] { seen.push_back(context.now()); }).join();
  }));
  const auto readings = capsule_of(end).run.readings;
  ASSERT_EQ(readings.size(), 2U);
  EXPECT_EQ(seen, (std::vector<WallTime>{readings[0], readings[1], readings[1], readings[1], readings[1]}));
}

TEST_F(ReplayRun, ReadingsAreOfTheRunAloneAndNotOfRowsOfTenuresOwn) {
  const auto end = capture([](JobContext& context) {
    context.once("pay", pay_in_replay);
    static_cast<void>(context.now());
  });
  EXPECT_EQ(capsule_of(end).run.readings.size(), 1U);
}

TEST_F(ReplayRun, AStepThatAnEarlierAttemptHasDoneIsNotDoneAgain) {
  static_cast<void>(capture([](JobContext& context) { context.once("pay", pay_in_replay); }));
  const auto body = [](JobContext& context) {
    context.once("pay", pay_in_replay);
    context.once("note", [](JobTransaction& transaction) {
      transaction.execute("insert into invoice values (4, 4)");
    });
  };
  const auto end = capture(body);
  ASSERT_EQ(capsule_of(end).run.changes.size(), 1U);
  EXPECT_EQ(difference(end, body), "");
}

TEST_F(ReplayRun, AnotherHandlerDiffersByItsRow) {
  const auto end = capture([](JobContext& context) { context.once("pay", pay_in_replay); });
  EXPECT_EQ(
      difference(end,
                 [](JobContext& context) {
                   context.once("pay", [](JobTransaction& transaction) {
                     transaction.execute("update invoice set paid = paid + 2 where id = 1");
                   });
                 }),
      "rows differ at row {\"id\":1} of table invoice:\n  recorded updated {\"paid\":0} to {\"paid\":1}\n"
      "  replayed updated {\"paid\":0} to {\"paid\":2}");
}

TEST_F(ReplayRun, WhatCannotBeRecordedIsNoOutcomeOfTheRun) {
  const auto end = capture([](JobContext& context) { context.once("pay", pay_in_replay); });
  for (const bool fails : {false, true})
    EXPECT_THROW(static_cast<void>(replay(file_of(end),
                                          [&](JobContext& context) {
                                            context.once("pay", pay_in_replay);
                                            context.write([](TenantTransaction& transaction) {
                                              transaction.execute("alter table invoice add column more text");
                                            });
                                            if (fails) throw std::runtime_error("no answer");
                                          })),
                 SchemaMismatch);
  EXPECT_EQ(scope_depth(), 0U);
}

TEST_F(ReplayRun, TellsOfEachStepBeforeItBegins) {
  const auto body = [](JobContext& context) {
    context.once("one", pay_in_replay);
    context.once("two", pay_in_replay);
  };
  const auto end = capture(body);
  std::vector<std::string> steps;
  static_cast<void>(
      replay(file_of(end), body, {.on_step = [&](std::string_view step) { steps.emplace_back(step); }}));
  EXPECT_EQ(steps, (std::vector<std::string>{"one", "two"}));
}

TEST_F(ReplayRun, LeavesTheCapsuleTheTenantAndTheThreadAsTheyWere) {
  const auto body = [](JobContext& context) { context.once("pay", pay_in_replay); };
  const auto end = capture(body);
  const replay::Capsule before = capsule_of(end);
  static_cast<void>(replay(file_of(end), body));
  EXPECT_EQ(capsule_of(end).run, before.run);
  EXPECT_EQ(paid("acme"), 1);
  EXPECT_EQ(scope_depth(), 0U);
}

TEST_F(ReplayRun, ReplaysInScratchOfSeveralThreadsDoNotDisturbOneAnother) {
  const auto end = capture([](JobContext& context) { context.once("pay", pay_in_replay); });
  const auto file = file_of(end);
  const replay::Capsule capsule = capsule_of(end);
  JobRegistry jobs;
  jobs.add<PayInvoice>([](const PayInvoice&, JobContext& context) { context.once("pay", pay_in_replay); });
  const auto replay_often = [&] {
    for (int i = 0; i < 10; ++i) {
      const TemporaryFolder scratch;
      EXPECT_EQ(replay_in_scratch(jobs, file, capsule, scratch.path()), capsule.run);
    }
  };
  auto other = std::async(std::launch::async, replay_often);
  EXPECT_NO_THROW(replay_often());
  EXPECT_NO_THROW(other.get());
}

TEST_F(ReplayRun, AProgramWithoutTheKindIsTold) {
  const auto end = capture([](JobContext&) {});
  const TemporaryFolder scratch;
  const TenantFiles files{(scratch / "%{tenant}.db").string()};
  replay::restore_tenant(file_of(end), files);
  HandleCache handles{files, {}};
  EXPECT_THROW(static_cast<void>(replay_run(JobRegistry{}, handles, capsule_of(end))), UnknownKind);
}

TEST_F(ReplayRun, WhereTheTenantWasNotRestoredItIsTold) {
  const auto end = capture([](JobContext&) {});
  const TemporaryFolder scratch;
  HandleCache handles{TenantFiles{(scratch / "%{tenant}.db").string()}, {}};
  EXPECT_THROW(static_cast<void>(replay_run(jobs_, handles, capsule_of(end))), TenantDoesNotExist);
}

TEST_F(ReplayRun, ValuesOfMaskedColumnsAreNoDifference) {
  with_tenant("acme", [&] {
    tenants_.open_current()->write([](TenantTransaction& transaction) {
      transaction.execute("create table login (id integer primary key, token text)");
      transaction.execute("insert into login values (1, 'tok_before')");
    });
  });
  const auto body = [](JobContext& context) {
    context.write([&](TenantTransaction& transaction) {
      transaction.execute("insert into login values (2, ?)", std::to_string(context.random().next()));
    });
  };
  const auto end = capture(body);
  EXPECT_EQ(capsule_of(end).run.changes.at(0).after, "{\"id\":2,\"token\":\"••••\"}");
  EXPECT_EQ(difference(end, body), "");
}

}  // namespace
}  // namespace tenure::testing
