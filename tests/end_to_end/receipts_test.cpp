#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <chrono>
#include <csignal>
#include <string>

namespace tenure::testing {
namespace {

using queue::JobId;
using queue::ShownState;
using sqlite::Query;

constexpr Query kAgeReceipts{"age_receipts", "update tenure_receipts set written_us = written_us - ?1"};
constexpr Query kPutReceipt{"put_receipt", R"sql(
  insert into tenure_receipts (job_id, step, incarnation, counter, written_us) values (?1, 'count', 1, 1, ?2))sql"};
constexpr Query kHasReceipt{"has_receipt", "select 1 from tenure_receipts where job_id = ?1"};

std::span<const std::byte> bytes_of(const JobId& job) { return std::as_bytes(std::span{job.uuid.bytes()}); }

class ReceiptsTest : public Installation {
 protected:
  JobId done(const std::string& name) {
    let_go(name);
    const JobId job = enqueue(Wait{.name = name});
    expect_state(job, ShownState::succeeded);
    return job;
  }
  bool has_receipt(JobId job) {
    sqlite::Connection connection{database_, {}};
    return connection.statement(kHasReceipt).bind(bytes_of(job)).step();
  }
  void write(FunctionRef<void(sqlite::Connection&)> work) {
    sqlite::Connection connection{database_, {}};
    sqlite::WriteTransaction transaction{connection};
    work(connection);
    transaction.commit();
  }
  void stop(Process& daemon) {
    daemon.signal(SIGTERM);
    ASSERT_EQ(daemon.wait(), "exit 0") << daemon.output();
  }

  const std::filesystem::path database_ = folder_ / "tenants/acme.db";
};

// What was written then is what a clock that has gone on shows: nobody sleeps for a week.
TEST_F(ReceiptsTest, RUN_12_ThoseOfJobsThatRunNoMoreGoAfterSevenDaysAndAnUnfinishedJobMeetsItsOwn) {
  configure();
  auto daemon = start_daemon();
  const JobId before = done("before");
  const JobId waits = enqueue(Wait{.name = "waits"}, {.run_in = std::chrono::hours{1}});
  const JobId behind = done("behind");
  stop(*daemon);
  write([&](sqlite::Connection& connection) {
    connection.statement(kPutReceipt).bind(bytes_of(waits), to_us(record(waits).created)).run();
    connection.statement(kAgeReceipts)
        .bind(std::chrono::microseconds{std::chrono::hours{24 * 8}}.count())
        .run();
  });

  daemon = start_daemon();
  int later = 0;
  EXPECT_TRUE(wait_until([&] {
    done("later-" + std::to_string(++later));
    return !has_receipt(before);
  })) << daemon->output();
  EXPECT_TRUE(has_receipt(behind)) << "the horizon is the job that waits";
  EXPECT_TRUE(has_receipt(waits));
  let_go("waits");
  EXPECT_EQ(tenure({"job", "run", waits.text()}), "exit 0") << output_;
  expect_state(waits, ShownState::succeeded);
  EXPECT_EQ(runs_of("waits"), 0) << "its step was done eight days ago";
  EXPECT_EQ(runs_of("before"), 1);
  stop(*daemon);
}

}  // namespace
}  // namespace tenure::testing
