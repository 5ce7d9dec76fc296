#pragma once

#include "sqlite/sqlite_store.hpp"
#include "store_suite.hpp"
#include "support/job_places.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <vector>

// A store in a file, used as the dispatcher does, with the limits that a test chooses.
namespace tenure::testing {

class BookkeepingTest : public ::testing::Test {
 protected:
  explicit BookkeepingTest(const BookkeepingLimits& limits) : limits_(limits) {}

  template <class Verb>
  auto written(Verb verb) {
    std::optional<std::invoke_result_t<Verb, StoreWriter&>> result;
    store_.write(Durability::ordered, [&](StoreWriter& writer) { result.emplace(verb(writer)); });
    return std::move(*result);
  }

  NewJob new_job(std::string_view kind, WallTime due) {
    NewJob job;
    Uuid::Bytes bytes{};
    ++last_id_;
    for (std::size_t byte = 0; byte < sizeof last_id_; ++byte)
      bytes[15 - byte] = static_cast<std::uint8_t>(last_id_ >> (8 * byte));
    job.id = JobId{Uuid{bytes}};
    job.queue = "default";
    job.kind = kind;
    job.due = due;
    job.attempts_max = 3;
    job.arguments = "{}";
    return job;
  }
  Enqueued put(std::string_view kind, WallTime due) {
    const NewJob job = new_job(kind, due);
    return written([&](StoreWriter& writer) { return value_or_raise(writer.enqueue(job, now_)); });
  }

  // Reads the tail row by row, so that memory fills up to its limit and no further.
  void follow() {
    JobSeq last{0};
    while (written([&](StoreWriter& writer) {
      const auto rows = writer.reader().arrivals(last, 1);
      if (!rows.empty()) last = rows.back().seq;
      return !rows.empty();
    }))
      continue;
  }

  void undo_something() {
    EXPECT_THROW(store_.write(Durability::ordered,
                              [](StoreWriter& writer) {
                                static_cast<void>(writer.reader().known_until());
                                throw std::runtime_error("undone");
                              }),
                 std::runtime_error);
  }

  std::vector<ClaimedJob> claim(const Lane& lane, std::size_t count) {
    ClaimRequest request{.queue = lane.queue, .priority = lane.priority, .tenant = lane.tenant};
    request.kinds = {{lane.kind, std::nullopt}};
    request.count = count;
    request.incarnation = kLife;
    request.first_counter = next_counter_;
    request.process = kProcess;
    next_counter_ += static_cast<std::int64_t>(count);
    return written([&](StoreWriter& writer) { return writer.claim(request, now_); }).jobs;
  }

  std::vector<std::string> misplaced() {
    sqlite::Connection connection(path_, {});
    return misplaced_jobs(connection);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  WallTime now_ = from_us(1'700'000'000'000'000);
  const BookkeepingLimits limits_;
  SqliteStore store_{SqliteStoreOptions{.path = path_, .create = true}, clock_, limits_};
  std::uint64_t last_id_ = 0;
  std::int64_t next_counter_ = 1;
};

}  // namespace tenure::testing
