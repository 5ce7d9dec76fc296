#include "bookkeeping.hpp"

#include <tenure/base/log.hpp>
#include <tenure/queue/envelope.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

using Perform = Bookkeeping;

struct Hurried {
  static constexpr std::string_view kind = "billing.hurried";
  static JobOptions options() { return {.start_within = 5min}; }
  template <class Archive>
  void serialize(Archive&) {}
};

void replace(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, from.size(), to);
}

TEST_F(Perform, RunsInTheTenantThatTheJobWasEnqueuedIn) {
  std::optional<TenantName> seen;
  jobs_.add<PayInvoice>([&](const PayInvoice& job, JobContext& context) {
    seen = current_tenant();
    EXPECT_EQ(context.locate(job.invoice)->id, 1);
    EXPECT_EQ(context.tenant(), TenantName{"acme"});
  });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  EXPECT_EQ(perform(claim()), std::nullopt);
  EXPECT_EQ(seen, TenantName{"acme"});
  EXPECT_EQ(current_tenant(), std::nullopt);
}

TEST_F(Perform, RTY_14_AJobWhoseTimeHasComeDoesNotEnterItsHandler) {
  int entered = 0;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext&) { ++entered; });
  const WallTime before = clock_.wall() + 1s;
  with_tenant("acme", [&] {
    for (int each = 0; each < 2; ++each)
      client_.enqueue(PayInvoice{invoice_of("acme")}, {.start_before = before});
  });
  const queue::ClaimedJob in_time = claim();
  const queue::ClaimedJob late = claim();
  EXPECT_EQ(late.start_before, before);
  queue::RunNotes notes{{in_time.seq, in_time.token}};
  clock_.advance(1s - 1us);
  EXPECT_EQ(end_of(performer_, in_time, {}, notes).result, queue::RunResult::succeeded);
  EXPECT_EQ(entered, 1);
  clock_.advance(1us);
  const auto opened_before = handles_.counters();
  EXPECT_EQ(end_of(performer_, late, {}, notes).result, queue::RunResult::expired);
  EXPECT_EQ(entered, 1);
  EXPECT_EQ(handles_.counters().opened + handles_.counters().reused,
            opened_before.opened + opened_before.reused)
      << "no tenant's file was touched";
}

TEST_F(Perform, AKindSaysHowLongAfterItIsDueItsJobMayStart) {
  with_tenant("acme", [&] {
    client_.enqueue(Hurried{});
    client_.enqueue(Hurried{}, {.run_in = 1h});
    client_.enqueue(Hurried{}, {.start_within = 1s});
    client_.enqueue(Hurried{}, {.start_within = 0s});
  });
  std::vector<std::optional<WallTime>> times;
  store_->read([&](queue::JobReader& reader) {
    for (const auto& job :
         reader.list_jobs({}, {.order = queue::ListOrder::oldest_first}, clock_.wall()).jobs)
      times.push_back(job.start_before);
  });
  const WallTime now = clock_.wall();
  EXPECT_EQ(times,
            (std::vector<std::optional<WallTime>>{now + 5min, now + 1h + 5min, now + 1s, std::nullopt}));
}

struct Forgiving {
  static constexpr std::string_view kind = "test.forgiving";
  static JobOptions options() { return {.errors = {discard_on<std::exception>()}}; }
  std::string name;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name));
  }
};

TEST_F(Perform, NoRuleOfAKindTakesArgumentsThatItCannotRead) {
  jobs_.add<Forgiving>([](const Forgiving&, JobContext&) { throw std::runtime_error("it failed"); });
  with_tenant("acme", [&] {
    client_.enqueue(Forgiving{"a"});
    client_.enqueue(Forgiving{"b"});
  });
  const queue::ClaimedJob failing = claim();
  queue::RunNotes notes{{failing.seq, failing.token}};
  EXPECT_TRUE(end_of(performer_, failing, {}, notes).decision);
  queue::ClaimedJob unread = claim();
  replace(unread.envelope, "\"b\"", "770");
  const auto end = end_of(performer_, unread, {}, notes);
  EXPECT_EQ(end.failure.code, ErrorCode::bad_payload) << end.failure.error;
  EXPECT_FALSE(end.decision);
}

TEST_F(Perform, GID_03_AForgedIdOfAnotherTenantIsRefusedBeforeTheHandler) {
  bool entered = false;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext&) { entered = true; });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  queue::ClaimedJob job = claim();
  replace(job.envelope, "Invoice/1?tenant=acme", "Invoice/1?tenant=bolt");
  const auto opened_before = handles_.counters();
  const auto outcome = perform(job);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::wrong_tenant);
  EXPECT_NE(outcome->error.find("(at $.invoice)"), std::string::npos) << outcome->error;
  EXPECT_FALSE(entered);
  EXPECT_EQ(handles_.counters().opened + handles_.counters().reused,
            opened_before.opened + opened_before.reused)
      << "no tenant's file was touched";
}

// Which of them the row, the envelope and the id inside say; "" for no tenant.
struct Combination {
  std::string_view column, envelope, reference;
  bool is_stamp_right;
  [[nodiscard]] bool is_all_equal() const {
    return column == reference && envelope == reference && is_stamp_right;
  }
  // What is compared first is what it is refused for.
  [[nodiscard]] ErrorCode code() const {
    if (column == envelope && column.empty()) return ErrorCode::no_tenant;  // and an id of one
    if (column != envelope || is_stamp_right) return ErrorCode::wrong_tenant;
    return ErrorCode::tenant_unavailable;
  }
};

queue::ClaimedJob job_of(const Combination& each, const queue::ClaimedJob& original) {
  const auto tenant = [](std::string_view name) {
    return name.empty() ? std::nullopt : std::optional{TenantName{name}};
  };
  queue::ClaimedJob job = original;
  job.tenant = tenant(each.column);
  if (!job.tenant) job.generation = {};
  auto content = *queue::read_envelope(job.envelope);
  content.tenant = tenant(each.envelope);
  if (!content.tenant) content.generation = {};
  replace(content.arguments, "tenant=acme", "tenant=" + std::string{each.reference});
  job.envelope = queue::write_envelope(content);
  return job;
}

// Each file has the other one's name.
void exchange_files(const std::filesystem::path& tenants) {
  std::filesystem::rename(tenants / "acme.db", tenants / "away.db");
  std::filesystem::rename(tenants / "bolt.db", tenants / "acme.db");
  std::filesystem::rename(tenants / "away.db", tenants / "bolt.db");
}

// Seals are in seal_test, and each refusal's metric and audit row in tests/unit/observing/refusal_counts_test.cpp.
TEST_F(Perform, SEC_02_OnlyTheCombinationWhereAllAgreeRuns) {
  int ran = 0;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext&) { ++ran; });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  const queue::ClaimedJob original = claim();
  int combinations = 0;
  for (const bool is_stamp_right : {true, false}) {
    if (!is_stamp_right) exchange_files(folder_.path() / "tenants");
    for (const char* column : {"acme", "bolt", ""})
      for (const char* envelope : {"acme", "bolt", ""})
        for (const char* reference : {"acme", "bolt"}) {
          const Combination each{column, envelope, reference, is_stamp_right};
          SCOPED_TRACE(fmt::format("{}, {}, {}, {}", column, envelope, reference, is_stamp_right));
          const auto outcome = perform(job_of(each, original));
          ++combinations;
          ASSERT_EQ(outcome == std::nullopt, each.is_all_equal());
          if (outcome) {
            EXPECT_EQ(outcome->code, each.code()) << outcome->error;
          }
        }
  }
  EXPECT_EQ(combinations, 36);
  EXPECT_EQ(ran, 2) << "all acme and all bolt";
}

TEST_F(Perform, AnEditedRowIsRefusedWithItsReason) {
  jobs_.add<PayInvoice>([](const PayInvoice&, JobContext&) { FAIL() << "entered"; });
  jobs_.add<PayAll>([](const PayAll&, JobContext&) { FAIL() << "entered"; });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  const queue::ClaimedJob original = claim();

  queue::ClaimedJob other_id = original;
  other_id.id = {*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")};
  EXPECT_EQ(perform(other_id)->code, ErrorCode::envelope_mismatch);

  queue::ClaimedJob other_kind = original;
  other_kind.kind = PayAll::kind;
  EXPECT_EQ(perform(other_kind)->code, ErrorCode::envelope_mismatch);

  queue::ClaimedJob other_generation = original;
  other_generation.generation = Generation{2};
  EXPECT_EQ(perform(other_generation)->code, ErrorCode::wrong_tenant);

  queue::ClaimedJob unknown_kind = original;
  unknown_kind.kind = "books.unknown";
  auto content = *queue::read_envelope(unknown_kind.envelope);
  content.kind = unknown_kind.kind;
  unknown_kind.envelope = queue::write_envelope(content);
  EXPECT_EQ(perform(unknown_kind)->code, ErrorCode::unknown_kind);
}

// A worker knows no registry: a file that is missing or another's says nothing of the job.
TEST_F(Perform, AHandlerStartsOnlyOnTheFileOfItsTenantWhateverItDoes) {
  int ran = 0;
  jobs_.add<PayAll>([&](const PayAll&, JobContext&) { ++ran; });
  with_tenant("acme", [&] { client_.enqueue(PayAll{}); });
  const queue::ClaimedJob job = claim();
  const auto file = [&](const char* name) { return folder_.path() / "tenants" / name; };
  const auto expect_unavailable = [&](const std::string& because) {
    const auto outcome = perform(job);
    ASSERT_TRUE(outcome.has_value()) << because;
    EXPECT_EQ(outcome->code, ErrorCode::tenant_unavailable) << because;
    EXPECT_NE(outcome->error.find(because), std::string::npos) << outcome->error;
    EXPECT_NE(outcome->error.find("acme.db"), std::string::npos) << outcome->error;
  };
  std::filesystem::rename(file("acme.db"), file("away.db"));
  expect_unavailable("TenantDoesNotExist");
  std::filesystem::copy_file(file("bolt.db"), file("acme.db"));
  expect_unavailable("(-wal) beside the database is another's");
  std::filesystem::rename(file("acme.db-wal"), file("away.db-wal"));
  expect_unavailable("WrongTenant");
  std::filesystem::rename(file("away.db-wal"), file("acme.db-wal"));
  EXPECT_EQ(ran, 0);
  std::filesystem::rename(file("away.db"), file("acme.db"));
  EXPECT_EQ(perform(job), std::nullopt);
  EXPECT_EQ(ran, 1);
}

TEST_F(Perform, AFileThatGoesWhileTheHandlerRunsIsTrouble) {
  jobs_.add<PayAll>([&](const PayAll&, JobContext& context) {
    handles_.close_idle();
    std::filesystem::rename(folder_.path() / "tenants/acme.db", folder_.path() / "tenants/away.db");
    static_cast<void>(context.handle());
  });
  with_tenant("acme", [&] { client_.enqueue(PayAll{}); });
  const auto outcome = perform(claim());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::tenant_unavailable);
}

TEST_F(Perform, SqlThatFailsIsAQueryThatFailed) {
  jobs_.add<PayAll>([](const PayAll&, JobContext& context) {
    context.once("pay",
                 [](JobTransaction& transaction) { transaction.execute("update invoice set payed = 1"); });
  });
  with_tenant("acme", [&] { client_.enqueue(PayAll{}); });
  const auto outcome = perform(claim());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::query_failed);
  EXPECT_NE(outcome->error.find("no such column: payed"), std::string::npos) << outcome->error;
}

struct SilentError : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

TEST_F(Perform, WhateverAHandlerThrowsEndsOnlyItsJobAndKeepsItsText) {
  std::function<void()> code;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext&) { code(); });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  const queue::ClaimedJob job = claim();
  const auto error_of = [&](std::function<void()> throws) {
    code = std::move(throws);
    return perform(job)->error;
  };
  const auto nested_in = [](auto outer) {
    try {
      throw std::out_of_range("no line 7");
    } catch (...) {
      std::throw_with_nested(outer);
    }
  };
  EXPECT_TRUE(error_of([] { throw SilentError{}; }).ends_with("SilentError: "));
  EXPECT_EQ(error_of([] { throw 42; }), "the handler threw int");
  EXPECT_EQ(error_of([&] { nested_in(std::runtime_error("cannot load")); }),
            "std::runtime_error: cannot load; because of std::out_of_range: no line 7");
  EXPECT_EQ(error_of([&] {
              nested_in(RecordNotFound({ErrorCode::record_not_found, "gone"}));
            }),
            "gone; because of std::out_of_range: no line 7");
}

TEST_F(Perform, CTX_03_NoJobStartsWithWhatAnotherOneLeft) {
  std::vector<std::unique_ptr<TenantScope>> escaped;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    EXPECT_EQ(current_tenant(), context.tenant());
    static int turn = 0;
    switch (turn++ % 4) {
      case 0:
        throw std::runtime_error("failed");
      case 1:
        escaped.push_back(std::make_unique<TenantScope>(*context.tenant()));
        break;
      case 2:
        throw 42;
      default:
        static_cast<void>(context.handle());
        break;
    }
  });
  for (int i = 0; i < 200; ++i) {
    const char* tenant = i % 3 == 0 ? "acme" : "bolt";
    with_tenant(tenant, [&] { client_.enqueue(PayInvoice{invoice_of(tenant)}); });
    const auto job = claim();
    static_cast<void>(perform(job));
    EXPECT_EQ(scope_depth(), 0U);
    store_->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
      EXPECT_TRUE(writer.finish_succeeded({job.seq, job.token}, clock_.wall()));
    });
  }
}

TEST_F(Perform, CTX_09_AHandlerThatLeavesATransactionOpenIsReportedByName) {
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  std::optional<TenantTransaction> escaped;
  jobs_.add<PayInvoice>(
      [&](const PayInvoice&, JobContext& context) { escaped.emplace(context.handle().begin()); });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  EXPECT_EQ(perform(claim()), std::nullopt);
  log::capture_for_test(nullptr);
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("job.transaction_left_open") != std::string::npos &&
           line.find("books.pay_invoice") != std::string::npos;
  }));
  EXPECT_EQ(paid("acme"), 0) << "the next user of the database is not blocked";
}

TEST_F(Perform, RUN_07_WhatRemainsCountsDownToNothing) {
  std::vector<std::optional<std::chrono::milliseconds>> left;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    for (const std::chrono::milliseconds passed : {0ms, 1500ms, 499ms, 1ms, 5ms}) {
      clock_.advance(passed);
      left.push_back(context.remaining());
    }
  });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  EXPECT_EQ(perform(claim(), {}, 2s), std::nullopt);
  EXPECT_EQ(left, (std::vector<std::optional<std::chrono::milliseconds>>{2000ms, 500ms, 1ms, 0ms, 0ms}));
  left.clear();
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  EXPECT_EQ(perform(claim()), std::nullopt);
  EXPECT_EQ(left.front(), std::nullopt) << "without a limit";
}

TEST_F(Perform, RUN_07_AHandlerThatObeysItsTokenFailsOnlyWhereItHasTakenTooLong) {
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    if (context.stop_token().stop_requested()) throw std::runtime_error("as asked");
  });
  for (const auto& [reason, code] : {std::pair{queue::StopReason::stop, ErrorCode::interrupted},
                                     std::pair{queue::StopReason::time_limit, ErrorCode::time_limit}}) {
    queue::StopSignal stop;
    stop.give(reason);
    stop.give(queue::StopReason::stop);  // the first reason stays
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    const auto outcome = perform(claim(), stop);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->code, code);
  }
}

TEST_F(Perform, RUN_06_AHandlerOfACancelledJobThatKnowsOfItsTokenHasObeyedByReturning) {
  using Handler = std::function<void(JobContext&)>;
  struct Case {
    std::string_view name;
    Handler handler;
    bool has_obeyed;
  };
  for (const Case& each :
       {Case{"has asked for its token", [](JobContext& context) { (void)context.stop_token(); }, true},
        Case{"was told why",
             [](JobContext& context) { EXPECT_EQ(context.stop_reason(), StopReason::operator_asked); }, true},
        Case{"threw", [](JobContext&) { throw std::runtime_error("stopped"); }, true},
        Case{"takes no notice", [](JobContext&) {}, false}}) {
    JobRegistry jobs;
    jobs.add<PayInvoice>([&](const PayInvoice&, JobContext& context) { each.handler(context); });
    Performer performer{jobs, handles_, clock_, {.application = "books"}};
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    queue::StopSignal stop;
    stop.give(StopReason::operator_asked);
    const auto outcome = perform_by(performer, claim(), stop);
    EXPECT_EQ(outcome.has_value(), each.has_obeyed) << each.name;
    if (outcome) {
      EXPECT_EQ(outcome->code, ErrorCode::interrupted) << each.name;
    }
  }
}

TEST_F(Perform, AHandlerThatReturnsBeforeItIsToldToStopHasSucceeded) {
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    EXPECT_FALSE(context.stop_token().stop_requested());
    EXPECT_EQ(context.stop_reason(), std::nullopt);
  });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  EXPECT_EQ(perform(claim()), std::nullopt);
}

// It has done what it could: a stop of the daemon is no reason to do it again.
TEST_F(Perform, AHandlerThatReturnsAfterAnyOtherTokenHasSucceeded) {
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) { (void)context.stop_token(); });
  for (const StopReason reason : {StopReason::stop, StopReason::time_limit}) {
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    queue::StopSignal stop;
    stop.give(reason);
    EXPECT_EQ(perform(claim(), stop), std::nullopt);
  }
}

// A thread that a handler starts has neither the scope nor the lease.
TEST_F(Perform, AContextAndAHandleAreOfNoUseOnAnotherThread) {
  using Use = std::function<void(JobContext&, TenantHandle&)>;
  const std::array<std::pair<Use, ErrorCode>, 8> uses{{
      {[](JobContext& context, TenantHandle&) { static_cast<void>(context.handle()); },
       ErrorCode::bad_options},
      {[](JobContext& context, TenantHandle&) { context.once("step", [](JobTransaction&) {}); },
       ErrorCode::bad_options},
      {[](JobContext& context, TenantHandle&) { context.progress(1); }, ErrorCode::bad_options},
      {[](JobContext& context, TenantHandle&) { context.checkpoint("1"); }, ErrorCode::bad_options},
      {[](JobContext& context, TenantHandle&) { (void)context.stop_token(); }, ErrorCode::bad_options},
      {[](JobContext& context, TenantHandle&) { (void)context.stop_reason(); }, ErrorCode::bad_options},
      {[](JobContext& context, TenantHandle&) { (void)context.idempotency_key(); }, ErrorCode::bad_options},
      {[](JobContext&, TenantHandle& handle) { static_cast<void>(handle.begin_read()); },
       ErrorCode::no_tenant},
  }};
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    TenantHandle& handle = context.handle();
    for (std::size_t each = 0; each < uses.size(); ++each) {
      std::optional<Failure> failure;
      std::thread([&] {
        try {
          uses[each].first(context, handle);
        } catch (const Error& error) {
          failure = error.failure();
        }
      }).join();
      ASSERT_TRUE(failure.has_value()) << each;
      EXPECT_EQ(failure->code, uses[each].second) << each;
      EXPECT_NE(failure->message.find("a handle and a context are for the thread that has them"),
                std::string::npos)
          << failure->message;
    }
  });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  EXPECT_EQ(perform(claim()), std::nullopt);
}

TEST_F(Perform, CTX_09_AlsoOneThatThrows) {
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  std::optional<TenantTransaction> escaped;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    escaped.emplace(context.handle().begin());
    throw std::runtime_error("in the midst of it");
  });
  with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
  const auto outcome = perform(claim());
  log::capture_for_test(nullptr);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::handler_failed);
  EXPECT_TRUE(std::ranges::any_of(lines, [](const std::string& line) {
    return line.find("job.transaction_left_open") != std::string::npos;
  }));
}

TEST_F(Perform, CTX_07_AnUntenantedJobHasNoTenantAndNoHandle) {
  jobs_.add<PayAll>([](const PayAll&, JobContext& context) {
    EXPECT_EQ(current_tenant(), std::nullopt);
    EXPECT_EQ(context.tenant(), std::nullopt);
    static_cast<void>(context.handle());
  });
  with_tenant("acme", [&] { client_.enqueue(PayAll{}, {.untenanted = true}); });
  const auto outcome = perform(claim());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::no_tenant);
}

TEST_F(Perform, RUN_11_TheIdempotencyKeyIsTheJobsGlobalIdInEveryAttempt) {
  std::vector<std::string> keys;
  jobs_.add<PayInvoice>(
      [&](const PayInvoice&, JobContext& context) { keys.push_back(context.idempotency_key()); });
  Uuid id;
  with_tenant("acme", [&] { id = client_.enqueue(PayInvoice{invoice_of("acme")}); });
  const auto job = claim();
  static_cast<void>(perform(job));
  static_cast<void>(perform(job));
  EXPECT_EQ(keys, std::vector<std::string>(2, "gid://books/tenure.job/" + id.text() + "?tenant=acme"));
}

}  // namespace
}  // namespace tenure::testing
