#include "invoices.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/queue/store.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

// The processes of crash_everywhere: what they begin with, how they may end, and that the test's world does not notice.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class CrashRuns : public Invoices {
 protected:
  CrashReport report(const CrashOptions& options = {}) {
    return testing::crash_everywhere(world(), SendInvoice{7}, options);
  }
};

void count_invoices(JobContext& context) {
  context.once("count", [](JobTransaction& transaction) {
    transaction.execute("insert into ledger (invoice, text) select count(*), 'invoices' from invoice");
  });
}

TEST_F(CrashRuns, TheWorldOfTheTestStaysAsItIs) {
  int runs_here = 0;
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext& context) {
    ++runs_here;
    count_invoices(context);
    context.once("remind", [](JobTransaction& transaction) { transaction.enqueue(Remind{7, "paid?"}); });
  });
  client().enqueue(Remind{8, "before"});
  const WallTime before = clock().wall();
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}));
  EXPECT_EQ(runs_here, 0);
  EXPECT_EQ(clock().wall(), before);
  EXPECT_TRUE(enqueued<Remind>({.times = 1}));
  EXPECT_FALSE(enqueued<SendInvoice>());
  EXPECT_THAT(world().runs(), SizeIs(0));
  const auto rows = tenants().open_current()->read([](TenantReader& reader) {
    auto counts = reader.query("select count(*) from ledger");
    counts.next();
    return counts.row().integer(0);
  });
  EXPECT_EQ(rows, 0);
  client().enqueue(SendInvoice{8});
  EXPECT_EQ(drain({.kinds = {"billing.send_invoice"}}).succeeded(), 1U);
  EXPECT_EQ(runs_here, 1);
}

TEST_F(CrashRuns, RunsBeginWithTheRowsTenantsAndTimeOfTheWorld) {
  const TemporaryFolder folder;
  advance(1h);
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext& context) {
    const auto invoices = context.read([](TenantReader& reader) {
      auto count = reader.query("select count(*) from invoice");
      count.next();
      return count.row().integer(0);
    });
    std::ofstream(folder / "seen") << invoices << ' ' << to_us(context.now()) - to_us(clock().wall()) << ' '
                                   << context.attempt() << ' ' << context.tenant()->text();
    count_invoices(context);
  });
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}));
  std::string seen;
  std::getline(std::ifstream(folder / "seen"), seen);
  EXPECT_EQ(seen, "2 0 1 test");
}

TEST_F(CrashRuns, TheSecondRunIsBehindTheDeathOfTheDaemonWithItsClaim) {
  const TemporaryFolder folder;
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext& context) {
    world().store().read([&](queue::JobReader& reader) {
      reader.visit_jobs({}, {}, context.now(), [&](const queue::JobRecord& job) {
        std::ofstream(folder / "errors", std::ios::app) << name_of(job.state) << ", " << job.error << '\n';
        return true;
      });
    });
    count_invoices(context);
  });
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}));
  std::ifstream file(folder / "errors");
  const std::string errors{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  constexpr std::string_view kFirst = "running, \n";
  constexpr std::string_view kBehindDeath = "running, The daemon ended while it held this job.\n";
  std::string expected{kFirst};  // the whole run, and the one a second later
  expected += kFirst;
  // Before and after its one step, and before the run's end; behind that the job has ended.
  for (int death = 0; death < 3; ++death) expected.append(kFirst).append(kBehindDeath);
  expected += kFirst;
  EXPECT_EQ(errors, expected);
}

TEST_F(CrashRuns, ARunSeesTheFilesThatTheRunBeforeItHasLeftInTheWorldsFolder) {
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext& context) {
    const auto file = world().folder() / "sent";
    const bool is_there = std::filesystem::exists(file);
    std::ofstream(file).flush();
    context.once("add", [&](JobTransaction& transaction) {
      transaction.execute("insert into ledger (invoice, text) values (7, ?)", is_there ? "again" : "first");
    });
  });
  const CrashReport of_run = report();
  EXPECT_EQ(of_run.differs_at, "before the commit of once \"add\"");
  EXPECT_THAT(of_run.text, HasSubstr("memory or a file"));
  EXPECT_FALSE(std::filesystem::exists(world().folder() / "sent"));
}

TEST_F(CrashRuns, AJobThatFailsInItsWholeRunIsToldWithItsErrorAndNotTriedAgain) {
  const TemporaryFolder folder;
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext&) {
    std::ofstream(folder / "runs", std::ios::app) << "run\n";
    throw std::runtime_error("no route to host");
  });
  const CrashReport of_run = report();
  EXPECT_FALSE(of_run);
  EXPECT_EQ(of_run.text,
            "billing.send_invoice of test is not safe to repeat: its whole run has failed: "
            "billing.send_invoice of test, attempt 1: "
            "HandlerFailed: std::runtime_error: no route to host");
  EXPECT_EQ(std::filesystem::file_size(folder / "runs"), 4U);
}

TEST_F(CrashRuns, AJobThatNobodyPerformsIsNotSafe) {
  const CrashReport of_run = testing::crash_everywhere(world(), Remind{7, "paid?"});
  EXPECT_FALSE(of_run);
  EXPECT_THAT(of_run.text, HasSubstr("nobody performs it"));
}

TEST_F(CrashRuns, OfAJobWithMoreStepsThanItMayHaveNobodyDies) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext& context) { count_invoices(context); });
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}, {.steps_max = 2}));
  const CrashReport of_run = report({.steps_max = 1});
  EXPECT_FALSE(of_run);
  EXPECT_EQ(of_run.deaths, 0);
  EXPECT_THAT(of_run.text, HasSubstr("it has 2 durable steps, which are more than 1 (steps_max)"));
}

TEST_F(CrashRuns, AProcessThatEndsUnderItsHandlerIsToldWithWhatItHasPrinted) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext&) {
    std::puts("the printer is on fire");
    std::fflush(stdout);
    ::_exit(3);
  });
  const CrashReport of_run = report();
  EXPECT_FALSE(of_run);
  EXPECT_THAT(of_run.text,
              AllOf(HasSubstr("its whole run did not come to an end: its process ended by itself: exit 3\n"),
                    HasSubstr("It has printed:\nthe printer is on fire\n")));
}

TEST_F(CrashRuns, AProcessThatASignalEndsIsTold) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext&) { ::kill(::getpid(), SIGKILL); });
  EXPECT_THAT(report().text, HasSubstr("its process ended by itself: signal 9 (Killed)"));
}

TEST_F(CrashRuns, AProcessThatHasTheExitCodeOfADeathIsNoDeath) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext&) { ::_exit(86); });
  EXPECT_THAT(report().text, HasSubstr("its process ended by itself: exit 86"));
}

TEST_F(CrashRuns, AProcessThatHangsIsKilledWithinItsBound) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext&) {
    while (true) ::pause();
  });
  EXPECT_THAT(report({.run_max = 1s}).text, HasSubstr("its process was killed: it had not ended after 1 s"));
  EXPECT_THROW(static_cast<void>(report({.run_max = 0s})), BadOptions);
  EXPECT_THROW(static_cast<void>(report({.steps_max = 0})), BadOptions);
}

// In the first process it dies at its place.
TEST_F(CrashRuns, ASecondRunThatDoesNotComeToAnEndIsNamedByThePlaceOfTheDeath) {
  const TemporaryFolder folder;
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext& context) {
    bool is_second = false;
    context.read([&](TenantReader& reader) { is_second = reader.query("select 1 from ledger").next(); });
    if (is_second) ::_exit(4);
    count_invoices(context);
  });
  const CrashReport of_run = report();
  EXPECT_EQ(of_run.differs_at, "after the commit of once \"count\"");
  EXPECT_THAT(
      of_run.text,
      HasSubstr(
          "it died after the commit of once \"count\" (step 1 of 2), and its second run did not come to an "
          "end: its process ended by itself: exit 4"));
}

TEST_F(CrashRuns, FaultsThatTheTestHasAskedForWait) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext& context) { count_invoices(context); });
  const Fault gone = faults().tenant_gone(TenantName{kDefaultTenant});
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}));
  EXPECT_EQ(gone.fired(), 0);
  client().enqueue(SendInvoice{7});
  EXPECT_EQ(drain().failed(), 1U);
  EXPECT_EQ(gone.fired(), 1);
}

TEST_F(CrashRuns, AnOpenHandleIsRefused) {
  jobs().add<SendInvoice>([](const SendInvoice&, JobContext& context) { count_invoices(context); });
  {
    const auto handle = tenants().open_current();
    EXPECT_THROW(static_cast<void>(report()), BadConfiguration);
  }
  EXPECT_TRUE(crash_everywhere(SendInvoice{7}));
}

TEST_F(CrashRuns, AHandlerMayNotAskForIt) {
  jobs().add<SendInvoice>([&](const SendInvoice&, JobContext&) { static_cast<void>(report()); });
  client().enqueue(SendInvoice{7});
  const Runs runs = drain();
  ASSERT_EQ(runs.failed(), 1U);
  EXPECT_THAT(runs.front().text(), HasSubstr("std::logic_error"));
}

TEST_F(CrashRuns, WhatAnEnqueueRefusesIsThrown) {
  EXPECT_THROW(static_cast<void>(report({.tenant = "nobody"})), TenantSwapProhibited);
  with_tenants("acme");
  EXPECT_THROW(static_cast<void>(report()), NoTenant);
  EXPECT_THROW(static_cast<void>(report({.tenant = "nobody"})), TenantDoesNotExist);
}

}  // namespace
}  // namespace tenure::testing
