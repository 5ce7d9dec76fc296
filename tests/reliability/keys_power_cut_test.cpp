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

// Jobs that wait for their concurrency key, against power cuts and kills before each write and sync of a process that claims and ends.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

constexpr int kKeyedJobs = 5;
constexpr int kRunningOfBooks = 2;

class KeyClaimer {
 public:
  explicit KeyClaimer(const std::filesystem::path& path, bool create = false)
      : store_(open_sqlite_store({.path = path, .create = create}, clock_)) {}

  void prepare() {
    store_->write(Durability::durable, [&](StoreWriter& writer) {
      for (std::uint8_t number = 1; number <= kKeyedJobs; ++number) {
        Uuid::Bytes bytes{};
        bytes[15] = number;
        NewJob job{.id = JobId{Uuid{bytes}},
                   .queue = "default",
                   .kind = "billing.close",
                   .due = clock_.wall(),
                   .attempts_max = 10,
                   .arguments = "{}"};
        job.concurrency = ConcurrencyKey{"books", kRunningOfBooks, number % 2 == 0};
        if (number % 2 == 0) job.concurrency->running_max = 1;
        static_cast<void>(value_or_raise(writer.enqueue(job, clock_.wall())));
      }
    });
  }
  void begin() {
    store_->write(Durability::durable, [&](StoreWriter& writer) {
      life_ = writer.open_incarnation(0, "node", 1, clock_.wall());
      while (!writer.reclaim_of_former_holders(life_, 100, clock_.wall()).empty()) continue;
    });
  }
  // One way of each to leave a key, by ordered commits, and a durable one now and then.
  void work() {
    begin();
    for (int round = 0; round < 3; ++round) {
      const auto claims = claim_all();
      store_->write(round == 1 ? Durability::durable : Durability::ordered, [&](StoreWriter& writer) {
        for (std::size_t claim = 0; claim < claims.size(); ++claim)
          if ((claim + static_cast<std::size_t>(round)) % 3 == 2)
            value_or_raise(writer.release(claims[claim], true, {}, clock_.wall()));
          else value_or_raise(writer.finish_succeeded(claims[claim], clock_.wall()));
      });
    }
  }
  // What stood in its line when the power went comes out of it.
  void expect_all_end(const std::filesystem::path& path) {
    begin();
    for (int round = 0; round < 2 * kKeyedJobs; ++round) {
      const auto claims = claim_all();
      store_->write(Durability::ordered, [&](StoreWriter& writer) {
        for (const ClaimRef& claim : claims) value_or_raise(writer.finish_succeeded(claim, clock_.wall()));
      });
    }
    store_->read([&](JobReader& reader) {
      const auto jobs = reader.list_jobs({}, {}, clock_.wall()).jobs;
      EXPECT_EQ(jobs.size(), std::size_t{kKeyedJobs});
      for (const JobRecord& job : jobs) EXPECT_EQ(name_of(job.state), "succeeded") << job.id.text();
    });
    sqlite::Connection connection{path, {}};
    for (const DefectRecord& defect : find_defects(connection, PageCheck::none))
      ADD_FAILURE() << name_of(defect.defect) << ": " << defect.example;
  }

 private:
  std::vector<ClaimRef> claim_all() {
    std::vector<ClaimRef> claims;
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
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
    EXPECT_LE(claims.size(), std::size_t{kRunningOfBooks + 1}) << "two of one key and one of the other";
    return claims;
  }

  VirtualClock clock_;
  std::unique_ptr<Store> store_;
  Incarnation life_;
  JobSeq known_until_{0};
  std::int64_t counter_ = 1;
};

TEST(KeysPowerCuts, LIM_17_WhoWaitsForAKeyIsLetInByTheCommitThatFreesItThroughCrashesAndPowerCuts) {
  constexpr std::array<UnsyncedFiles::Kept, 4> kKept{{{0, 0}, {1, 1}, {0.5, 0.5}, {0.8, 0.8}}};
  const TemporaryFolder folder;
  const auto now = folder / "now";
  const auto after = folder / "after";
  std::filesystem::create_directory(now);
  KeyClaimer{now / "control.db", true}.prepare();
  std::map<UnsyncedFiles::Image, int> cuts;
  {
    UnsyncedFiles files{now};
    bool is_armed = false;
    int events = 0;
    const ShimVfs shim([&](const ShimVfs::Event& event) {
      if (event.call == ShimVfs::Call::read || event.call == ShimVfs::Call::unfetch) return 0;
      files.note(event);
      if (!is_armed) return 0;
      ++events;
      for (const UnsyncedFiles::Kept& kept : kKept) cuts.try_emplace(files.image(kept), events);
      return 0;
    });
    KeyClaimer process{now / "control.db"};
    is_armed = true;
    process.work();
    for (const UnsyncedFiles::Kept& kept : kKept) cuts.try_emplace(files.image(kept), ++events);
    is_armed = false;
  }
  for (const auto& [image, event] : cuts) {
    SCOPED_TRACE("event " + std::to_string(event));
    UnsyncedFiles::put(image, after);
    KeyClaimer{after / "control.db"}.expect_all_end(after / "control.db");
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("power cuts=%zu\n", cuts.size());
  EXPECT_GT(cuts.size(), 20U);
}

}  // namespace
}  // namespace tenure::testing
