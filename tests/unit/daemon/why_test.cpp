#include "lanes.hpp"
#include "simulated.hpp"

#include <tenure/base/random.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/why.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

// The dispatcher's own reasons, from memory, beside those that are worked out from the store.
namespace tenure::daemon {
namespace {

using queue::JobReason;
using queue::JobRecord;

constexpr std::array kTenants{"acme", "corvid", "dodo", "egret", "finch"};
constexpr std::array kQueues{"default", "reports", "exports"};  // exports is in no pool
constexpr std::array kKinds{"job", "mail", "chart"};            // chart is performed by nobody

// Two pools, of which the second one may have no worker process.
simulation::Options two_pools(std::uint64_t seed) {
  simulation::Options options = one_pool(1, 2, seed);
  options.settings.pools.push_back(PoolSettings{"heavy", 1, {"reports"}});
  options.kinds = {"job", "mail"};
  const bool has_heavy = seed % 2 == 0;
  options.starts = [has_heavy](ProcessNumber process) { return has_heavy || process.value == 1; };
  options.perform = [](const auto&) { return simulation::Performance{.run_time = 24h}; };
  if (seed % 3 != 0)
    options.settings.limits = {{.name = "mail",
                                .target = {.kind = "mail", .per = {.tenant = seed % 3 == 1}},
                                .bounds = {.running = 1}},
                               {.name = "paced",
                                .target = {.kind = "*", .queue = "reports", .per = {.kind = true}},
                                .bounds = {.rate = StartRate{1, 1h}}},
                               {.name = "chart", .target = {.kind = "chart"}, .bounds = {.running = 1}}};
  return options;
}

class Reasons {
 public:
  explicit Reasons(std::uint64_t seed) : random_(seed), sim_(two_pools(seed)) {
    constexpr std::array kStates{TenantState::active,    TenantState::paused, TenantState::read_only,
                                 TenantState::migrating, TenantState::failed, TenantState::draining};
    for (const char* const tenant : kTenants) sim_->create_tenant(tenant);
    for (int i = 0; i < 60; ++i) enqueue();
    for (const char* const tenant : kTenants)
      queue::set_tenant_state_for_test(*sim_.store, TenantName{tenant}, kStates[below(kStates.size())]);
    sim_->start();
    sim_->run_for(1min);
  }

  // Of each lane that holds a job which nobody runs: how many there were.
  const std::map<JobReason, int>& gates() const { return gates_; }
  int compare() {
    const std::map<queue::JobSeq, JobRecord> waiting = waiting_jobs();
    const auto lanes = lanes_of_jobs();
    int compared = 0;
    for (const KnownLane& known : sim_->dispatcher().known_lanes())
      for (const auto& [seq, lane] : lanes)
        if (lane == known.lane && waiting.contains(seq)) {
          compare(known, waiting.at(seq));
          ++compared;
        }
    return compared;
  }

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_.below(end)); }
  void enqueue() {
    simulation::JobSpec spec{.queue = kQueues[below(kQueues.size())], .kind = kKinds[below(kKinds.size())]};
    if (const std::size_t tenant = below(kTenants.size() + 1); tenant < kTenants.size())
      spec.tenant = kTenants[tenant];
    (void)sim_->enqueue(spec);
  }
  std::map<queue::JobSeq, JobRecord> waiting_jobs() {
    const auto filter = value_or_raise(queue::parse_filter(std::vector<std::string>{"state=ready,held"},
                                                           queue::job_filter_fields(), sim_->wall()));
    std::map<queue::JobSeq, JobRecord> jobs;
    sim_.store->read([&](queue::JobReader& reader) {
      for (JobRecord& job : reader.list_jobs(filter, {.limit = 1000}, sim_->wall()).jobs)
        jobs.emplace(job.seq, job);
    });
    return jobs;
  }
  std::map<queue::JobSeq, queue::Lane> lanes_of_jobs() {
    std::map<queue::JobSeq, queue::Lane> lanes;
    sim_.store->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
      for (const queue::JobArrival& row : writer.reader().arrivals(queue::JobSeq{}, 1000))
        lanes.emplace(row.seq, row.lane);
    });
    return lanes;
  }
  void compare(const KnownLane& known, const JobRecord& job) {
    queue::LaneFacts facts;
    sim_.store->read([&](queue::JobReader& reader) {
      reader.set_now(sim_->wall());
      facts = reader.lane_facts(job);
    });
    for (const JobReason gate : known.gates) ++gates_[gate];
    EXPECT_EQ(known.gates, queue::gates_of(facts)) << job.queue << ' ' << job.kind;
    EXPECT_EQ(known.is_open, known.gates.empty()) << job.queue << ' ' << job.kind;
    EXPECT_EQ(job.reason, known.gates.empty() ? JobReason::none : known.gates.front());
    expect_the_same_without_a_daemon(known, job, facts);
  }
  void expect_the_same_without_a_daemon(const KnownLane& known, const JobRecord& job,
                                        queue::LaneFacts facts) {
    facts.has_dispatcher = false;
    auto reasons = queue::wait_reasons(job, facts, std::nullopt, sim_->wall());
    EXPECT_EQ(
        std::erase_if(reasons, [](const auto& each) { return each.reason == JobReason::no_dispatcher; }), 1U);
    std::vector<JobReason> codes;
    for (const queue::WaitReason& each : reasons) codes.push_back(each.reason);
    EXPECT_EQ(codes, known.gates);
  }

  Random random_;
  Simulated sim_;
  std::map<JobReason, int> gates_;
};

TEST(WhyFromMemoryAndStore, OBS_13_EachWaitingLaneHasTheSameReasonsWithAndWithoutTheDaemon) {
  int compared = 0;
  std::map<JobReason, int> gates;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Reasons reasons(seed);
    compared += reasons.compare();
    for (const auto& [gate, count] : reasons.gates()) gates[gate] += count;
  }
  EXPECT_GT(compared, 600);
  for (const JobReason gate : {JobReason::limit_cap, JobReason::limit_rate, JobReason::kind_unknown})
    EXPECT_GT(gates[gate], 10) << name_of(gate);
}

// What only the dispatcher knows is said last: it decides only where nothing else does.
TEST(WhyFromMemory, ALaneOfABusyTenantSaysSo) {
  Lanes lanes{{PoolSettings{"default", 1, {"default"}}}};
  const queue::Lane lane{queue::QueueNumber{1}, {}, TenantNumber{5}, queue::KindNumber{3}};
  lanes.name_queue(lane.queue, "default");
  lanes.name_kinds({lane.kind}, {"job"});
  static_cast<void>(lanes.process_came(0, {"job"}));
  lanes.scanned(lane);
  EXPECT_TRUE(lanes.all().at(0).is_open);
  lanes.park_busy(lane.tenant, Instant{1s});
  EXPECT_FALSE(lanes.all().at(0).is_open);
  EXPECT_EQ(lanes.all().at(0).gates, std::vector{JobReason::tenant_busy});
  lanes.set_tenant_state(lane.tenant, TenantState::paused);
  EXPECT_EQ(lanes.all().at(0).gates, (std::vector{JobReason::tenant_paused, JobReason::tenant_busy}));
}

}  // namespace
}  // namespace tenure::daemon
