#include "support/shim_vfs.hpp"
#include "support/stepped_daemon.hpp"
#include "twice_killed.hpp"

#include <tenure/jobs/client.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cereal/cereal.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

// A process that dispatches and performs a fan-out, and the one that comes after it, are killed at each point, in the control database and in
// those of all tenants.
namespace tenure::testing {
namespace {

struct Mark {
  static constexpr std::string_view kind = "marks.mark";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};
struct AllMarked {
  static constexpr std::string_view kind = "marks.all_marked";
};

constexpr std::array kTenants{"acme", "bolt", "crab"};
const std::string kPaused = "doze";

// One process that dispatches and performs, over the real files of an application with four tenants, of which one is paused.
class FanOutProcess {
 public:
  explicit FanOutProcess(const std::filesystem::path& folder)
      : store_{queue::open_sqlite_store({.path = folder / "control.db", .create = true}, clock_)},
        handles_{TenantFiles{(folder / "tenants/%{tenant}.db").string()}, {}},
        tenants_{store_->registry(),
                 handles_,
                 clock_,
                 {.application = "marks",
                  .migrations = {{1, "0001_mark.sql", "create table mark (number integer)"}}}} {
    jobs_.add<Mark>([](const Mark& job, JobContext& context) {
      context.once("mark", [&](JobTransaction& transaction) {
        transaction.execute("insert into mark (number) values (?)", job.number);
      });
    });
    jobs_.add<AllMarked>([](const AllMarked&, JobContext&) {});
  }

  void make() {
    for (const char* const name : kTenants) tenants_.create(TenantName{name});
    tenants_.create(TenantName{kPaused});
    store_->write(Durability::durable, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.pause({.scope = queue::PauseScope::tenant, .name = kPaused}, clock_.wall()));
    });
    Client client{*store_, clock_, {.application = "marks"}};
    static_cast<void>(client.for_each_tenant(Mark{7}, {.rate = StartRate{.starts = 1},
                                                       .job = {.attempts_max = 1000},
                                                       .on_complete = AllMarked{},
                                                       .on_success = AllMarked{}}));
  }
  // From its start until all is done.
  void work() {
    daemon_.start();
    for (int idle = 0; idle < kIdleMax;) {
      const auto job = daemon_.next_assigned(1);
      if (!job) {
        if (is_done()) return;
        ++idle;
        continue;
      }
      queue::RunNotes notes{{job->seq, job->token}};
      daemon_.report(performer_.perform(assigned_job(*job), {}, notes));
      daemon_.carry_out_rounds();
      store_->sync();  // within 100 ms, as the store's thread does it
    }
    ADD_FAILURE() << "it never ends";
  }
  [[nodiscard]] queue::FanOutRecord fan_out() {
    std::optional<queue::FanOutRecord> found;
    store_->read([&](queue::JobReader& reader) {
      const auto all = reader.fan_outs().fan_outs({}, 2);
      EXPECT_EQ(all.size(), 1U);
      found = reader.fan_outs().fan_out(all.front().batch.id);
    });
    return found.value();
  }
  // Each tenant has its job and its effect once, the paused one has neither, and each callback has run once.
  void expect_all_once() {
    const queue::FanOutRecord record = fan_out();
    EXPECT_EQ(record.state(), queue::FanOutState::complete);
    EXPECT_EQ(record.batch.counts.succeeded, std::ssize(kTenants));
    EXPECT_EQ(record.batch.counts.members, std::ssize(kTenants));
    EXPECT_EQ(record.skips, (std::map<queue::FanOutSkip, std::int64_t>{{queue::FanOutSkip::paused, 1}}));
    std::map<std::string, int> jobs;
    store_->read([&](queue::JobReader& reader) {
      for (const queue::JobRecord& job : reader.list_jobs({}, {}, clock_.wall()).jobs) {
        EXPECT_EQ(queue::name_of(job.state), "succeeded");
        ++jobs[job.tenant ? job.tenant->text() : "none"];
      }
      EXPECT_TRUE(reader.fan_outs().miscounted_fan_outs(1).empty());
      EXPECT_TRUE(reader.batches().miscounted(1).empty());
    });
    EXPECT_EQ(jobs, (std::map<std::string, int>{{"acme", 1}, {"bolt", 1}, {"crab", 1}, {"none", 2}}));
    for (const char* const name : kTenants) EXPECT_EQ(marks_of(name), 1) << name;
    EXPECT_EQ(marks_of(kPaused), 0);
  }

 private:
  static constexpr int kIdleMax = 10'000;

  [[nodiscard]] bool is_done() {
    bool is_done = true;
    store_->read([&](queue::JobReader& reader) {
      const auto record = reader.fan_outs().fan_outs({}, 1).front();
      is_done = record.state() == queue::FanOutState::complete;
      for (const queue::JobRecord& job : reader.list_jobs({}, {}, clock_.wall()).jobs)
        is_done = is_done && job.finished.has_value();
    });
    return is_done;
  }
  [[nodiscard]] std::int64_t marks_of(std::string_view tenant) {
    const TenantScope scope{TenantName{tenant}};
    return tenants_.open_current()->read([](TenantReader& reader) {
      auto rows = reader.query("select count(*) from mark where number = 7");
      rows.next();
      return rows.row().integer(0);
    });
  }

  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_;
  HandleCache handles_;
  Tenants tenants_;
  JobRegistry jobs_;
  Performer performer_{jobs_, handles_, clock_, {.application = "marks"}};
  // By name, as a hello has them.
  SteppedDaemon daemon_{*store_, clock_, {std::string{AllMarked::kind}, std::string{Mark::kind}}};
};

class FanOutKills : public TwiceKilled<FanOutProcess> {
 protected:
  void look(const std::filesystem::path& at) {
    const ShimVfs shim(without_sync);
    FanOutProcess process{at};
    if (const auto record = process.fan_out(); !record.batch.completed) ++visited_[record.visited];
    process.work();
    process.expect_all_once();
  }

  std::map<std::int64_t, int> visited_;  // where the cursor stood behind kills
};

TEST_F(FanOutKills, FAN_02_AtEachPointTheCursorGoesOnAndNoTenantIsSkippedNorAnyEffectDoubled) {
  constexpr int kStride = 41;  // of the second kills, which begin elsewhere each time
  each_point(1, 1, [&](int point) {
    const bool is_killed = is_killed_at(point, original_, first_);
    if (is_killed && point % 7 == 0)
      each_point(1 + point % kStride, kStride, [&](int next) {
        const bool is_killed_again = is_killed_at(next, first_, second_);
        look(second_);
        return is_killed_again;
      });
    look(first_);
    return is_killed;
  });
  std::printf("kills=%d\n", kills_);
  for (const std::int64_t visited : {0, 1, 2, 3})
    EXPECT_GT(visited_[visited], 5) << "or the kills of this test do not hit: " << visited;
}

}  // namespace
}  // namespace tenure::testing
