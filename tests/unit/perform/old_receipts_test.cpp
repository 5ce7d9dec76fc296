#include "old_receipts.hpp"

#include "foreign_file.hpp"

#include <tenure/queue/receipt_time.hpp>

#include <algorithm>
#include <utility>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using detail::OldReceipts;
using queue::JobId;

class Receipts : public Bookkeeping {
 protected:
  Receipts() {
    jobs_.add<PayInvoice>([this](const PayInvoice&, JobContext& context) {
      for (int step = 0; step < steps_; ++step)
        context.once("step " + std::to_string(step),
                     [this](JobTransaction&) { return std::string(result_bytes_, 'x'); });
    });
  }

  // One job that does so many steps and succeeds.
  JobId perform_one(int steps = 1, std::optional<Uuid> id = {}) {
    steps_ = steps;
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}, {.id = id}); });
    const queue::ClaimedJob job = claim();
    EXPECT_EQ(perform(job), std::nullopt);
    store_->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.finish_succeeded({job.seq, job.token}, clock_.wall()));
    });
    return job.id;
  }
  // As the daemon says it beside each job.
  void say_horizon(JobId horizon) { performer_.receipt_horizon_is(kAcme, horizon); }
  // Jobs with receipts, in their order.
  std::vector<std::pair<std::string, std::int64_t>> receipts() {
    return with_tenant("acme", [&] {
      return tenants_.open_current()->read([](TenantReader& reader) {
        std::vector<std::pair<std::string, std::int64_t>> found;
        auto rows =
            reader.query("select hex(job_id), count(*) from tenure_receipts group by job_id order by job_id");
        while (rows.next()) found.emplace_back(rows.row().text(0), rows.row().integer(1));
        return found;
      });
    });
  }
  bool has_receipts(JobId job) {
    std::string hex = job.text();
    std::erase(hex, '-');
    std::ranges::transform(hex, hex.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    return std::ranges::any_of(receipts(), [&](const auto& row) { return row.first == hex; });
  }
  std::int64_t count() {
    std::int64_t all = 0;
    for (const auto& [job, steps] : receipts()) all += steps;
    return all;
  }
  static JobId id_of(std::uint8_t number) {
    Uuid::Bytes bytes{};
    bytes[0] = number;
    return JobId{Uuid{bytes}};
  }

  // What the only job fails with; nothing: it has succeeded.
  std::optional<ErrorCode> code_of_one() {
    steps_ = 1;
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    const auto failure = perform(claim());
    return failure ? std::optional{failure->code} : std::nullopt;
  }
  // As somebody does who goes past us.
  void edit(const std::string& sql) {
    handles_.close_idle();
    EXPECT_TRUE(Shell{handles_.files().path_for(TenantName{"acme"})}.run(sql));
  }

  static inline const queue::OutboxOwner kAcme{TenantName{"acme"}, Generation{1}};
  static inline const JobId kAboveAll = id_of(0xFF);
  int steps_ = 0;
  std::size_t result_bytes_ = 0;
};

TEST_F(Receipts, RUN_12_TheyGoWhenTheirJobRunsNoMoreAndTheyAreSevenDaysOld) {
  const JobId first = perform_one();
  clock_.advance(1h);
  const JobId may_run = perform_one();
  const JobId behind = perform_one();
  clock_.advance(queue::kReceiptsKeptFor - 1h);
  say_horizon(may_run);
  perform_one();
  EXPECT_TRUE(has_receipts(first)) << "not a moment too early";
  clock_.advance(OldReceipts::kAgainAfter);
  say_horizon(may_run);
  perform_one();
  EXPECT_FALSE(has_receipts(first));
  EXPECT_TRUE(has_receipts(may_run));
  EXPECT_TRUE(has_receipts(behind));
}

TEST_F(Receipts, WithoutAHorizonNoneGo) {
  perform_one();
  clock_.advance(std::chrono::years{1});
  perform_one();
  EXPECT_EQ(count(), 2);
}

TEST_F(Receipts, AHundredAreLookedAtInACommitAndAllInTheEnd) {
  perform_one(250);
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  say_horizon(kAboveAll);
  std::vector<std::int64_t> counts;
  for (int each = 0; each < 4; ++each) {
    perform_one();
    counts.push_back(count());
  }
  EXPECT_EQ(counts, (std::vector<std::int64_t>{151, 52, 3, 4})) << "each leaves one of its own";
}

// What is deleted is overwritten, too.
TEST_F(Receipts, OfLargeResultsFewerGoInACommit) {
  result_bytes_ = 60'000;
  perform_one(20);
  result_bytes_ = 0;
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  say_horizon(kAboveAll);
  std::vector<std::int64_t> counts;
  for (int each = 0; each < 5; ++each) {
    perform_one();
    counts.push_back(count());
  }
  EXPECT_EQ(counts, (std::vector<std::int64_t>{17, 14, 11, 8, 5})) << "each leaves one of its own";
}

TEST_F(Receipts, LargeResultsThatStayKeepNoneBehindThem) {
  const JobId old = perform_one(1, id_of(0x80).uuid);
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  result_bytes_ = 60'000;
  perform_one(20, id_of(0x10).uuid);
  say_horizon(kAboveAll);
  perform_one();
  EXPECT_FALSE(has_receipts(old));
}

// Ids that applications give are in no order of time.
TEST_F(Receipts, YoungOnesKeepNoneBehindThem) {
  const JobId old = perform_one(1, id_of(0x80).uuid);
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  const JobId young = perform_one(150, id_of(0x10).uuid);
  say_horizon(kAboveAll);
  perform_one();
  EXPECT_TRUE(has_receipts(old));
  perform_one();
  EXPECT_FALSE(has_receipts(old));
  EXPECT_TRUE(has_receipts(young));
}

TEST_F(Receipts, AFileThatWasLookedAtIsLeftAloneForAWhile) {
  const JobId first = perform_one();
  clock_.advance(queue::kReceiptsKeptFor);
  say_horizon(kAboveAll);
  perform_one();
  clock_.advance(OldReceipts::kAgainAfter - 1us);
  say_horizon(kAboveAll);
  perform_one();
  EXPECT_TRUE(has_receipts(first));
  clock_.advance(1us);
  perform_one();
  EXPECT_FALSE(has_receipts(first));
}

TEST_F(Receipts, AHorizonIsUsedForAnHour) {
  const JobId first = perform_one();
  clock_.advance(queue::kReceiptsKeptFor);
  say_horizon(kAboveAll);
  clock_.advance(OldReceipts::kHorizonUsedFor);
  perform_one();
  EXPECT_TRUE(has_receipts(first));
  say_horizon(kAboveAll);
  perform_one();
  EXPECT_FALSE(has_receipts(first));
}

TEST_F(Receipts, AClockThatWasPutForwardMakesNoneOld) {
  say_horizon(kAboveAll);
  const JobId first = perform_one();
  clock_.jump_wall(std::chrono::years{10});
  say_horizon(kAboveAll);
  perform_one();
  clock_.advance(queue::kReceiptsKeptFor - 1us);
  say_horizon(kAboveAll);
  perform_one();
  EXPECT_TRUE(has_receipts(first)) << "nobody knows how old it is";
  clock_.advance(1us);
  perform_one();
  EXPECT_FALSE(has_receipts(first)) << "now it is known";
}

TEST_F(Receipts, WhatWasRolledBackIsLookedAtAgain) {
  const JobId first = perform_one();
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  OldReceipts old{clock_};
  old.horizon_is(kAcme, kAboveAll);
  with_tenant("acme", [&] {
    HandleLease lease = tenants_.open_current();
    {
      TenantTransaction transaction = lease->begin();
      EXPECT_EQ(old.forget_some(transaction, kAcme)->forgotten, 1);
    }
    TenantTransaction transaction = lease->begin();
    const auto step = old.forget_some(transaction, kAcme);
    EXPECT_EQ(step->forgotten, 1);
    transaction.commit();
    old.committed(kAcme, *step);
    TenantTransaction later = lease->begin();
    EXPECT_FALSE(old.forget_some(later, kAcme).has_value());
  });
  EXPECT_FALSE(has_receipts(first));
}

// A tenant that was created again has a file of its own, and what was said of the former one says nothing of it.
TEST_F(Receipts, AHorizonIsOfOneGeneration) {
  const JobId first = perform_one();
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  performer_.receipt_horizon_is({TenantName{"acme"}, Generation{2}}, kAboveAll);
  performer_.receipt_horizon_is({TenantName{"bolt"}, Generation{1}}, kAboveAll);
  perform_one();
  EXPECT_TRUE(has_receipts(first));
}

TEST_F(Receipts, OneWithoutAnIdFailsTheRunThatComesToItAsADamagedDatabase) {
  perform_one(99);
  edit(
      "pragma ignore_check_constraints = on;"
      "insert into tenure_receipts values (x'808080808080808080808080808080', 'step 0', 1, 1, 0, null)");
  clock_.advance(queue::kReceiptsKeptFor + 1s);
  say_horizon(kAboveAll);
  EXPECT_EQ(code_of_one(), ErrorCode::database_damaged);
  EXPECT_EQ(count(), 100) << "nothing of that run is kept";
}

}  // namespace
}  // namespace tenure::testing
