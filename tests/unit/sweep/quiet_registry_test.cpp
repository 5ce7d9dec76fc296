#include "shop.hpp"
#include "support/outboxes.hpp"
#include "support/stepped_daemon.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/schedule.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <cereal/cereal.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <outbox/outbox_sweep.hpp>
#include <retention/eraser.hpp>
#include <retention/pruner.hpp>
#include <stdexcept>
#include <string>
#include <vector>

// What the registry has is what operators have said of tenants: work leaves it as it is.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array kShops{"acme", "bolt", "corvid"};

struct DayJob {
  static constexpr std::string_view kind = "shop.day_job";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};
struct DayChild {
  static constexpr std::string_view kind = "shop.day_child";
};

// A day of an application's, a daemon's and a worker process's work over a control database in a file, on virtual time.
class QuietRegistry : public ::testing::Test {
 protected:
  QuietRegistry() {
    for (const char* const shop : kShops) tenants_.create(TenantName{shop});
    jobs_.add<DayJob>([this](const DayJob& job, JobContext& context) {
      context.once("sell", [&](JobTransaction& transaction) {
        transaction.execute("insert into invoice(total) values (?)", job.number);
        transaction.enqueue(DayChild{});
      });
      if (job.number % 5 == 0 && context.attempt() == 1) throw std::runtime_error("out of paper");
      ++sold_;
    });
    jobs_.add<DayChild>([](const DayChild&, JobContext&) {});
    store_->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.schedules().add({.name = "hourly",
                                                               .kind = std::string{DayChild::kind},
                                                               .rule = {.every = 1h},
                                                               .scope = queue::ScheduleScope::each_tenant},
                                                              clock_.wall())));
      static_cast<void>(
          value_or_raise(writer.set_limit({.name = "sales",
                                           .target = queue::LimitTarget{.kind = std::string{DayJob::kind}},
                                           .bounds = {.running = 1}},
                                          clock_.wall())));
    });
  }

  // Every column of every row, as SQLite has them.
  std::string rows_of_registry() {
    std::string text;  // lives as long as its statement
    sqlite::Connection connection{folder_ / "control.db", {.access = sqlite::Access::read_only}};
    auto column = connection.statement(kColumns);
    while (column.step())
      text += (text.empty() ? "quote(" : " || ',' || quote(") + std::string{column.text(0)} + ')';
    text = "select group_concat(row, x'0a') from (select " + text + " as row from tenant order by number)";
    return std::string{connection.statement({"rows_of_registry", text}).row().text(0)};
  }

  void an_hour_of_the_application() {
    for (const char* const shop : kShops)
      with_tenant(shop, [&] {
        client_.enqueue(DayJob{++number_});
        client_.enqueue(DayJob{++number_}, {.run_in = 5min, .unique = UniqueKey{.key = shop}});
        static_cast<void>(client_.cancel(client_.enqueue(DayChild{}, {.run_in = 10h})));
        client_.transaction(*tenants_.open_current(), [](JobTransaction& transaction) {
          transaction.execute("insert into invoice(total) values (0)");
          transaction.enqueue(DayChild{});
        });
        client_.enqueue_batch({.name = "hour", .on_complete = DayChild{}},
                              [](BatchJobs& jobs) { jobs.enqueue(DayChild{}); });
      });
  }
  void an_hour_of_the_daemon(SteppedDaemon& daemon) {
    const WallTime end = clock_.wall() + 1h;
    while (clock_.wall() < end) {
      while (const auto job = daemon.next_assigned(100)) {
        queue::RunNotes notes{{job->seq, job->token}};
        daemon.report(performer_.perform(assigned_job(*job), {}, notes));
        daemon.carry_out_rounds();
        for (const auto& told : daemon.take_acknowledged())
          performer_.clear_outbox(told.owner, told.watermark);
        ++runs_;
      }
      static_cast<void>(sweep_.pass());
      static_cast<void>(pruner_.step());
      static_cast<void>(eraser_.step());
      static_cast<void>(store_->tidy());
      clock_.advance(10min);
    }
    store_->checkpoint(0);
  }
  std::int64_t count(queue::ShownState state) {
    return std::ranges::count(jobs_in(*store_), state, &queue::JobRecord::state);
  }

  static constexpr sqlite::Query kColumns{"columns_of_registry",
                                          "select name from pragma_table_info('tenant') order by cid"};

  TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ =
      queue::open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock_);
  HandleCache handles_{files_in(folder_.path()), {.application = "shop"}};
  Tenants tenants_{
      store_->registry(), handles_, clock_, {.application = "shop", .migrations = shop_migrations()}};
  Client client_{*store_, tenants_, clock_, {.application = "shop"}};
  JobRegistry jobs_;
  Performer performer_{jobs_, handles_, clock_, {.application = "shop"}};
  daemon::OutboxSweep sweep_{*store_, clock_, files_in(folder_.path()), {.application = "shop"}, [] {}};
  daemon::Pruner pruner_{*store_, clock_, queue::Retention{.succeeded = 1h}, [](const queue::Pruned&) {}};
  daemon::Eraser eraser_{*store_, clock_, Graveyard{files_in(folder_.path()), "shop"}};
  int number_ = 0;
  int sold_ = 0;
  int runs_ = 0;
};

TEST_F(QuietRegistry, REG_26_ADayOfNormalWorkChangesNoRowOfIt) {
  const std::string before = rows_of_registry();
  EXPECT_EQ(std::ranges::count(before, '\n'), 3) << before;
  const WallTime begun = clock_.wall();
  for (int half = 0; half < 2; ++half) {  // and a daemon that is started anew
    SteppedDaemon daemon{*store_, clock_, {std::string{DayChild::kind}, std::string{DayJob::kind}}};
    daemon.start();
    for (int hour = 0; hour < 12; ++hour) {
      an_hour_of_the_application();
      an_hour_of_the_daemon(daemon);
      ASSERT_EQ(rows_of_registry(), before) << hour;
    }
  }
  EXPECT_GE(clock_.wall() - begun, 24h);
  // It was a day of work: each sale was made, some at the second attempt, with what comes of it.
  EXPECT_EQ(sold_, 24 * 3 * 2);
  EXPECT_GT(runs_, 24 * 3 * 7);
  EXPECT_EQ(count(queue::ShownState::cancelled), 24 * 3);
  EXPECT_GT(pruner_.pruned().total(), 0);
}

}  // namespace
}  // namespace tenure::testing
