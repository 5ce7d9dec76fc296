#include "support/temporary_folder.hpp"

#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/job_result.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <retention/eraser.hpp>
#include <string>
#include <vector>

// What an erased tenant has left in files.
namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::ClaimedJob;
using queue::StoreWriter;

namespace fs = std::filesystem;

const TenantName kMarked{"acme"};
const TenantName kBeside{"beta"};
const std::string kMarker = "MARK-OF-ACME";

// By the seed of what is done.
class ErasedTraces : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  ErasedTraces() {
    tenants_.create(kMarked);
    tenants_.create(kBeside);
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      incarnation_ = writer.open_incarnation(1000, "app-1", 1, clock_.wall());
    });
  }
  static std::string marked(std::size_t size) {
    std::string text;
    while (text.size() < size) text += kMarker;
    return text;
  }
  // Of all sizes, with keys and in a batch now and then.
  void enqueue(const TenantName& tenant, const std::string& text) {
    const std::size_t size = std::vector<std::size_t>{40, 700, 3900, 20'000}[random_.below(4)];
    std::string arguments = text;
    while (arguments.size() < size) arguments += text;
    queue::NewJob job{.id = queue::JobId{ids_.next(clock_.wall())},
                      .tenant = tenant,
                      .generation = {},
                      .queue = "default",
                      .kind = "a.b",
                      .priority = {},
                      .due = clock_.wall() + (random_.below(4) == 0 ? 1h : 0h),
                      .attempts_max = 3,
                      .arguments = "{\"note\":\"" + arguments + "\"}"};
    if (random_.below(4) == 0) job.unique = UniqueKey{.key = text + job.id.text()};
    if (random_.below(4) == 0) job.concurrency = ConcurrencyKey{.key = text, .running_max = 100};
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      ids_of_[tenant].push_back(value_or_raise(writer.enqueue(job, clock_.wall())).id);
    });
  }
  std::vector<ClaimedJob> claim(const TenantName& tenant, std::size_t count) {
    std::vector<ClaimedJob> jobs;
    const TenantNumber number = number_of(tenant);
    store_->write(queue::Durability::ordered, [&](StoreWriter& writer) {
      queue::LaneReader& reader = writer.reader();
      static_cast<void>(writer.promote(clock_.wall(), 100));
      jobs = writer
                 .claim({.queue = reader.queue_number("default").value(),
                         .priority = {},
                         .tenant = number,
                         .kinds = {{.kind = reader.kind_number("a.b").value(), .after = {}}},
                         .count = count,
                         .incarnation = incarnation_,
                         .first_counter = counter_,
                         .process = queue::ProcessNumber{1}},
                        clock_.wall())
                 .jobs;
      counter_ += static_cast<std::int64_t>(jobs.size());
    });
    return jobs;
  }
  TenantNumber number_of(const TenantName& tenant) { return store_->registry().find(tenant)->number; }

  // As runs end: well with a result, badly with an error, given back, and some tell of themselves before.
  void run_some(const TenantName& tenant, const std::string& text) {
    for (const ClaimedJob& job : claim(tenant, 4)) {
      const queue::ClaimRef ref{job.seq, job.token};
      const queue::AttemptFailure why{.code = ErrorCode::handler_failed, .error = text};
      store_->write(queue::Durability::ordered, [&](StoreWriter& writer) {
        switch (random_.below(4)) {
          case 0:
            value_or_raise(writer.finish_succeeded(ref, clock_.wall()));
            writer.keep_result(job.seq, {"\"" + text + "\"", 24h}, clock_.wall());
            break;
          case 1:
            value_or_raise(writer.finish(ref, queue::JobState::dead, queue::JobReason::permanent_error, why,
                                         clock_.wall()));
            break;
          case 2:
            value_or_raise(writer.release(ref, true, why, clock_.wall()));
            break;
          default:
            value_or_raise(writer.retry(ref, clock_.wall() + 1min, why, clock_.wall()));
        }
      });
      clock_.advance(2s);
    }
  }
  void end_all(const TenantName& tenant) {
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      for (const queue::JobId id : ids_of_[tenant])
        static_cast<void>(writer.cancel_by_operator(id, clock_.wall()));
    });
  }
  void remove(const TenantName& tenant) {
    const TenantNumber number = number_of(tenant);
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(writer.begin_deletion({.tenant = tenant}, clock_.wall()));
    });
    end_all(tenant);
    handles_.close_idle();
    const Burial burial = graveyard_.bury(tenant, Generation{1});
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      while (writer.end_batches_of(number, 100, clock_.wall()) > 0) continue;
      value_or_raise(
          writer.bury(number, {.size_bytes = burial.size_bytes(), .erase_at = clock_.wall() + 1h}));
    });
  }
  void open_batch(const TenantName& tenant, const std::string& text) {
    queue::NewBatch batch;
    batch.id = BatchId{ids_.next(clock_.wall())};
    batch.tenant = tenant;
    batch.name = text;
    queue::BatchCallback callback;
    callback.job = {.id = {},
                    .tenant = {},
                    .generation = {},
                    .queue = "default",
                    .kind = "a.b",
                    .priority = {},
                    .due = {},
                    .attempts_max = 1,
                    .arguments = "{\"note\":\"" + text + "\"}"};
    batch.on_complete = callback;
    store_->write(queue::Durability::durable,
                  [&](StoreWriter& writer) { value_or_raise(writer.batches().open(batch, clock_.wall())); });
  }
  // Files below the folder in which it stands.
  std::vector<std::string> files_with(const std::string& text) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in{entry.path(), std::ios::binary};
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      std::size_t count = 0;
      for (std::size_t at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) ++count;
      if (count > 0) found.push_back(entry.path().filename().string() + " " + std::to_string(count));
    }
    return found;
  }

  testing::TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ =
      queue::open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock_);
  HandleCache handles_{TenantFiles{folder_.path().string() + "/tenants/%{tenant}.db"},
                       {.application = "shop"}};
  Tenants tenants_{store_->registry(), handles_, clock_, {.application = "shop"}};
  Graveyard graveyard_{handles_.files(), "shop"};
  UuidGenerator ids_{7};
  Random random_{GetParam()};
  std::map<TenantName, std::vector<queue::JobId>> ids_of_;
  queue::Incarnation incarnation_;
  std::int64_t counter_ = 1;
};

TEST_P(ErasedTraces, REG_17_BehindItNothingOfItsDataPayloadsAndErrorsIsInAnyFile) {
  {
    const TenantScope scope{kMarked};
    tenants_.open(kMarked)->write([&](TenantTransaction& transaction) {
      transaction.execute("create table note(text)");
      transaction.execute("insert into note values ('" + marked(30'000) + "')");
    });
  }
  for (int round = 0; round < 60; ++round) {
    enqueue(kMarked, kMarker);
    enqueue(kBeside, "of-beta");
    if (round % 10 == 0) open_batch(kMarked, kMarker);
    if (round % 2 == 0) run_some(kMarked, kMarker + "-error");
    if (round % 3 == 0) run_some(kBeside, "error-of-beta");
    if (round % 7 == 0) clock_.advance(2h);
    static_cast<void>(store_->tidy());
    if (round % 3 == 0) store_->checkpoint(0);
  }
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    writer.note_migration(
        {.tenant = number_of(kMarked), .ended = clock_.wall(), .error = "not unique: " + kMarker});
  });
  EXPECT_FALSE(files_with(kMarker).empty());
  remove(kMarked);
  enqueue(kBeside, "of-beta");  // the newest of all
  const auto beside = files_with("of-beta");
  clock_.advance(2h);
  Eraser eraser(*store_, clock_, graveyard_);
  const TenantNumber number = number_of(kMarked);
  const auto is_erased = [&] {
    bool erased = false;
    store_->read([&](queue::JobReader& reader) {
      erased = reader.deletion(number)->step == queue::DeletionStep::erased;
    });
    return erased;
  };
  for (int steps = 0; steps < 1000 && !is_erased(); ++steps) clock_.advance(eraser.step());
  ASSERT_TRUE(is_erased());
  EXPECT_EQ(files_with(kMarker), std::vector<std::string>{});
  EXPECT_FALSE(files_with("of-beta").empty()) << "the other tenant's stays";
  std::vector<queue::DefectRecord> defects;
  store_->read([&](queue::JobReader& reader) { defects = reader.defects(queue::PageCheck::full); });
  EXPECT_TRUE(defects.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ErasedTraces, ::testing::Values(11, 12, 13));

}  // namespace
}  // namespace tenure::daemon
