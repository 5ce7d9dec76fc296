#include "sqlite/defects.hpp"
#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"
#include "unsynced_files.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

// A batch, against power cuts and kills before each write and sync of a process that claims and ends its members by ordered commits.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

constexpr int kMembers = 4;

Uuid numbered(std::uint8_t number) {
  Uuid::Bytes bytes{};
  bytes[15] = number;
  return Uuid{bytes};
}
const BatchId kBatch{numbered(200)};

class BatchClaimer {
 public:
  explicit BatchClaimer(const std::filesystem::path& path, bool create = false)
      : store_(open_sqlite_store({.path = path, .create = create}, clock_)) {}

  void prepare() {
    BatchCallback callback;
    callback.job = job_of_kind("report.send");
    store_->write(Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(writer.batches().open(
          {.id = kBatch, .name = "cut", .on_complete = callback, .on_success = callback}, clock_.wall()));
      for (std::uint8_t number = 1; number <= kMembers; ++number) {
        NewJob job = job_of_kind("import.file");
        job.id = JobId{numbered(number)};
        job.due = clock_.wall();
        job.batch = kBatch;
        static_cast<void>(value_or_raise(writer.enqueue(job, clock_.wall())));
      }
      value_or_raise(writer.batches().close(kBatch, clock_.wall()));
    });
  }
  void begin() {
    store_->write(Durability::durable, [&](StoreWriter& writer) {
      life_ = writer.open_incarnation(0, "node", 1, clock_.wall());
      while (!writer.reclaim_of_former_holders(life_, 100, clock_.wall()).empty()) continue;
    });
  }
  // Claims and ends all that there is, a member in each commit, and one of them by a release first.
  void work() {
    begin();
    bool has_released = false;
    for (auto claims = claim_all(); !claims.empty(); claims = claim_all())
      for (const ClaimRef& claim : claims)
        store_->write(Durability::ordered, [&](StoreWriter& writer) {
          if (!std::exchange(has_released, true))
            value_or_raise(writer.release(claim, true, {}, clock_.wall()));
          else value_or_raise(writer.finish_succeeded(claim, clock_.wall()));
        });
  }
  // Which is what a dispatcher acts on.
  [[nodiscard]] bool sees_callback() {
    bool is_there = false;
    store_->read([&](JobReader& reader) {
      is_there = reader.find_job(job_id_of_callback(kBatch, BatchMoment::success)).has_value();
    });
    return is_there;
  }
  void expect_one_of_each(const std::filesystem::path& path) {
    work();
    store_->read([&](JobReader& reader) {
      const auto jobs = reader.list_jobs({}, {}, clock_.wall()).jobs;
      EXPECT_EQ(jobs.size(), std::size_t{kMembers + 2});
      for (const JobRecord& job : jobs) EXPECT_EQ(name_of(job.state), "succeeded") << job.id.text();
      const BatchRecord batch = reader.batches().batch(kBatch).value();
      EXPECT_EQ(batch.counts, (BatchCounts{.members = kMembers, .present = kMembers, .succeeded = kMembers}));
      EXPECT_TRUE(batch.completed && batch.succeeded);
      EXPECT_TRUE(reader.batches().miscounted(1).empty());
    });
    sqlite::Connection connection{path, {}};
    for (const DefectRecord& defect : find_defects(connection, PageCheck::none))
      ADD_FAILURE() << name_of(defect.defect) << ": " << defect.example;
  }

 private:
  static NewJob job_of_kind(std::string kind) {
    NewJob job;
    job.queue = "default";
    job.kind = std::move(kind);
    job.attempts_max = 10;
    job.arguments = "{}";
    return job;
  }
  std::vector<ClaimRef> claim_all() {
    std::vector<ClaimRef> claims;
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      static_cast<void>(writer.take_lane_hints(100));
      for (auto page = writer.reader().arrivals(known_until_, 16); !page.empty();
           page = writer.reader().arrivals(known_until_, 16))
        known_until_ = page.back().seq;
      for (const Lane& lane : writer.reader().lanes(std::nullopt, 100)) {
        const auto reply = writer.claim({.queue = lane.queue,
                                         .priority = lane.priority,
                                         .tenant = lane.tenant,
                                         .kinds = {{lane.kind, std::nullopt}},
                                         .count = 16,
                                         .incarnation = life_,
                                         .first_counter = counter_,
                                         .process = ProcessNumber{1}},
                                        clock_.wall());
        counter_ += 16;
        for (const ClaimedJob& job : reply.jobs) claims.push_back({job.seq, job.token});
      }
    });
    return claims;
  }

  VirtualClock clock_;
  std::unique_ptr<Store> store_;
  Incarnation life_;
  JobSeq known_until_{0};
  std::int64_t counter_ = 1;
};

struct Cut {
  int event = 0;
  bool has_callback = false;  // somebody could have acted on it before
};

TEST(BatchPowerCuts, LIM_11_TheCommitOfTheLastEndMakesEachCallbackOnceAndOnDiskThroughCrashesAndPowerCuts) {
  constexpr std::array<UnsyncedFiles::Kept, 4> kKept{{{0, 0}, {1, 1}, {0.5, 0.5}, {0.8, 0.8}}};
  const TemporaryFolder folder;
  const auto now = folder / "now";
  const auto after = folder / "after";
  std::filesystem::create_directory(now);
  BatchClaimer{now / "control.db", true}.prepare();
  std::map<UnsyncedFiles::Image, Cut> cuts;
  bool is_acted_on = false;
  int events = 0;
  {
    UnsyncedFiles files{now};
    bool is_armed = false;
    const auto cut = [&] {
      for (const UnsyncedFiles::Kept& kept : kKept) {
        Cut& found = cuts.try_emplace(files.image(kept), Cut{events, false}).first->second;
        found.has_callback |= is_acted_on;
      }
    };
    const ShimVfs shim([&](const ShimVfs::Event& event) {
      if (event.call == ShimVfs::Call::read || event.call == ShimVfs::Call::unfetch) return 0;
      files.note(event);
      if (!is_armed) return 0;
      ++events;
      cut();
      return 0;
    });
    BatchClaimer process{now / "control.db"};
    is_armed = true;
    process.work();
    is_armed = false;
    // From here on no sync has come.
    is_acted_on = process.sees_callback();
    cut();
  }
  EXPECT_TRUE(is_acted_on);
  for (const auto& [image, cut] : cuts) {
    SCOPED_TRACE("event " + std::to_string(cut.event));
    UnsyncedFiles::put(image, after);
    BatchClaimer next{after / "control.db"};
    if (cut.has_callback) {
      EXPECT_TRUE(next.sees_callback()) << "it was undone when others had seen it";
    }
    next.expect_one_of_each(after / "control.db");
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("power cuts=%zu\n", cuts.size());
  EXPECT_GT(cuts.size(), 20U);
}

}  // namespace
}  // namespace tenure::testing
