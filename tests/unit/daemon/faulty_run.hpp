#pragma once

#include "simulated.hpp"

#include <tenure/daemon/frames.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

// Runs with faults, for tests that want many of them, each by its seed.
namespace tenure::daemon {

// TENURE_SEEDS multiplies how many.
inline std::uint64_t seeds(std::uint64_t usual) {
  const char* const factor = std::getenv("TENURE_SEEDS");
  return usual * (factor == nullptr ? 1 : std::strtoull(factor, nullptr, 10));
}

inline simulation::Performance any_performance(Random& random) {
  simulation::Performance performance;
  performance.run_time = std::chrono::microseconds{1 + random.below(random.below(4) == 0 ? 20'000 : 300)};
  if (random.below(6) == 0) performance.enqueues = 1 + static_cast<int>(random.below(3));
  const auto dice = random.below(40);
  if (dice == 0) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::handler_failed, "simulated"};
  } else if (dice == 1) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::tenant_busy, "simulated"};
  } else if (dice == 3) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::handler_failed, "simulated"};
    performance.decision = queue::RunDecision{.what = static_cast<queue::Decided>(1 + random.below(4)),
                                              .wait = std::chrono::microseconds{random.below(20'000)},
                                              .rule = {}};
    if (performance.decision->what == queue::Decided::dead)
      performance.decision->reason = queue::JobReason::by_rule;
    if (performance.decision->what == queue::Decided::retry) performance.decision->rule = "simulated";
  } else if (dice >= 30) {
    performance.obeys_stop_token = true;
  } else if (dice == 2 && random.below(10) == 0) {
    performance.kills_process = true;
    performance.is_named = random.below(2) == 0;
  }
  return performance;
}

// What no worker may say, whole: refused at its last byte.
inline std::string bad_bytes(Random& random) {
  const auto dice = random.below(4);
  if (dice == 0) return "\xff\xff\xff\x7f";     // a frame that is too long
  if (dice == 1) return {"\x01\0\0\0\x7e", 5};  // of no type
  std::string bytes;
  write_frame(bytes, dice == 2 ? Frame{DrainFrame{}} : Frame{HelloFrame{.program_version = {}, .kinds = {}}});
  if (dice == 3) bytes += bytes;  // one hello may be in order, two are not
  return bytes;
}

// One run: jobs of several tenants, queues, priorities and kinds come in while rounds fail, workers are killed, hints are lost
// and the dispatcher ends at any point and is started again. Then quiet.
class FaultyRun {
 public:
  explicit FaultyRun(std::uint64_t seed, std::size_t journal_bytes = simulation::Options{}.journal_bytes)
      : journal_bytes_(journal_bytes), random_(seed), sim_(options(seed)) {}

  void run() {
    for (const char* name : {"acme", "bolt", "crane"}) sim_->create_tenant(name);
    sim_->create_tenant("late", false);
    sim_->start();
    const std::uint64_t troubles = 10 + random_.below(20);
    for (std::uint64_t trouble = 0; trouble < troubles; ++trouble) {
      const std::uint64_t events = 1 + random_.below(60);
      for (std::uint64_t event = 0; event < events; ++event) (void)sim_.world.run_one();
      start_again_if_left();
      disturb();
      // Events are microseconds apart, and ticks a second.
      if (sim_->settings().schedules && trouble % 6 == 5) sim_.world.run_for(700ms);
    }
    quiet_phase();
  }
  std::uint64_t stops() const { return stops_; }
  Simulated& sim() { return sim_; }

 private:
  simulation::Options options(std::uint64_t seed) {
    simulation::Options options = one_pool(2, 2, seed);
    options.settings.pools = {PoolSettings{"default", 2, {"urgent", "default"}},
                              PoolSettings{"other", 1, {"default"}}};
    change_rules(options.settings.pools, seed);
    options.kinds = {"fast", "slow"};
    options.compares_lanes = true;
    options.journal_bytes = journal_bytes_;
    options.keeps_board = seed % 4 != 0;
    options.settings.ping_max = 300ms;
    options.settings.stop_deadline = 100ms;
    if (seed % 2 == 0) options.time_limit = 4ms;  // which some of them do not keep
    if (seed % 3 != 0) options.settings.schedules = schedules(seed);
    if (seed % 5 != 0) options.settings.limits = limits(seed);
    options.perform = [this](const queue::ClaimedJob&) {
      return is_quiet_ ? simulation::Performance{} : any_performance(random_);
    };
    return options;
  }
  // Each queue has a pool for each tenant: only the second one may leave some out, and it has no queue of its own.
  static void change_rules(std::vector<PoolSettings>& pools, std::uint64_t dice) {
    using Rule = queue::PoolTenants::Rule;
    pools[1].tenants = dice % 3 == 0   ? queue::PoolTenants{}
                       : dice % 3 == 1 ? queue::PoolTenants{Rule::only, {"acme", "none"}}
                                       : queue::PoolTenants{Rule::all_but, {"bolt", "late"}};
    pools[0].reserved.clear();
    if (dice % 4 >= 2) pools[0].reserved = {{queue::Priority{0}, 1}};
  }
  void reload_rules() {
    std::vector<PoolSettings> pools = sim_->settings().pools;
    change_rules(pools, random_.below(12));
    Reconfigured reload{.poll = sim_->settings().poll,
                        .stop_deadline = sim_->settings().stop_deadline,
                        .ping_max = sim_->settings().ping_max};
    for (const PoolSettings& pool : pools)
      reload.pools.push_back({.processes = 2, .tenants = pool.tenants, .reserved = pool.reserved});
    sim_.world.reload(reload);
  }
  // Some of the queues and kinds above; a run takes a few tenths of a second.
  static std::vector<queue::DeclaredSchedule> schedules(std::uint64_t seed) {
    std::vector<queue::DeclaredSchedule> declared(2);
    for (queue::DeclaredSchedule& one : declared) {
      const bool is_first = &one == &declared.front();
      one.entry.name = is_first ? "global" : "each";
      one.entry.kind = is_first ? "fast" : "slow";
      one.entry.rule.every = 1s;
      one.entry.overlap = static_cast<queue::Overlap>(1 + seed % 3);
      one.entry.catch_up = static_cast<queue::CatchUp>(1 + seed / 3 % 3);
      one.entry.catch_up_max = one.entry.catch_up == queue::CatchUp::all ? 5 : 1;
    }
    declared.back().entry.scope = queue::ScheduleScope::each_tenant;
    return declared;
  }
  // Caps of a tenant's kind, of a kind and of all, which a job may have to meet at once, and a rate.
  static std::vector<queue::DeclaredLimit> limits(std::uint64_t seed) {
    std::vector<queue::DeclaredLimit> declared{
        {.name = "fast-of-tenant",
         .target = {.kind = "fast", .per = {.tenant = true}},
         .bounds = {.running = 2}},
        {.name = "slow", .target = {.kind = "s*"}, .bounds = {.running = 1 + static_cast<int>(seed % 2)}},
        {.name = "tenant", .target = {.per = {.tenant = true, .queue = true}}, .bounds = {.running = 3}}};
    if (seed % 2 == 0)
      declared.push_back({.name = "urgent",
                          .target = {.queue = "urgent", .per = {.tenant = seed % 4 == 0}},
                          .bounds = {.rate = StartRate{20, 1s}}});
    if (seed % 3 == 0)
      declared.push_back({.name = "keys", .target = {.per = {.key = true}}, .bounds = {.running = 1}});
    return declared;
  }
  // An operator allows something else, or lets the configuration decide again.
  void change_limits() {
    const char* const name = std::array{"fast-of-tenant", "slow", "keys"}[random_.below(3)];
    const bool is_unset = random_.below(3) == 0;
    sim_.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      if (is_unset) {
        static_cast<void>(writer.unset_limit(name));
        return;
      }
      queue::NewLimit limit{.name = name};  // which the configuration may not have
      limit.bounds.running = 1 + static_cast<std::int64_t>(random_.below(4));
      static_cast<void>(writer.set_limit(limit, sim_->wall()));
    });
    static_cast<void>(sim_->note_limits());
    if (random_.below(4) != 0) sim_->hint();
  }
  void disturb() {
    switch (random_.below(16)) {
      case 0:
        sim_.world.fail_next_rounds(1 + static_cast<int>(random_.below(3)));
        break;
      case 1:
        if (sim_->is_up()) {
          sim_.world.crash_dispatcher();
        } else {
          sim_.world.start();
        }
        break;
      case 2: {
        const auto workers = sim_->live_workers();
        if (workers.empty()) break;
        const ProcessNumber victim = workers[random_.below(workers.size())];
        if (random_.below(5) == 0) {
          sim_.world.hang_worker(victim);
        } else if (random_.below(5) == 0) {
          sim_.world.garble_worker(victim, bad_bytes(random_));
        } else {
          sim_.world.kill_worker(victim);
        }
        break;
      }
      case 3:
        if (sim_->is_up() && random_.below(4) == 0)
          sim_.world.stop(random_.below(3) == 0 ? StopAsked::How::at_once : StopAsked::How::in_phases);
        break;
      case 4:
        change_workers();
        break;
      case 5:
        cancel_some();
        break;
      case 6:
        sim_.world.sweep_outboxes();
        break;
      case 7:
        pause_or_resume();
        break;
      case 8:
        change_limits();
        break;
      case 9:
        fan_out_some();
        break;
      default:
        enqueue_some();
        break;
    }
  }
  // Those that came last, which wait, are on their way or perform.
  void cancel_some() {
    const std::size_t recent = std::min<std::size_t>(jobs_.size(), 20);
    for (std::size_t count = std::min<std::size_t>(recent, 1 + random_.below(4)); count > 0; --count)
      sim_.world.cancel(jobs_[jobs_.size() - 1 - random_.below(recent)], random_.below(4) != 0);
  }
  // A queue, a kind or a tenant, for a while or until the quiet phase.
  void pause_or_resume() {
    constexpr std::array kScopes{queue::PauseScope::queue, queue::PauseScope::kind,
                                 queue::PauseScope::tenant};
    constexpr std::array<std::array<const char*, 2>, 3> kNames{
        {{"urgent", "default"}, {"fast", "slow"}, {"acme", "bolt"}}};
    const auto scope = random_.below(kScopes.size());
    queue::NewPause pause{.scope = kScopes[scope], .name = kNames[scope][random_.below(2)]};
    if (random_.below(2) == 0)
      pause.until = sim_->wall() + std::chrono::microseconds{1 + random_.below(50'000)};
    const bool is_resumed = random_.below(3) == 0;
    sim_.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      if (is_resumed) static_cast<void>(writer.resume(pause.scope, pause.name));
      else static_cast<void>(writer.pause(pause, sim_->wall()));  // or nobody knows it yet
    });
    if (random_.below(4) != 0) sim_->hint();
  }
  // A few at most, since each makes a job for each tenant.
  void fan_out_some() {
    if (!fan_outs_.empty() && random_.below(2) == 0)
      return sim_->cancel_fan_out(fan_outs_[random_.below(fan_outs_.size())], random_.below(4) != 0);
    if (fan_outs_.size() == 4) return;
    const std::optional<StartRate> rate =
        random_.below(2) == 0
            ? std::optional{StartRate{.starts = 1 + static_cast<std::int64_t>(random_.below(3))}}
            : std::nullopt;
    const std::chrono::microseconds window{random_.below(2) == 0 ? random_.below(30'000) : 0};
    fan_outs_.push_back(
        sim_->start_fan_out(random_.below(2) == 0 ? "fast" : "slow", window, rate, random_.below(4) != 0));
  }
  void resume_all() {
    sim_.store->write(queue::Durability::durable, [](queue::StoreWriter& writer) {
      for (const char* const queue : {"urgent", "default"})
        static_cast<void>(writer.resume(queue::PauseScope::queue, queue));
      for (const char* const kind : {"fast", "slow"})
        static_cast<void>(writer.resume(queue::PauseScope::kind, kind));
      for (const char* const tenant : {"acme", "bolt"})
        static_cast<void>(writer.resume(queue::PauseScope::tenant, tenant));
    });
  }
  void change_workers() {
    const auto workers = sim_->live_workers();
    if (random_.below(4) == 0) {
      if (sim_->is_up()) reload_rules();
    } else if (random_.below(2) == 0) {
      if (sim_->is_up()) sim_.world.reload(1 + static_cast<int>(random_.below(3)), random_.below(2) == 0);
    } else if (!workers.empty()) {
      sim_.world.tell_worker_to_end(workers[random_.below(workers.size())]);
    }
  }
  void start_again_if_left() {
    if (!sim_->is_up() || !sim_->has_left()) return;
    ++stops_;
    sim_.world.start();
  }
  void enqueue_some() {
    simulation::JobSpec spec;
    const auto tenant = random_.below(5);
    spec.tenant = tenant == 0   ? ""
                  : tenant == 1 ? "acme"
                  : tenant == 2 ? "bolt"
                  : tenant == 3 ? "crane"
                                : "late";
    spec.queue = random_.below(3) == 0 ? "urgent" : "default";
    spec.kind = random_.below(2) == 0 ? "fast" : "slow";
    spec.priority = static_cast<int>(random_.below(2));
    if (random_.below(4) == 0) spec.due_in = std::chrono::microseconds{random_.below(20'000)};
    // Clients' clocks differ: some jobs are due a little before those that were there first.
    if (random_.below(4) == 0) spec.due_in = -std::chrono::microseconds{random_.below(2'000)};
    if (random_.below(6) == 0) spec.start_within = std::chrono::microseconds{random_.below(30'000)};
    // How many of a key run follows from its name.
    if (random_.below(3) == 0) {
      const int running_max = 1 + static_cast<int>(random_.below(2));
      spec.concurrency = ConcurrencyKey{running_max == 1 ? "one" : "two", running_max, random_.below(3) == 0};
    }
    if (random_.below(8) == 0) spec.unique = UniqueKey{"this", UniqueUntil::ended, random_.below(3) == 0};
    if (random_.below(3) == 0) spec.batch = batch_of(spec.tenant);
    const bool hint = random_.below(4) != 0;
    if (!hint) sim_.world.lost_hint();
    const auto ids = sim_->enqueue_many(spec, 1 + random_.below(random_.below(5) == 0 ? 80 : 5), hint);
    jobs_.insert(jobs_.end(), ids.begin(), ids.end());
    if (spec.batch && random_.below(3) == 0) {
      batches_.erase(spec.tenant);
      sim_->close_batch(*spec.batch, random_.below(4) != 0);
    }
  }
  // The one that is open, else a new one.
  BatchId batch_of(const std::string& tenant) {
    const auto open = batches_.find(tenant);
    if (open != batches_.end()) return open->second;
    return batches_
        .emplace(tenant, sim_->open_batch(tenant, random_.below(2) == 0 ? "fast" : "slow",
                                          random_.below(3) == 0 ? "urgent" : "default",
                                          std::chrono::microseconds{random_.below(2) * 5'000}))
        .first->second;
  }
  void quiet_phase() {
    is_quiet_ = true;
    sim_->activate_tenant("late");
    resume_all();
    for (const auto& [tenant, batch] : batches_) sim_->close_batch(batch);
    // A stop may be under way: until it is over.
    (void)sim_.world.run_until([this] { return !sim_->is_up() || sim_->has_left(); }, 30s);
    if (!sim_->is_up() || sim_->has_left()) sim_.world.start();
    Reconfigured none{.poll = sim_->settings().poll,
                      .stop_deadline = sim_->settings().stop_deadline,
                      .ping_max = sim_->settings().ping_max,
                      .pools = {{.processes = 2}, {.processes = 1}}};
    none.schedules.emplace();
    sim_.world.reload(none);
    sim_.world.run_for(1s);
    for (int minutes = 0; minutes < 60 * 24 * 7 && !sim_->is_idle(); ++minutes) {
      sim_.world.sweep_outboxes();  // or some of what is acknowledged would not even be here
      (void)sim_.drains(1min);
    }
    sim_.world.run_for(3s);
  }

  std::size_t journal_bytes_;
  Random random_;
  std::vector<simulation::JobId> jobs_;
  std::map<std::string, BatchId> batches_;  // that are open, by tenant
  std::vector<BatchId> fan_outs_;
  bool is_quiet_ = false;
  Simulated sim_;
  std::uint64_t stops_ = 0;
};

}  // namespace tenure::daemon
