#include "bookkeeping.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/mask.hpp>

#include <chrono>
#include <tuple>

// What an application asks of its jobs and changes of them, and whose they must be.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

struct ExportMade {
  std::string file;
  int rows = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(file), CEREAL_NVP(rows));
  }
};

struct MakeExport {
  static constexpr std::string_view kind = "books.make_export";
  static constexpr std::array<std::string_view, 1> aliases{"books.export"};
  static JobOptions options() { return {.queue = "exports", .attempts_max = 1, .keep_result = 10min}; }
  using Result = ExportMade;
  std::string password;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(password));
  }
};

// Of another program version.
struct OldExport {
  static constexpr std::string_view kind = "books.export";
  using Result = ExportMade;
  template <class Archive>
  void serialize(Archive&) {}
};

struct OtherExport {
  static constexpr std::string_view kind = "books.other_export";
  using Result = ExportMade;
  template <class Archive>
  void serialize(Archive&) {}
};

class Asking : public Bookkeeping {
 protected:
  Asking() {
    jobs_.add<MakeExport>([this](const MakeExport& job, JobContext& context) {
      if (!fails_with_.empty()) throw std::runtime_error(fails_with_ + job.password);
      context.progress(1, 2, "half");
      return ExportMade{file_, 3};
    });
  }

  Uuid enqueue(std::string_view tenant = "acme", const EnqueueOptions& options = {}) {
    return with_tenant(tenant, [&] { return client_.enqueue(MakeExport{"hunter2"}, options); });
  }
  // As a dispatcher stores the end of a run.
  void finish(const queue::ClaimedJob& job) {
    queue::RunNotes notes{{job.seq, job.token}};
    const queue::AttemptEnd end = end_of(performer_, job, {}, notes);
    store_->write(Durability::ordered, [&](queue::StoreWriter& writer) {
      if (end.result == queue::RunResult::succeeded) {
        value_or_raise(writer.finish_succeeded(end.claim, clock_.wall()));
        if (end.returned) writer.keep_result(end.claim.seq, *end.returned, clock_.wall());
      } else {
        value_or_raise(writer.finish(end.claim, queue::JobState::dead, queue::JobReason::attempts_exhausted,
                                     end.failure, clock_.wall()));
      }
    });
  }
  FoundJob found(Uuid id) { return client_.find(id, {.tenant = "acme"}).value(); }

  std::string fails_with_;
  std::string file_ = "export-1.csv";
};

TEST_F(Asking, AJobTellsHowItStandsFromItsEnqueueToItsEnd) {
  const Uuid id = enqueue();
  const FoundJob waiting = found(id);
  EXPECT_EQ(waiting.id, id);
  EXPECT_EQ(waiting.tenant, TenantName{"acme"});
  EXPECT_EQ(waiting.kind, MakeExport::kind);
  EXPECT_EQ(waiting.queue, "exports");
  EXPECT_EQ(waiting.state, ShownState::ready);
  EXPECT_EQ(waiting.attempts_max, 1);
  EXPECT_EQ(waiting.enqueued, clock_.wall());
  EXPECT_FALSE(waiting.has_ended());

  const queue::ClaimedJob job = claim();
  store_->write(Durability::ordered, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.tell({{job.seq, job.token}, queue::Progress{1, 2, "half"}, ""}, clock_.wall()));
  });
  EXPECT_EQ(found(id).state, ShownState::running);
  ASSERT_TRUE(found(id).progress.has_value());
  EXPECT_EQ(found(id).progress->total, 2);
  EXPECT_EQ(found(id).progress->text, "half");

  finish(job);
  EXPECT_TRUE(found(id).has_ended());
  EXPECT_TRUE(found(id).has_succeeded());
  EXPECT_EQ(found(id).result, R"({"file":"export-1.csv","rows":3})");
}

TEST_F(Asking, AResultComesBackAsItsTypeUntilItsTimeIsOver) {
  const Uuid id = enqueue();
  const auto result = [&] { return client_.result<MakeExport>(id, {.tenant = "acme"}); };
  EXPECT_FALSE(result().has_value()) << "it has not run";
  finish(claim());
  ASSERT_TRUE(result().has_value());
  EXPECT_EQ(std::tie(result()->file, result()->rows), std::make_tuple(std::string("export-1.csv"), 3));
  clock_.advance(10min);
  EXPECT_FALSE(result().has_value());
  EXPECT_TRUE(found(id).has_succeeded()) << "the job stays";
}

TEST_F(Asking, AResultOfAnotherKindIsRefusedAndOneOfAnAliasIsNot) {
  const Uuid id = enqueue();
  EXPECT_THROW(static_cast<void>(client_.result<OtherExport>(id, {.tenant = "acme"})), BadOptions);
  EXPECT_THROW(static_cast<void>(client_.result<MakeExport>(Uuid{}, {.tenant = "acme"})), JobNotFound);
  const Uuid old = with_tenant("acme", [&] { return client_.enqueue(OldExport{}); });
  EXPECT_FALSE(client_.result<MakeExport>(old, {.tenant = "acme"}).has_value());
}

TEST_F(Asking, AResultThatIsTooLargeFailsTheRun) {
  file_ = std::string(queue::kJobResultMax, 'x');
  static_cast<void>(enqueue());
  const auto failure = perform(claim());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, ErrorCode::payload_too_large);

  const std::string quotes_and_names = R"({"file":"","rows":3})";
  file_ = std::string(queue::kJobResultMax - quotes_and_names.size(), 'x');
  static_cast<void>(enqueue());
  EXPECT_EQ(perform(claim()), std::nullopt) << "the largest one";
}

TEST_F(Asking, NothingIsReturnedByARunThatFails) {
  fails_with_ = "no disk for ";
  const Uuid id = enqueue();
  finish(claim());
  EXPECT_EQ(found(id).state, ShownState::dead);
  EXPECT_EQ(found(id).result, std::nullopt);
  EXPECT_EQ(found(id).error.find("hunter2"), std::string::npos) << found(id).error;
  EXPECT_NE(found(id).error.find("no disk for"), std::string::npos) << found(id).error;
}

TEST_F(Asking, NothingIsReturnedByARunThatHasObeyedACancel) {
  jobs_.add<OtherExport>([](const OtherExport&, JobContext& context) {
    static_cast<void>(context.stop_token());
    return ExportMade{};
  });
  static_cast<void>(client_.enqueue(OtherExport{}, {.untenanted = true}));
  queue::StopSignal stop;
  stop.give(StopReason::operator_asked);
  const queue::ClaimedJob job = claim();
  queue::RunNotes notes{{job.seq, job.token}};
  const queue::AttemptEnd end = end_of(performer_, job, stop, notes);
  EXPECT_EQ(end.result, queue::RunResult::failed);
  EXPECT_FALSE(end.returned.has_value());
}

TEST_F(Asking, AJobOfAnotherTenantIsNotFoundAndNotChanged) {
  const Uuid of_acme = enqueue("acme");
  const Uuid untenanted = client_.enqueue(MakeExport{}, {.untenanted = true});
  with_tenant("bolt", [&] {
    EXPECT_FALSE(client_.find(of_acme).has_value());
    EXPECT_FALSE(client_.find(untenanted).has_value());
    EXPECT_THROW(static_cast<void>(client_.result<MakeExport>(of_acme)), JobNotFound);
    EXPECT_THROW(client_.cancel(of_acme), JobNotFound);
    EXPECT_THROW(client_.retry(of_acme), JobNotFound);
    EXPECT_THROW(client_.change(of_acme, {.priority = 1}), JobNotFound);
  });
  EXPECT_THROW(client_.cancel(of_acme, {.tenant = "bolt"}), JobNotFound);
  EXPECT_THROW(client_.cancel(of_acme, {.untenanted = true}), JobNotFound);
  EXPECT_EQ(found(of_acme).state, ShownState::ready);
  EXPECT_EQ(found(of_acme).priority, 0);
  EXPECT_TRUE(client_.find(untenanted, {.untenanted = true}).has_value());
}

TEST_F(Asking, ATenantIsSaidAsWithAnEnqueue) {
  const Uuid id = enqueue();
  EXPECT_THROW(static_cast<void>(client_.find(id)), NoTenant);
  EXPECT_THROW(client_.cancel(id), NoTenant);
  EXPECT_THROW(client_.retry(id), NoTenant);
  EXPECT_THROW(client_.change(id, {.priority = 1}), NoTenant);
  with_tenant("bolt", [&] {
    EXPECT_THROW(static_cast<void>(client_.find(id, {.tenant = "acme"})), TenantSwapProhibited);
    EXPECT_THROW(client_.cancel(id, {.tenant = "acme"}), TenantSwapProhibited);
  });
  EXPECT_THROW(static_cast<void>(client_.find(id, {.tenant = "acme", .untenanted = true})), BadOptions);
  with_tenant("acme", [&] { EXPECT_TRUE(client_.find(id).has_value()); });
}

TEST_F(Asking, AJobThatWaitsIsCancelledAndOneThatRunsIsAskedToStop) {
  const JobsOf acme{.tenant = "acme"};
  const Uuid waits = enqueue();
  EXPECT_EQ(client_.cancel(waits, acme), Cancelled::at_once);
  EXPECT_EQ(found(waits).state, ShownState::cancelled);
  EXPECT_THROW(client_.cancel(waits, acme), StateChanged);

  const Uuid runs = enqueue();
  const queue::ClaimedJob job = claim();
  EXPECT_EQ(client_.cancel(runs, acme), Cancelled::when_it_obeys);
  EXPECT_EQ(client_.cancel(runs, acme), Cancelled::when_it_obeys);
  EXPECT_EQ(found(runs).state, ShownState::running);
  bool is_asked = false;
  store_->write(Durability::ordered, [&](queue::StoreWriter& writer) {
    is_asked = writer.is_cancel_asked({job.seq, job.token});
  });
  EXPECT_TRUE(is_asked);
}

TEST_F(Asking, ACancelledJobIsRetriedWithItsIdAndANewBudget) {
  const JobsOf acme{.tenant = "acme"};
  const Uuid id = enqueue();
  EXPECT_THROW(client_.retry(id, acme), StateChanged);
  client_.cancel(id, acme);
  client_.retry(id, acme);
  EXPECT_EQ(found(id).state, ShownState::ready);
  finish(claim());
  EXPECT_TRUE(found(id).has_succeeded());
}

TEST_F(Asking, AJobThatWaitsGetsAnotherQueuePriorityAndTime) {
  const JobsOf acme{.tenant = "acme"};
  const Uuid id = enqueue();
  client_.change(id, {.queue = "slow", .priority = 7, .run_in = 5min}, acme);
  EXPECT_EQ(found(id).queue, "slow");
  EXPECT_EQ(found(id).priority, 7);
  EXPECT_EQ(found(id).state, ShownState::scheduled);
  EXPECT_EQ(found(id).due, clock_.wall() + 5min);
  client_.change(id, {.run_at = clock_.wall()}, acme);
  EXPECT_EQ(found(id).state, ShownState::ready);
  EXPECT_EQ(found(id).priority, 7) << "what is not given stays";

  EXPECT_THROW(client_.change(id, {}, acme), BadOptions);
  EXPECT_THROW(client_.change(id, {.priority = 101}, acme), BadOptions);
  EXPECT_THROW(client_.change(id, {.queue = "No Queue"}, acme), BadOptions);
  EXPECT_THROW(client_.change(id, {.run_in = -1s}, acme), BadOptions);
  EXPECT_THROW(client_.change(id, {.run_in = 1s, .run_at = clock_.wall()}, acme), BadOptions);
  static_cast<void>(claim());
  EXPECT_THROW(client_.change(id, {.priority = 1}, acme), StateChanged);
}

TEST_F(Asking, ARefIsMadeInOneLine) {
  EXPECT_EQ(client_.ref<Invoice>("acme", 1), invoice_of("acme", 1));
  EXPECT_EQ(client_.ref<Invoice>(TenantName{"acme"}, "a b").text(), "gid://books/Invoice/a%20b?tenant=acme");
  EXPECT_THROW(static_cast<void>(client_.ref<Invoice>("Acme Ltd", 1)), BadTenantName);
  EXPECT_THROW(static_cast<void>(client_.ref<Invoice>("acme", "")), BadGlobalId);
  with_tenant("bolt", [&] {
    EXPECT_THROW(static_cast<void>(client_.ref<Invoice>("acme", 1)), TenantSwapProhibited);
    EXPECT_THROW(client_.enqueue(PayInvoice{invoice_of("bolt")}, {.tenant = "acme"}), TenantSwapProhibited);
  });
}

TEST_F(Asking, AContextKnowsItsJob) {
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    EXPECT_EQ(context.queue(), "default");
    EXPECT_EQ(context.enqueued(), clock_.wall());
    EXPECT_NE(context.idempotency_key().find(context.id().text()), std::string::npos);
    context.log(log::Level::warning, "paying\n");
  });
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  const Uuid id = with_tenant("acme", [&] { return client_.enqueue(PayInvoice{invoice_of("acme")}); });
  queue::ClaimedJob job = claim();
  EXPECT_EQ(perform(job), std::nullopt);
  log::capture_for_test(nullptr);
  ASSERT_EQ(lines.size(), 1U);
  for (const std::string& part :
       {std::string("job.said"), std::string("paying"), std::string("acme"), id.text()})
    EXPECT_NE(lines.front().find(part), std::string::npos) << part << " in " << lines.front();
}

}  // namespace
}  // namespace tenure::testing
