#include "capturing.hpp"

#include <tenure/queue/envelope.hpp>

namespace tenure::testing {
namespace {

class Capture : public Capturing {
 protected:
  void write_as_another(const std::string& sql) {
    HandleLease other = tenants_.open(TenantName{"acme"});
    other->write([&](TenantTransaction& transaction) { transaction.execute(sql); });
  }
};

void pay_in_capture(JobTransaction& transaction) {
  transaction.execute("update invoice set paid = paid + 1 where id = 1");
}

std::int64_t paid_in(const std::filesystem::path& file) {
  const TemporaryFolder scratch;
  const TenantFiles files{(scratch / "%{tenant}.db").string()};
  replay::restore_tenant(file, files);
  HandleCache handles{files, {}};
  return with_tenant("acme", [&] {
    HandleLease lease = value_or_raise(handles.acquire(TenantName{"acme"}, Generation{1}));
    return lease->read([](TenantReader& reader) {
      auto rows = reader.query("select paid from invoice where id = 1");
      rows.next();
      return rows.row().integer(0);
    });
  });
}

TEST_F(Capture, RPL_11_TheCapsuleOfAFailedRunHoldsTheTenantAsItWasBeforeAndAnotherEndLeavesNone) {
  const auto end = capture(
      [](JobContext& context) {
        context.once("pay", pay_in_capture);
        context.write(
            [](TenantTransaction& transaction) { transaction.execute("insert into invoice values (9, 9)"); });
        throw std::runtime_error("declined");
      },
      queue::CaptureOn::failure);
  EXPECT_EQ(end.result, queue::RunResult::failed);
  const auto file = file_of(end);
  EXPECT_EQ(end.capsule->request, queue::CaptureNumber{3});
  const replay::Capsule capsule = capsule_of(end);
  EXPECT_EQ(paid_in(file), 0);
  EXPECT_EQ(paid("acme"), 1) << "the run itself has done what it did";
  EXPECT_EQ(capsule.run.failure, end.failure);
  ASSERT_EQ(capsule.run.changes.size(), 2U);
  EXPECT_EQ(capsule.run.changes[0], (replay::RowChange{"invoice", replay::RowChange::Kind::updated,
                                                       R"({"id":1})", R"({"paid":0})", R"({"paid":1})"}));
  EXPECT_EQ(capsule.run.changes[1].kind, replay::RowChange::Kind::inserted);
  EXPECT_EQ(capsule.head.application, "books");
  EXPECT_EQ(capsule.head.program_version, "7");
  EXPECT_EQ(capsule.head.started, clock_.wall());
  const auto other =
      capture([](JobContext& context) { context.once("again", pay_in_capture); }, queue::CaptureOn::failure);
  EXPECT_EQ(other.capsule, std::nullopt);
  EXPECT_EQ(files_in_place(), 1U);
}

TEST_F(Capture, ARunThatEndsOtherwiseLeavesNoFileAndHoldsNothing) {
  const auto fine = [](JobContext& context) { context.once("pay", pay_in_capture); };
  EXPECT_EQ(capture(fine, queue::CaptureOn::failure).capsule, std::nullopt);
  const auto failing = [](JobContext&) { throw std::runtime_error("no"); };
  EXPECT_EQ(capture(failing, queue::CaptureOn::success).capsule, std::nullopt);
  EXPECT_EQ(files_in_place(), 0U);
  EXPECT_EQ(handles_.counters().leased, 0) << "and nothing is held any more";
  EXPECT_TRUE(capture(failing, queue::CaptureOn::any_end).capsule.has_value());
  EXPECT_EQ(files_in_place(), 1U);
}

TEST_F(Capture, ARunThatWasStoppedIsNoFailureButAnEnd) {
  const auto obeys = [](JobContext& context) { context.checkpoint("here"); };
  queue::StopSignal stop;
  stop.give(queue::StopReason::stop);
  EXPECT_EQ(capture(obeys, queue::CaptureOn::failure, stop).capsule, std::nullopt);
  const auto end = capture(obeys, queue::CaptureOn::any_end, stop);
  EXPECT_EQ(capsule_of(end).run.failure->code, ErrorCode::interrupted);
  EXPECT_EQ(capsule_of(end).run.cursor, "here");
}

TEST_F(Capture, HoldsNothingOfWhatOthersWroteMeanwhile) {
  const auto end = capture([this](JobContext& context) {
    write_as_another("insert into invoice values (5, 5)");
    context.once("pay", pay_in_capture);
  });
  const replay::Capsule capsule = capsule_of(end);
  ASSERT_EQ(capsule.run.changes.size(), 1U);
  EXPECT_EQ(capsule.run.changes[0].key, R"({"id":1})");
}

TEST_F(Capture, WhatAHandlerLeavesOpenIsNoChange) {
  std::optional<TenantTransaction> left_open;
  const auto end = capture([&](JobContext& context) {
    context.once("pay", pay_in_capture);
    left_open.emplace(context.handle().begin());
    left_open->execute("delete from invoice");
  });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  ASSERT_EQ(capsule_of(end).run.changes.size(), 1U);
  EXPECT_EQ(capsule_of(end).run.changes[0].kind, replay::RowChange::Kind::updated);
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(Capture, JobsEnqueuedAreThoseOfCommittedSteps) {
  const auto end = capture([this](JobContext& context) {
    context.once("kept", [&](JobTransaction& transaction) {
      transaction.enqueue(PayInvoice{invoice_of("acme")}, {.run_in = std::chrono::minutes{5},
                                                           .start_within = std::chrono::hours{1},
                                                           .queue = "slow",
                                                           .concurrency = ConcurrencyKey{.key = "payments"}});
      transaction.execute("savepoint half");
      transaction.enqueue(PayInvoice{invoice_of("acme")});
      transaction.execute("rollback to half");
    });
    try {
      context.once("undone", [&](JobTransaction& transaction) {
        transaction.enqueue(PayInvoice{invoice_of("acme")});
        throw std::runtime_error("no");
      });
    } catch (const std::runtime_error&) {
    }
  });
  const auto jobs = capsule_of(end).run.jobs;
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].kind, PayInvoice::kind);
  EXPECT_EQ(jobs[0].queue, "slow");
  EXPECT_EQ(jobs[0].due, clock_.wall() + std::chrono::minutes{5});
  EXPECT_EQ(jobs[0].arguments, R"({"invoice":{"$gid":"gid://books/Invoice/1?tenant=acme"}})");
  EXPECT_EQ(jobs[0].keys, R"({"concurrency":{"key":"payments","running_max":1,"global":false}})");
  EXPECT_EQ(jobs[0].start_before, jobs[0].due + std::chrono::hours{1});
}

TEST_F(Capture, ACaptureThatCannotBeIsToldAndNotTheJobsFailure) {
  limits_.bytes_max = 100;
  const auto end = capture([](JobContext& context) { context.once("pay", pay_in_capture); });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  ASSERT_TRUE(end.capsule && end.capsule->failure);
  EXPECT_EQ(end.capsule->failure->code, ErrorCode::limit_reached);
  EXPECT_EQ(end.capsule->file, "");
  EXPECT_EQ(files_in_place(), 0U);
  EXPECT_EQ(paid("acme"), 1);
}

// A type of the application whose codec says too much.
struct Talkative {
  std::string text;
  template <class Archive>
  void serialize(Archive&) {
    raise(ErrorCode::bad_payload, "cannot write " + text);
  }
};

TEST_F(Capture, WhyThereIsNoneQuotesNoSecretOfTheArguments) {
  const std::string secret = "gid://books/Invoice/1?tenant=acme";
  const auto body = [&](JobContext& context) {
    static_cast<void>(context.recorded("odd", [&] { return Talkative{secret}; }));
  };
  const auto open = capture(body);
  ASSERT_TRUE(open.capsule && open.capsule->failure);
  EXPECT_NE(open.capsule->failure->message.find(secret), std::string::npos);
  masked_ = {"invoice"};
  const auto masked = capture(body);
  EXPECT_EQ(masked.result, queue::RunResult::succeeded);
  ASSERT_TRUE(masked.capsule && masked.capsule->failure);
  EXPECT_EQ(masked.capsule->failure->code, ErrorCode::bad_payload);
  EXPECT_EQ(masked.capsule->failure->message.find(secret), std::string::npos);
}

TEST_F(Capture, WhereTheTimeLimitIsNearThereIsNoneAndTheJobHasEndedAllTheSame) {
  static_cast<void>(capture([](JobContext&) {}, queue::CaptureOn::failure));
  std::chrono::milliseconds taken{};
  body_ = [&](JobContext&) { clock_.advance(taken); };
  queue::AssignedJob job = assigned(*job_, queue::CaptureOn::any_end);
  job.time_limit = std::chrono::seconds{10};
  taken = std::chrono::milliseconds{8'999};
  EXPECT_EQ(perform_assigned(job).capsule.value().failure, std::nullopt);
  EXPECT_EQ(files_in_place(), 1U);
  taken = std::chrono::milliseconds{9'000};
  ++job.claim.token.counter;
  const auto end = perform_assigned(job);
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  EXPECT_EQ(end.capsule.value().failure.value().code, ErrorCode::time_limit);
  EXPECT_EQ(files_in_place(), 1U);
}

// Each reading of the steady clock takes a while.
class SlowClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  [[nodiscard]] Instant steady() const override {
    clock_.advance(std::chrono::milliseconds{30});
    return clock_.steady();
  }

 private:
  mutable VirtualClock clock_;
};

TEST_F(Capture, WhereTheTimeLimitComesNearWhileItIsWrittenThereIsNone) {
  with_tenant("acme", [&] {
    write_as_another("create table filled (id integer primary key, token text)");
    write_as_another(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) "
        "insert into filled select i, 'a text' from n");
  });
  static_cast<void>(capture([](JobContext&) {}, queue::CaptureOn::failure));
  queue::AssignedJob job = assigned(*job_, queue::CaptureOn::any_end);
  const SlowClock slow;
  Performer performer{jobs_, handles_, slow, {.application = "books", .capture = {.folder = place_}}};
  queue::RunNotes notes{job.claim};
  job.time_limit = std::chrono::seconds{1};
  const auto end = performer.perform(job, {}, notes);
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  EXPECT_EQ(end.capsule.value().failure.value().code, ErrorCode::time_limit);
  EXPECT_EQ(files_in_place(), 0U);
  job.time_limit = std::chrono::minutes{1};
  ++job.claim.token.counter;
  EXPECT_EQ(performer.perform(job, {}, notes).capsule.value().failure, std::nullopt);
}

TEST_F(Capture, WhereItsProcessIsAboutToStopWhileItIsWrittenThereIsNone) {
  with_tenant("acme", [&] {
    write_as_another("create table filled (id integer primary key, token text)");
    write_as_another(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) "
        "insert into filled select i, 'a text' from n");
  });
  static_cast<void>(capture([](JobContext&) {}, queue::CaptureOn::failure));
  queue::AssignedJob job = assigned(*job_, queue::CaptureOn::any_end);
  const SlowClock slow;
  Performer performer{jobs_, handles_, slow, {.application = "books", .capture = {.folder = place_}}};
  queue::RunNotes notes{job.claim};
  for (const auto& [reason, is_made] :
       {std::pair{queue::StopReason::stop, false}, {queue::StopReason::operator_asked, true}}) {
    queue::StopSignal stop;
    stop.give(reason);
    ++job.claim.token.counter;
    const auto end = performer.perform(job, stop, notes);
    EXPECT_EQ(end.result, queue::RunResult::succeeded);
    EXPECT_EQ(files_in_place(), is_made ? 1U : 0U);
    const auto& failure = end.capsule.value().failure;
    EXPECT_EQ(failure ? std::optional{failure->code} : std::nullopt,
              is_made ? std::nullopt : std::optional{ErrorCode::interrupted});
  }
}

TEST_F(Capture, WithoutAFolderThereIsNone) {
  place_.clear();
  const auto end = capture([](JobContext&) {});
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  EXPECT_EQ(end.capsule.value().failure.value().code, ErrorCode::bad_configuration);
}

TEST_F(Capture, AnAlteredTableIsToldAndNotTheJobsFailure) {
  const auto end = capture([](JobContext& context) {
    context.write([](TenantTransaction& transaction) {
      transaction.execute("update invoice set paid = 4");
      transaction.execute("alter table invoice add column more text");
    });
  });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  EXPECT_EQ(end.capsule.value().failure.value().code, ErrorCode::schema_mismatch);
  EXPECT_EQ(files_in_place(), 0U);
}

TEST_F(Capture, AJobThatWasRefusedBeforeItsHandlerHasNoRun) {
  static_cast<void>(capture([](JobContext&) {}, queue::CaptureOn::success));
  queue::AssignedJob job = assigned(*job_, queue::CaptureOn::failure);
  job.kind = "books.unknown";
  const auto end = perform_assigned(job);
  EXPECT_EQ(end.capsule.value().failure.value().code, end.failure.code);
  EXPECT_EQ(end.capsule->file, "");
}

TEST_F(Capture, AnUntenantedJobHasNone) {
  queue::AssignedJob job;
  job.id = {uuids_of_process().next(clock_.wall())};
  job.kind = std::string{PayAll::kind};
  job.envelope = queue::write_envelope({job.id, std::nullopt, Generation{0}, job.kind, R"({"invoices":[]})"});
  job.capture = queue::CaptureWish{queue::CaptureNumber{8}, queue::CaptureOn::any_end};
  jobs_.add<PayAll>(
      [](const PayAll&, JobContext& context) { EXPECT_EQ(context.recorded("n", [] { return 4; }), 4); });
  const auto end = perform_assigned(job);
  EXPECT_EQ(end.result, queue::RunResult::succeeded) << end.failure.error;
  EXPECT_EQ(end.capsule.value().request, queue::CaptureNumber{8});
  EXPECT_EQ(end.capsule->failure.value().code, ErrorCode::no_tenant);
}

TEST_F(Capture, TwoConnectionsAreNotThereForEveryBudgetAndTheJobRunsAllTheSame) {
  HandleCache small{handles_.files(), {.descriptors_max = 3, .wait_max = std::chrono::milliseconds{0}}};
  static_cast<void>(capture([](JobContext&) {}, queue::CaptureOn::failure));
  body_ = [](JobContext& context) { context.once("pay", pay_in_capture); };
  Performer performer{jobs_, small, clock_, {.application = "books", .capture = {.folder = place_}}};
  const queue::AssignedJob job = assigned(*job_, queue::CaptureOn::any_end);
  queue::RunNotes notes{job.claim};
  const auto end = performer.perform(job, {}, notes);
  EXPECT_EQ(end.result, queue::RunResult::succeeded) << end.failure.error;
  EXPECT_EQ(end.capsule.value().failure.value().code, ErrorCode::handle_budget_exhausted);
}

}  // namespace
}  // namespace tenure::testing
