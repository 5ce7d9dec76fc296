#include "bookkeeping_test.hpp"
#include "support/sqlite_steps.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

// What a claim costs, in steps of SQLite's machine, which are the same on every computer: of a store with few jobs and of one with many
// that wait, that wait for a time, and that have ended.
namespace tenure::testing {
namespace {

constexpr int kTenantsOfCost = 10;
constexpr int kFew = 1'000;

// TENURE_TEST_CLAIM_JOBS asks for more that wait, and that wait for a time, never for fewer; ten times as many have ended.
int many_waiting() {
  const char* asked = std::getenv("TENURE_TEST_CLAIM_JOBS");
  return std::max(20'000, asked == nullptr ? 0 : std::atoi(asked) / kFew * kFew);
}

// The base that comes first is there before the store opens its connections.
class ClaimCost : private SqliteSteps, public BookkeepingTest {
 protected:
  using SqliteSteps::steps;
  ClaimCost() : BookkeepingTest({}) {
    for (int tenant = 0; tenant < kTenantsOfCost; ++tenant) {
      const TenantName name{"tenant-" + std::to_string(tenant)};
      value_or_raise(store_.registry().activate(
          name, value_or_raise(store_.registry().begin_create(name, now_)).generation));
    }
  }

  // `count` more that are due so much later, by thousands; each with the key, or where that ends in '-' with one of its own.
  void enqueue(int count, std::chrono::hours later = {}, const std::string& key = {}) {
    for (int done = 0; done < count; done += kFew)
      written([&](StoreWriter& writer) {
        for (int i = 0; i < kFew; ++i) {
          NewJob job = new_job("a.one", now_ + later);
          job.tenant = TenantName{"tenant-" + std::to_string(i % kTenantsOfCost)};
          if (!key.empty())
            job.concurrency = {.key = key.ends_with('-') ? key + std::to_string(last_id_) : key,
                               .is_global = true};
          static_cast<void>(value_or_raise(writer.enqueue(job, now_)));
        }
        return true;
      });
    follow_pages();
  }
  // As a dispatcher that reads what comes.
  void follow_pages() {
    JobSeq last = written([](StoreWriter& writer) { return writer.reader().known_until(); });
    while (written([&](StoreWriter& writer) {
      const auto rows = writer.reader().arrivals(last, kFew);
      if (!rows.empty()) last = rows.back().seq;
      return !rows.empty();
    }))
      continue;
  }
  void finish(int count) {
    const auto lanes = written([](StoreWriter& writer) { return writer.reader().lanes(std::nullopt, 100); });
    for (int done = 0; done < count;)
      for (const Lane& lane : lanes) {
        const auto jobs = claim(lane, 100);
        ASSERT_FALSE(jobs.empty());
        done += static_cast<int>(jobs.size());
        written([&](StoreWriter& writer) {
          for (const ClaimedJob& job : jobs)
            value_or_raise(writer.finish_succeeded({job.seq, job.token}, now_));
          return true;
        });
      }
  }
  std::int64_t count_waiting_for_keys() {
    sqlite::Connection connection(path_, {});
    return connection.statement(kWaitForKeys).row().integer(0);
  }
  static constexpr sqlite::Query kWaitForKeys{"wait_for_keys",
                                              "select count(*) from blocked where reason = 11"};

  void tidy() {
    while (store_.tidy()) continue;
  }
  // A job's share of claims of 16, ten of each tenant.
  double steps_of_claim() {
    const auto lanes = written([](StoreWriter& writer) { return writer.reader().lanes(std::nullopt, 100); });
    EXPECT_EQ(lanes.size(), static_cast<std::size_t>(kTenantsOfCost));
    const std::int64_t before = steps();
    std::size_t claimed = 0;
    for (int round = 0; round < 5; ++round)
      for (const Lane& lane : lanes) claimed += claim(lane, 16).size();
    EXPECT_EQ(claimed, static_cast<std::size_t>(5 * kTenantsOfCost * 16));
    return static_cast<double>(steps() - before) / static_cast<double>(claimed);
  }
};

TEST_F(ClaimCost, CLM_08_ItIsAtMostTwiceAsMuchAmongMillionsAsAmongAThousand) {
  enqueue(kFew, std::chrono::hours{1});
  enqueue(2 * kFew);
  finish(kFew);
  tidy();
  const double few = steps_of_claim();
  const int many = many_waiting();
  enqueue(many, std::chrono::hours{1});
  enqueue(10 * many);
  finish(10 * many);
  enqueue(many);
  tidy();
  const double among_many = steps_of_claim();
  EXPECT_GT(few, 10);
  EXPECT_LE(among_many, 2 * few);
}

TEST_F(ClaimCost, LIM_04_TenThousandJobsThatWaitForOneKeyCostClaimsOfOtherKeysLittle) {
  enqueue(kFew, {}, "one-");
  const double alone = steps_of_claim();
  finish(kFew - 5 * kTenantsOfCost * 16);
  enqueue(kFew, {}, "hot");
  for (const Lane& lane :
       written([](StoreWriter& writer) { return writer.reader().lanes(std::nullopt, 100); }))
    static_cast<void>(claim(lane, 1));
  enqueue(10'000, {}, "hot");
  enqueue(kFew, {}, "other-");
  EXPECT_GE(count_waiting_for_keys(), 10'000);
  EXPECT_LE(steps_of_claim(), 2 * alone);
}

}  // namespace
}  // namespace tenure::testing
