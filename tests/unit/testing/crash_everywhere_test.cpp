#include "invoices.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/random.hpp>

#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <string>

// Handlers that are safe to repeat, and the usual ways of not being so.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CrashEverywhere : public Invoices {
 protected:
  using Handler = std::function<void(const SendInvoice&, JobContext&)>;
  CrashReport report_of(Handler handler, const CrashOptions& options = {}) {
    jobs().add<SendInvoice>(std::move(handler));
    return testing::crash_everywhere(world(), SendInvoice{7}, options);
  }
};

void add_to_ledger(auto& transaction, const SendInvoice& job, std::string_view text) {
  transaction.execute("insert into ledger (invoice, text) values (?, ?)", job.invoice, text);
}

void mark_sent(const SendInvoice& job, JobContext& context) {
  context.once("mark sent", [&](JobTransaction& transaction) {
    transaction.execute("update invoice set sent_at = ? where id = ?", context.now(), job.invoice);
  });
}

void send_in_three_steps(const SendInvoice& job, JobContext& context) {
  for (const char* const step : {"number it", "add to ledger", "mark sent"})
    context.once(step, [&](JobTransaction& transaction) {
      add_to_ledger(transaction, job, step);
      transaction.enqueue(Remind{job.invoice, step});
    });
}

TEST_F(CrashEverywhere,
       TST_09_AHandlerEndsAsItsWholeRunWhereverItsProcessDiesOrTheFirstStepThatDiffersIsNamed) {
  bool is_careless = false;
  const CrashReport report = report_of([&](const SendInvoice& job, JobContext& context) {
    send_in_three_steps(job, context);
    if (is_careless)
      context.write([&](TenantTransaction& transaction) { add_to_ledger(transaction, job, "sent"); });
  });
  EXPECT_TRUE(report) << report;
  EXPECT_THAT(
      report.steps,
      ElementsAre("the commit of once \"number it\"", "the commit of once \"add to ledger\"",
                  "the commit of once \"mark sent\"", "the end of the run", "the clearing of the outbox"));
  EXPECT_EQ(report.deaths, 10);
  EXPECT_EQ(report.differs_at, "");
  EXPECT_EQ(report.text,
            "billing.send_invoice of test is safe to repeat: its process died before and after each of 5 "
            "durable steps, 10 times, and each "
            "time the second run ended as the whole one");
  is_careless = true;
  const CrashReport of_careless = testing::crash_everywhere(world(), SendInvoice{7});
  EXPECT_FALSE(of_careless);
  EXPECT_EQ(of_careless.differs_at, "after plain write number 1");
  EXPECT_EQ(of_careless.deaths, 8);
}

TEST_F(CrashEverywhere, ADueTimeIsThatOfTheWholeRunAlsoWhereAHandlerMovesTheClock) {
  const CrashReport report = report_of([&](const SendInvoice& job, JobContext& context) {
    clock().advance(std::chrono::hours{1});
    context.once("remind", [&](JobTransaction& transaction) {
      transaction.enqueue(Remind{job.invoice, "paid?"}, {.run_in = std::chrono::hours{1}});
    });
  });
  EXPECT_TRUE(report) << report;
}

TEST_F(CrashEverywhere, AnEffectOutsideOnceIsNamedWithItsRows) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    mark_sent(job, context);
    context.write([&](TenantTransaction& transaction) { add_to_ledger(transaction, job, "sent"); });
    context.once("remind", [&](JobTransaction& transaction) {
      transaction.enqueue(Remind{job.invoice, "paid?"});
    });
  });
  EXPECT_FALSE(report);
  EXPECT_EQ(report.differs_at, "after plain write number 1");
  EXPECT_EQ(report.deaths, 4);
  EXPECT_EQ(report.text,
            "billing.send_invoice of test is not safe to repeat: it died after plain write number 1 (step 2 "
            "of 5), ran again, and left "
            "something else than a whole run:\n"
            "  table ledger of test\n"
            "    expected  nothing\n"
            "    got       {id: 2, invoice: 7, text: 'sent'}\n"
            "Likely cause: an effect outside `once`: plain write number 1 was kept when the process died, "
            "and the second run came to it "
            "again. Move it into a step of context.once(...)");
}

TEST_F(CrashEverywhere, OfARowThatHasChangedOnlyTheKeyAndWhatDiffersIsShown) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    context.write([&](TenantTransaction& transaction) {
      transaction.execute("update invoice set sent_times = sent_times + 1 where id = ?", job.invoice);
    });
  });
  EXPECT_EQ(report.differs_at, "after plain write number 1");
  EXPECT_THAT(report.text, HasSubstr("  table invoice of test\n"
                                     "    expected  {id: 7, sent_times: 1}\n"
                                     "    got       {id: 7, sent_times: 2}\n"));
}

TEST_F(CrashEverywhere, RowsWithoutAKeyAreComparedByHowOftenTheyAreThere) {
  const CrashReport report = report_of([](const SendInvoice&, JobContext& context) {
    context.write(
        [&](TenantTransaction& transaction) { transaction.execute("insert into note values ('sent')"); });
  });
  EXPECT_THAT(report.text,
              HasSubstr("  table note of test\n    expected  nothing\n    got       {text: 'sent'}\n"));
}

TEST_F(CrashEverywhere, APlainWriteThatMayBeRepeatedIsSafe) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    context.write([&](TenantTransaction& transaction) {
      transaction.execute("update invoice set sent_at = ? where id = ?", context.now(), job.invoice);
    });
  });
  EXPECT_TRUE(report) << report;
  EXPECT_THAT(report.steps, ElementsAre("plain write number 1", "the end of the run"));
  EXPECT_EQ(report.deaths, 4);
}

// The reference to the client is that of the world whose children perform.
TEST_F(CrashEverywhere, AnEnqueueByAClientIsNamedWithItsJob) {
  Client& kept = client();
  const CrashReport report = report_of([&](const SendInvoice& job, JobContext& context) {
    mark_sent(job, context);
    kept.enqueue(Remind{job.invoice, "paid?"}, {.run_in = std::chrono::hours{1}});
  });
  EXPECT_EQ(report.differs_at, "after enqueue number 1 by a client");
  EXPECT_THAT(report.text, HasSubstr("  jobs in the queue\n"
                                     "    expected  nothing\n"
                                     "    got       {kind: billing.remind, tenant: test, arguments: "
                                     "{\"invoice\":7,\"text\":\"paid?\"}, queue: mail, "
                                     "priority: 0, attempts_max: 10, due_in: 3600000000 us}\n"
                                     "Likely cause: an enqueue outside `once`"));
}

TEST_F(CrashEverywhere, ATransactionOfAClientIsAPlainWriteWithBookkeepingAroundIt) {
  Tenants& kept = tenants();
  const CrashReport report = report_of([&](const SendInvoice& job, JobContext&) {
    auto handle = kept.open_current();
    client().transaction(*handle, [&](JobTransaction& transaction) {
      transaction.enqueue(Remind{job.invoice, "paid?"});
    });
  });
  EXPECT_EQ(report.differs_at, "after plain write number 1");
  ASSERT_GT(report.steps.size(), 3U);
  EXPECT_EQ(report.steps[0], "bookkeeping number 1 of a client's transaction");
  EXPECT_EQ(report.steps[1], "plain write number 1");
  EXPECT_EQ(report.steps[2], "bookkeeping number 2 of a client's transaction");
}

TEST_F(CrashEverywhere, ANameOfAStepThatHoldsTheTimeIsNamed) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    mark_sent(job, context);
    const std::string step = "ledger " + std::to_string(to_us(context.now()) / 1'000'000);
    context.once(step, [&](JobTransaction& transaction) { add_to_ledger(transaction, job, "sent"); });
  });
  EXPECT_FALSE(report);
  EXPECT_EQ(report.differs_at, "the commit of once \"ledger 1700000000\"");
  EXPECT_EQ(report.deaths, 0);
  EXPECT_THAT(
      report.text,
      HasSubstr("  the commit of once \"ledger 1700000000\" of the whole run is the commit of once \"ledger "
                "1700000001\" in a run one second later.\n"));
}

TEST_F(CrashEverywhere, ANameOfAStepThatHoldsARandomNumberIsNamed) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    const std::string step = "ledger " + std::to_string(Random::seed_from_system());
    context.once(step, [&](JobTransaction& transaction) { add_to_ledger(transaction, job, "sent"); });
  });
  EXPECT_FALSE(report);
  EXPECT_THAT(report.differs_at, HasSubstr("the commit of once \"ledger "));
  EXPECT_THAT(report.text, HasSubstr("its steps are others in each run"));
}

constexpr int kPages = 3;

TEST_F(CrashEverywhere, ACursorThatIsSavedBeforeItsWorkIsNamedWithWhatIsMissing) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    for (int page = static_cast<int>(context.cursor().size()); page < kPages; ++page) {
      context.checkpoint(std::string(static_cast<std::size_t>(page) + 1, 'x'));
      const std::string text = "page " + std::to_string(page);
      context.once(text, [&](JobTransaction& transaction) { add_to_ledger(transaction, job, text); });
    }
  });
  EXPECT_EQ(report.differs_at, "after checkpoint 1");
  EXPECT_THAT(report.text,
              HasSubstr("  receipts of test\n    expected  {step: 'page 0'}\n    got       nothing\n"));
  EXPECT_THAT(report.text,
              HasSubstr("Likely cause: a cursor that is saved before its work is done: checkpoint 1"));
}

TEST_F(CrashEverywhere, ACursorThatIsSavedBehindItsWorkIsSafe) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    for (int page = static_cast<int>(context.cursor().size()); page < kPages; ++page) {
      context.progress(page, kPages);
      const std::string text = "page " + std::to_string(page);
      context.once(text, [&](JobTransaction& transaction) { add_to_ledger(transaction, job, text); });
      context.checkpoint(std::string(static_cast<std::size_t>(page) + 1, 'x'));
    }
  });
  EXPECT_TRUE(report) << report;
  EXPECT_THAT(
      report.steps,
      ElementsAre("the commit of once \"page 0\"", "checkpoint 1", "the commit of once \"page 1\"",
                  "checkpoint 2", "the commit of once \"page 2\"", "checkpoint 3", "the end of the run"));
  EXPECT_EQ(report.deaths, 14);
}

TEST_F(CrashEverywhere, WhatAStepLeavesInMemoryIsMissedBehindItsCommit) {
  const CrashReport report = report_of([](const SendInvoice& job, JobContext& context) {
    std::string number = "none";
    context.once("number it", [&](JobTransaction&) { number = "R-7"; });
    context.once("add to ledger",
                 [&](JobTransaction& transaction) { add_to_ledger(transaction, job, number); });
  });
  EXPECT_EQ(report.differs_at, "after the commit of once \"number it\"");
  EXPECT_THAT(report.text,
              HasSubstr("    expected  {id: 1, text: 'R-7'}\n    got       {id: 1, text: 'none'}\n"));
}

TEST_F(CrashEverywhere, ASecondRunThatFailsIsADifferenceOfTheJob) {
  const CrashReport report = report_of([](const SendInvoice&, JobContext& context) {
    context.write(
        [&](TenantTransaction& transaction) { transaction.execute("insert into invoice (id) values (9)"); });
  });
  EXPECT_EQ(report.differs_at, "after plain write number 1");
  EXPECT_THAT(report.text,
              HasSubstr("  the job\n    expected  {state: succeeded}\n    got       {state: scheduled, "));
  EXPECT_THAT(report.text, HasSubstr("UNIQUE constraint failed"));
}

TEST_F(CrashEverywhere, WhatIsLeftOutMayDiffer) {
  const Handler handler = [](const SendInvoice& job, JobContext& context) {
    context.once("add to ledger", [&](JobTransaction& transaction) {
      add_to_ledger(transaction, job, std::to_string(Random::seed_from_system()));
    });
  };
  const CrashReport report = report_of(handler);
  EXPECT_EQ(report.differs_at, "before the commit of once \"add to ledger\"");
  EXPECT_THAT(report.text, HasSubstr("a random number"));
  const CrashOptions without_text{.leave_out = {"ledger.text"}};
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}, without_text));
  EXPECT_THROW(static_cast<void>(crash_everywhere(SendInvoice{7}, {.leave_out = {"ledger.txet"}})),
               BadOptions);
}

TEST_F(CrashEverywhere, AStepThatIsNotComeToASecondTimeIsNamed) {
  const TemporaryFolder folder;
  const CrashReport report = report_of([&](const SendInvoice&, JobContext& context) {
    if (!std::filesystem::exists(folder / "here before")) context.write([](TenantTransaction&) {});
    std::ofstream(folder / "here before").flush();
  });
  EXPECT_FALSE(report);
  EXPECT_EQ(report.differs_at, "before the end of the run");
  EXPECT_THAT(
      report.text,
      HasSubstr(
          "a run that was to die before the end of the run did not come there, and ended after 1 steps"));
}

TEST_F(CrashEverywhere, OtherTenantsAreThereAndAreCompared) {
  with_tenants("acme", "bolt");
  jobs().add<SendInvoice>([&](const SendInvoice& job, JobContext& context) {
    mark_sent(job, context);
    with_tenant("bolt", AllowSwap{}, [&] {
      tenants().open_current()->write(
          [&](TenantTransaction& transaction) { add_to_ledger(transaction, job, "of acme"); });
    });
  });
  const CrashReport report = testing::crash_everywhere(world(), SendInvoice{7}, {.tenant = "acme"});
  EXPECT_EQ(report.differs_at, "after plain write number 1");
  EXPECT_THAT(report.text, HasSubstr("billing.send_invoice of acme is not safe"));
  EXPECT_THAT(report.text, HasSubstr("  table ledger of bolt\n    expected  nothing\n    got       {id: 2, "
                                     "invoice: 7, text: 'of acme'}\n"));
}

TEST_F(CrashEverywhere, AnUntenantedJobHasStepsToo) {
  jobs().add<SendInvoice>([&](const SendInvoice& job, JobContext&) {
    client().enqueue(Remind{job.invoice, "paid?"}, {.tenant = "test"});
  });
  const CrashReport report = testing::crash_everywhere(world(), SendInvoice{7}, {.untenanted = true});
  EXPECT_EQ(report.differs_at, "after enqueue number 1 by a client");
  EXPECT_THAT(report.text, HasSubstr("billing.send_invoice of no tenant is not safe"));
}

// A commit of the handler's own that is refused is no step, and those behind it are died at all the same.
TEST_F(CrashEverywhere, ACommitThatIsRefusedIsNoStep) {
  tenants().open_current()->write([](TenantTransaction& transaction) {
    transaction.execute(
        "create table line (invoice integer references invoice (id) deferrable initially deferred)");
  });
  bool is_careless = false;
  jobs().add<SendInvoice>([&](const SendInvoice& job, JobContext& context) {
    EXPECT_THROW(context.write([](TenantTransaction& transaction) {
      transaction.execute("insert into line (invoice) values (9)");
    }),
                 Error);
    mark_sent(job, context);
    if (is_careless) client().enqueue(Remind{job.invoice, "paid?"});
  });
  const CrashReport report = testing::crash_everywhere(world(), SendInvoice{7});
  EXPECT_TRUE(report) << report;
  EXPECT_THAT(report.steps, ElementsAre("the commit of once \"mark sent\"", "the end of the run"));
  EXPECT_EQ(report.deaths, 4);
  is_careless = true;
  const CrashReport of_careless = testing::crash_everywhere(world(), SendInvoice{7});
  EXPECT_EQ(of_careless.differs_at, "after enqueue number 1 by a client");
}

}  // namespace
}  // namespace tenure::testing
