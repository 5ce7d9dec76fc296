#pragma once

#include "outbox_world.hpp"
#include "support/stepped_daemon.hpp"

#include <tenure/jobs/perform.hpp>

#include <algorithm>
#include <outbox/outbox_sweep.hpp>
#include <receipts.hpp>

// One process that dispatches and performs, over the real files of an application with one tenant. Two jobs pay an invoice each, in a step
// of `once`; the first one enqueues two jobs there, so that its finish is durable with them, and the other one's is not.
namespace tenure::testing {

struct PayOnce {
  static constexpr std::string_view kind = "books.pay_once";
  int invoice = 0;
  int enqueues = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice), CEREAL_NVP(enqueues));
  }
};

class OnceProcess : public OutboxProcess {
 public:
  explicit OnceProcess(const std::filesystem::path& folder)
      : OutboxProcess{folder},
        sweep_{*store,
               clock,
               TenantFiles{(folder / "tenants/%{tenant}.db").string()},
               {.application = "books"},
               [] {}} {
    jobs_.add<PayOnce>([](const PayOnce& job, JobContext& context) {
      context.once("pay", [&](JobTransaction& transaction) {
        transaction.execute("update invoice set paid = paid + 1 where id = ?", job.invoice);
        for (int number = 1; number <= job.enqueues; ++number) transaction.enqueue(AfterPayment{number});
      });
    });
  }

  void make() {
    make_tenant();
    in_acme([](TenantHandle& handle) {
      handle.write([](TenantTransaction& transaction) {
        transaction.execute("insert into invoice (id, paid) values (2, 0)");
      });
    });
    const TenantScope scope{kAcmeOfBooks};
    client.enqueue(PayOnce{.invoice = 1, .enqueues = 2}, {.attempts_max = 1000});
    client.enqueue(PayOnce{.invoice = 2}, {.attempts_max = 1000});
  }
  // What a daemon and its worker process do, from their start until all is done: claim, perform, report, one round with rows and end, and
  // the rows are deleted that it has acknowledged.
  void work() {
    daemon_.start();
    while (true) {
      static_cast<void>(sweep_.pass());
      const auto job = daemon_.next_assigned(is_done() ? 0 : kWakesMax);
      if (!job) return;
      perform(*job);
    }
  }
  // Performs the first job; and of the second one commits what its run does in its step, without the sync: as a process leaves it that is
  // killed there. Nobody syncs for the sake of rows then.
  void pay_without_sync() {
    daemon_.start();
    const auto first = daemon_.next_assigned(kWakesMax);
    ASSERT_TRUE(first.has_value());
    perform(*first);
    const auto job = daemon_.next_assigned(kWakesMax);
    ASSERT_TRUE(job.has_value());
    in_acme([&](TenantHandle& handle) {
      TenantTransaction transaction = handle.begin();
      transaction.execute("update invoice set paid = paid + 1 where id = 2");
      write_receipt(transaction, job->id, job->token, "pay", "", clock.wall());
      transaction.commit_ordered();
    });
  }
  // How many of the two have succeeded.
  [[nodiscard]] int succeeded() {
    return static_cast<int>(std::ranges::count_if(jobs_in(*store), [](const queue::JobRecord& job) {
      return job.kind == PayOnce::kind && job.state == queue::ShownState::succeeded;
    }));
  }
  [[nodiscard]] bool is_done() { return succeeded() == 2; }
  // Of each that has succeeded: what it has done is there.
  void expect_effects_of_succeeded() {
    for (const queue::JobRecord& job : jobs_in(*store)) {
      if (job.kind != PayOnce::kind || job.state != queue::ShownState::succeeded) continue;
      const bool is_first = job.id == first_job();
      EXPECT_EQ(paid(is_first ? 1 : 2), 1) << "succeeded, and its effect is gone";
      if (is_first) {
        EXPECT_EQ(enqueued().size(), 2U) << "succeeded, and its jobs are gone";
      }
    }
  }
  [[nodiscard]] std::int64_t paid(int invoice) {
    return in_acme([&](TenantHandle& handle) {
      return handle.read([&](TenantReader& reader) {
        auto rows = reader.query("select paid from invoice where id = ?", invoice);
        rows.next();
        return rows.row().integer(0);
      });
    });
  }
  // What the first job has enqueued, as it is in the queue.
  [[nodiscard]] std::vector<std::string> enqueued() {
    std::vector<std::string> found = jobs();
    std::erase_if(
        found, [](const std::string& arguments) { return arguments.find("invoice") != std::string::npos; });
    return found;
  }
  // Rows of the outbox that nobody has taken over; others may stay where nobody lived to be told, and are passed over.
  [[nodiscard]] bool has_untaken_rows() {
    queue::OutboxSeq watermark;
    store->read([&](queue::JobReader& reader) { watermark = reader.outbox_watermark(kOwnerOfBooks); });
    return std::ranges::any_of(rows().rows.rows,
                               [&](const queue::OutboxRow& row) { return row.seq > watermark; });
  }

 private:
  static constexpr int kWakesMax = 1000;

  void perform(const queue::ClaimedJob& job) {
    queue::RunNotes notes{{job.seq, job.token}};
    daemon_.report(performer_.perform(assigned_job(job), {}, notes));
    daemon_.carry_out_rounds();
    store->sync();  // within 100 ms, as the store's thread does it
    for (const auto& told : daemon_.take_acknowledged()) performer_.clear_outbox(told.owner, told.watermark);
  }

  [[nodiscard]] queue::JobId first_job() { return jobs_in(*store).front().id; }

  JobRegistry jobs_;
  Performer performer_{jobs_, handles, clock, {.application = "books"}};
  daemon::OutboxSweep sweep_;
  SteppedDaemon daemon_{*store, clock, {std::string{PayOnce::kind}}};
};

// When all that is left to do has been done: the effect and the jobs that it enqueued are there once.
inline void expect_once(const std::filesystem::path& folder) {
  OnceProcess process{folder};
  process.work();
  EXPECT_TRUE(process.is_done());
  EXPECT_EQ(process.paid(1), 1);
  EXPECT_EQ(process.paid(2), 1);
  EXPECT_EQ(process.enqueued(), (std::vector<std::string>{R"({"number":1})", R"({"number":2})"}));
  EXPECT_FALSE(process.has_untaken_rows());
}

}  // namespace tenure::testing
