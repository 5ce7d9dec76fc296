#include "simulated.hpp"

#include <tenure/base/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

// How often worker processes open tenants' databases, by the real plan: which job goes to which process, and in which order.
namespace tenure::daemon {
namespace {

constexpr int kZipfTenants = 10'000;
constexpr std::size_t kHandles = 500;

// TENURE_TEST_AFFINITY_JOBS asks for more, never for fewer.
int zipf_jobs() {
  const char* asked = std::getenv("TENURE_TEST_AFFINITY_JOBS");
  return std::max(40'000, asked == nullptr ? 0 : std::atoi(asked));
}

// The nth tenant gets 1/n of what the first one gets.
class ZipfTenants {
 public:
  explicit ZipfTenants(std::uint64_t seed) : random_(seed) {
    double sum = 0;
    for (int tenant = 1; tenant <= kZipfTenants; ++tenant) sums_.push_back(sum += 1.0 / tenant);
  }
  std::string next() {
    constexpr std::uint64_t kSteps = 1'000'000'000;
    const double at = static_cast<double>(random_.below(kSteps)) / kSteps * sums_.back();
    return name(static_cast<int>(std::ranges::upper_bound(sums_, at) - sums_.begin()));
  }
  static std::string name(int tenant) { return "t" + std::to_string(tenant); }

 private:
  Random random_;
  std::vector<double> sums_;
};

// As HandleCache: the database that was used least lately is closed for another one.
class PlayedHandles {
 public:
  // Whether it had to be opened.
  bool use(const std::string& tenant) {
    const auto found = places_.find(tenant);
    if (found != places_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return false;
    }
    order_.push_front(tenant);
    places_[tenant] = order_.begin();
    if (order_.size() > kHandles) {
      places_.erase(order_.back());
      order_.pop_back();
    }
    return true;
  }

 private:
  std::list<std::string> order_;
  std::unordered_map<std::string, std::list<std::string>::iterator> places_;
};

class ZipfLoad {
 public:
  ZipfLoad(int processes, int slots, std::chrono::microseconds run_time)
      : sim_(options(processes, slots, run_time)) {
    for (int tenant = 0; tenant < kZipfTenants; ++tenant) sim_->create_tenant(ZipfTenants::name(tenant));
  }
  // All there before the first claim.
  void drain(int jobs) {
    for (int job = 0; job < jobs; ++job) (void)sim_->enqueue({.tenant = tenants_.next()}, false);
    sim_->start();
    ASSERT_TRUE(sim_.drains(1h));
  }
  // They come one by one.
  void sustain(int jobs, std::chrono::microseconds apart) {
    sim_->start();
    sim_->run_for(1s);
    for (int job = 0; job < jobs; ++job) {
      (void)sim_->enqueue({.tenant = tenants_.next()});
      sim_->run_for(apart);
    }
    ASSERT_TRUE(sim_.drains(1h));
  }
  // From the start of that number on, when the processes have what they can keep.
  double opens_per_job(std::size_t warm = 0) const {
    std::map<ProcessNumber, PlayedHandles> processes;
    std::int64_t opened = 0;
    std::size_t at = 0;
    for (const simulation::Start& start : sim_.world.starts) {
      const bool is_opened = processes[start.process].use(start.tenant);
      if (at++ >= warm && is_opened) ++opened;
    }
    return static_cast<double>(opened) / static_cast<double>(at - warm);
  }

 private:
  static simulation::Options options(int processes, int slots, std::chrono::microseconds run_time) {
    auto options = one_pool(processes, slots);
    options.journal_bytes = 0;
    options.perform = [run_time](const queue::ClaimedJob&) {
      return simulation::Performance{.run_time = run_time};
    };
    return options;
  }
  ZipfTenants tenants_{1};
  Simulated sim_;
};

// Two processes, as a pool has by default, each with a cache of 500. By a single cache of that size a load of such tenants that come one by
// one would need 0.41, and so do two where they have hardly a free slot between them, since no slot idles for the sake of a file.
TEST(Affinity, CLM_16_TenThousandTenantsWithAZipfLoadOpenAtMostAThirdOfADatabaseAJob) {
  ZipfLoad filled(2, 8, 1ms);
  filled.drain(zipf_jobs());
  EXPECT_LE(filled.opens_per_job(), 0.35);
  EXPECT_GT(filled.opens_per_job(), 0.05);
  for (const int percent : {10, 50}) {  // of what the slots can perform
    ZipfLoad load(2, 8, 1ms);
    const int jobs = zipf_jobs() / 2;
    load.sustain(jobs, std::chrono::microseconds{100'000 / 16 / percent});
    EXPECT_LE(load.opens_per_job(static_cast<std::size_t>(jobs) / 2), 0.35) << percent;
  }
}

}  // namespace
}  // namespace tenure::daemon
