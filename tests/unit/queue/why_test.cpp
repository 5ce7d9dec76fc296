#include <tenure/queue/why.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <limits>
#include <vector>

namespace tenure::queue {
namespace {

using std::chrono::minutes;

constexpr WallTime kLookedAt = from_us(1'700'000'000'000'000);
const std::vector<PoolForLane> kPerformed{{true, true}};

JobRecord job_in(ShownState state, JobReason reason = JobReason::none) {
  JobRecord job;
  job.state = state;
  job.reason = reason;
  job.created = kLookedAt - minutes{10};
  job.due = kLookedAt - minutes{5};
  return job;
}

std::vector<JobReason> codes(const std::vector<WaitReason>& reasons) {
  std::vector<JobReason> codes;
  for (const WaitReason& each : reasons) codes.push_back(each.reason);
  return codes;
}

TEST(GatesOf, EachTenantStateButActiveIsOne) {
  EXPECT_EQ(tenant_gate(TenantState::active), JobReason::none);
  EXPECT_EQ(tenant_gate(TenantState::paused), JobReason::tenant_paused);
  EXPECT_EQ(tenant_gate(TenantState::read_only), JobReason::tenant_read_only);
  EXPECT_EQ(tenant_gate(TenantState::deleted), JobReason::tenant_deleted);
  for (const TenantState state :
       {TenantState::provisioning, TenantState::migrating, TenantState::failed, TenantState::draining})
    EXPECT_EQ(tenant_gate(state), JobReason::tenant_not_ready) << name_of(state);
}

TEST(GatesOf, AllOfThemInTheOrderInWhichTheyDecide) {
  EXPECT_TRUE(gates_of({.pools = kPerformed}).empty());
  EXPECT_TRUE(gates_of({}).empty()) << "nobody has told of pools";
  EXPECT_EQ(gates_of({.tenant = TenantState::paused,
                      .has_dispatcher = false,
                      .pools = std::vector<PoolForLane>{},
                      .is_at_cap = true,
                      .next_start = kLookedAt,
                      .is_tenant_busy = true}),
            (std::vector{JobReason::tenant_paused, JobReason::no_dispatcher, JobReason::queue_without_pool,
                         JobReason::limit_cap, JobReason::limit_rate, JobReason::tenant_busy}));
}

TEST(WaitReasons, AScheduledJobWaitsForItsTimeAndThenForItsGates) {
  JobRecord job = job_in(ShownState::scheduled, JobReason::not_due);
  job.due = kLookedAt + minutes{1};
  job.tenant_state = TenantState::paused;
  const auto reasons = wait_reasons(job, {.tenant = TenantState::paused}, std::nullopt, kLookedAt);
  ASSERT_EQ(codes(reasons), (std::vector{JobReason::not_due, JobReason::tenant_paused}));
  EXPECT_EQ(reasons[0], (WaitReason{JobReason::not_due, job.created, job.due}));
  EXPECT_EQ(codes(wait_reasons(job, {.tenant = TenantState::paused}, std::nullopt, job.due)),
            std::vector{JobReason::tenant_paused})
      << "at its time that is over";
}

TEST(WaitReasons, ARateSaysUntilWhen) {
  const auto reasons =
      wait_reasons(job_in(ShownState::held, JobReason::limit_rate),
                   {.pools = kPerformed, .next_start = kLookedAt + minutes{1}}, std::nullopt, kLookedAt);
  EXPECT_EQ(reasons, (std::vector{WaitReason{JobReason::limit_rate, std::nullopt, kLookedAt + minutes{1}}}));
}

TEST(WaitReasons, ARetryWaitsSinceTheFailure) {
  JobRecord job = job_in(ShownState::scheduled, JobReason::retry_wait);
  job.due = kLookedAt + minutes{1};
  const WallTime failed = kLookedAt - minutes{2};
  EXPECT_EQ(wait_reasons(job, {.pools = kPerformed}, failed, kLookedAt),
            (std::vector{WaitReason{JobReason::retry_wait, failed, job.due}}));
}

TEST(WaitReasons, WhereNothingStandsInTheWayItIsAMatterOfItsTurn) {
  const JobRecord job = job_in(ShownState::ready);
  EXPECT_EQ(wait_reasons(job, {.pools = kPerformed}, std::nullopt, kLookedAt),
            (std::vector{WaitReason{JobReason::tenant_turn, job.due, std::nullopt}}));
}

TEST(WaitReasons, ThatAllSlotsAreTakenDecidesBeforeItsTurnAndNothingElse) {
  const JobRecord job = job_in(ShownState::ready);
  EXPECT_EQ(codes(wait_reasons(job, {.pools = kPerformed, .are_slots_taken = true}, std::nullopt, kLookedAt)),
            (std::vector{JobReason::slots_full, JobReason::tenant_turn}));
  EXPECT_EQ(
      codes(wait_reasons(job, {.has_dispatcher = false, .are_slots_taken = true}, std::nullopt, kLookedAt)),
      std::vector{JobReason::no_dispatcher});
}

JobRecord job_of(std::string kind, std::optional<TenantName> tenant = std::nullopt) {
  JobRecord job;
  job.queue = "default";
  job.kind = std::move(kind);
  job.tenant = std::move(tenant);
  return job;
}

TEST(PerformingPools, AreThoseThatListTheQueueAndPerformTheKind) {
  const DispatcherFacts dispatcher{.is_there = true,
                                   .pools = {{"general", {"default"}, 2, {"a", "b"}},
                                             {"heavy", {"default", "reports"}, 1, {"b"}},
                                             {"away", {"default"}, 0, {"a"}}},
                                   .slots = {{"general", 8, 8}, {"heavy", 2, 1}}};
  EXPECT_EQ(performing_pools(dispatcher, job_of("a")), (std::vector<PoolSlots>{{"general", 8, 8}}));
  EXPECT_EQ(performing_pools(dispatcher, job_of("b")),
            (std::vector<PoolSlots>{{"general", 8, 8}, {"heavy", 2, 1}}));
  EXPECT_TRUE(performing_pools(dispatcher, job_of("c")).empty());
  EXPECT_TRUE(are_taken(performing_pools(dispatcher, job_of("a"))));
  EXPECT_FALSE(are_taken(performing_pools(dispatcher, job_of("b"))));
  EXPECT_FALSE(are_taken(performing_pools(dispatcher, job_of("c")))) << "none is not full";
}

TEST(PerformingPools, LeaveOutThoseThatDoNotTakeTheTenant) {
  DispatcherFacts dispatcher{.is_there = true,
                             .pools = {{"general", {"default"}, 2, {"a"}}, {"jumbo", {"default"}, 1, {"a"}}},
                             .slots = {{"general", 8, 8}, {"jumbo", 2, 1}}};
  dispatcher.pools[1].tenants = {PoolTenants::Rule::only, {"acme", "none"}};
  EXPECT_EQ(performing_pools(dispatcher, job_of("a", TenantName("bolt"))).size(), 1U);
  EXPECT_EQ(performing_pools(dispatcher, job_of("a", TenantName("acme"))).size(), 2U);
  EXPECT_EQ(performing_pools(dispatcher, job_of("a")).size(), 2U);
  dispatcher.pools[1].tenants.rule = PoolTenants::Rule::all_but;
  EXPECT_EQ(performing_pools(dispatcher, job_of("a", TenantName("bolt"))).size(), 2U);
  EXPECT_EQ(performing_pools(dispatcher, job_of("a", TenantName("acme"))).size(), 1U);
}

// --- Slots that are kept.

constexpr KeptSlots kept(int priority, std::int64_t slots, std::int64_t worse) {
  return {{Priority{priority}, slots}, worse};
}

TEST(KeptSlotsRule, WhatIsKeptForTheBestIsKeptFromAllOthers) {
  const std::vector<KeptSlots> all{kept(-50, 1, 3), kept(-10, 2, 2)};
  constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(room_beside(all, 8, Priority{-100}), kNoBound);
  EXPECT_EQ(room_beside(all, 8, Priority{-50}), kNoBound);
  EXPECT_EQ(room_beside(all, 8, Priority{-49}), 4);
  EXPECT_EQ(room_beside(all, 8, Priority{-10}), 4);
  EXPECT_EQ(room_beside(all, 8, Priority{-9}), 3);
  EXPECT_EQ(room_beside(all, 3, Priority{0}), 0) << "while a process is missing";
  const std::vector<KeptSlots> unused{kept(-50, 1, 0), kept(-10, 2, 0)};
  EXPECT_EQ(room_beside(unused, 3, Priority{0}), 1) << "one is left for all";
  EXPECT_EQ(room_beside(unused, 1, Priority{0}), 1);
  EXPECT_EQ(room_beside(unused, 0, Priority{0}), 0);
  EXPECT_EQ(room_beside({}, 0, Priority{0}), kNoBound);
}

TEST(KeptSlotsRule, AJobWaitsForThemWhereNoPoolHasAnotherSlotForIt) {
  const PoolSlots full{"full", 4, 4, {kept(-10, 1, 3)}};
  const PoolSlots keeping{"keeping", 4, 3, {kept(-10, 1, 3)}};
  const PoolSlots open{"open", 4, 3};
  EXPECT_TRUE(are_kept(std::vector{keeping}, Priority{0}));
  EXPECT_FALSE(are_kept(std::vector{keeping}, Priority{-10}));
  EXPECT_TRUE(are_kept(std::vector{full, keeping}, Priority{0}));
  EXPECT_FALSE(are_kept(std::vector{keeping, open}, Priority{0}));
  EXPECT_FALSE(are_kept({}, Priority{0}));
  const JobRecord job = job_in(ShownState::ready);
  EXPECT_EQ(codes(wait_reasons(job, {.pools = kPerformed, .are_slots_kept = true}, std::nullopt, kLookedAt)),
            (std::vector{JobReason::slots_reserved, JobReason::tenant_turn}));
}

TEST(LaneGate, ATenantThatEveryPoolLeavesOutHasNone) {
  const PoolForLane taken{true, true}, left_out{true, true, true, false}, without_kind{true, false};
  EXPECT_EQ(lane_gate(std::vector{left_out}), JobReason::tenant_without_pool);
  EXPECT_EQ(lane_gate(std::vector{left_out, taken}), JobReason::none);
  EXPECT_EQ(lane_gate(std::vector{left_out, without_kind}), JobReason::kind_unknown);
  EXPECT_EQ(lane_gate(std::vector{left_out, PoolForLane{}}), JobReason::pool_without_worker);
}

TEST(WaitReasons, BlockedAndRefusedRowsSayItFirst) {
  EXPECT_EQ(codes(wait_reasons(job_in(ShownState::blocked, JobReason::suspect), {.has_dispatcher = false},
                               std::nullopt, kLookedAt)),
            (std::vector{JobReason::suspect, JobReason::no_dispatcher}));
  JobRecord damaged = job_in(ShownState::held, JobReason::row_refused);
  damaged.refused = "its priority is 200";
  EXPECT_EQ(codes(wait_reasons(damaged, {.pools = kPerformed}, std::nullopt, kLookedAt)),
            std::vector{JobReason::row_refused});
}

TEST(WaitReasons, WhatRunsOrHasEndedWaitsForNothing) {
  for (const ShownState state : {ShownState::running, ShownState::succeeded, ShownState::dead,
                                 ShownState::discarded, ShownState::cancelled})
    EXPECT_TRUE(wait_reasons(job_in(state), {.has_dispatcher = false}, std::nullopt, kLookedAt).empty());
}

// Many jobs are counted by their records alone, so that must be the first of what is said of one.
TEST(DecidingReason, IsTheFirstOfAllReasons) {
  for (const bool has_dispatcher : {true, false})
    for (const TenantState tenant : {TenantState::active, TenantState::paused})
      for (const auto& pools : {kPerformed, std::vector<PoolForLane>{}})
        for (const ShownState state : {ShownState::scheduled, ShownState::ready, ShownState::blocked})
          for (const minutes due_in : {minutes{-1}, minutes{1}}) {
            JobRecord job = job_in(state);
            if (state == ShownState::scheduled) job.reason = JobReason::retry_wait;
            if (state == ShownState::blocked) job.reason = JobReason::envelope_newer;
            job.due = kLookedAt + due_in;
            job.tenant_state = tenant;
            LaneFacts lane{.tenant = tenant, .has_dispatcher = has_dispatcher, .pools = pools};
            // As the store shows it: a late scheduled job is not promoted yet, and its lane is shown by none.
            const bool is_late = state == ShownState::scheduled && job.due <= kLookedAt;
            if (is_late && has_dispatcher && tenant == TenantState::active) continue;
            if (state == ShownState::ready)
              for (const JobReason gate : {lane_gate(pools), tenant_gate(tenant)})
                if (gate != JobReason::none && (has_dispatcher || gate == tenant_gate(tenant))) {
                  job.state = ShownState::held;
                  job.reason = gate;
                }
            job.queue = "default";
            job.kind = "mail.send";
            for (const std::int64_t taken : {6, 7, 8}) {
              const DispatcherFacts dispatcher{.is_there = has_dispatcher,
                                               .pools = {{"general", {"default"}, 1, {"mail.send"}}},
                                               .slots = {{"general", 8, taken, {kept(-10, 1, taken)}}}};
              lane.are_slots_taken = taken == 8;
              lane.are_slots_kept = taken >= 7;
              EXPECT_EQ(deciding_reason(job, dispatcher, kLookedAt),
                        wait_reasons(job, lane, std::nullopt, kLookedAt).front().reason);
            }
          }
}

TEST(DecidingReason, OfAJobThatHasEndedItIsWhy) {
  EXPECT_EQ(deciding_reason(job_in(ShownState::dead, JobReason::poison), {.is_there = true}, kLookedAt),
            JobReason::poison);
  EXPECT_EQ(deciding_reason(job_in(ShownState::succeeded), {.is_there = true}, kLookedAt), JobReason::none);
  EXPECT_EQ(deciding_reason(job_in(ShownState::running), {.is_there = true}, kLookedAt), JobReason::none);
}

}  // namespace
}  // namespace tenure::queue
