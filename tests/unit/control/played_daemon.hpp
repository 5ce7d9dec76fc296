#pragma once

#include <control/controlled.hpp>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

namespace tenure::daemon::control {

// A daemon of two pools and three processes, which notes what it is asked.
class PlayedDaemon final : public Controlled {
 public:
  PlayedDaemon() {
    shown.pid = 812;
    shown.node = "app-1";
    shown.pools = {{"general", {}, {{queue::Priority{-10}, 2}}}, {"heavy"}};
    shown.now = {from_us(1'772'446'440'000'000), Instant{std::chrono::seconds{100}}};
    add(1, 0, Phase::ready);
    add(2, 0, Phase::leaving);
    add(3, 1, Phase::starting);
    shown.workers[0].status.jobs = {
        {queue::JobId{}, "acme", "billing.send_invoice", Instant{std::chrono::seconds{40}}},
        {queue::JobId{}, "", "reports.monthly", std::nullopt}};
  }
  [[nodiscard]] DaemonView view() const override {
    if (fails_with) fails_with();
    return shown;
  }
  [[nodiscard]] Activity::View activity() const override { return active; }
  [[nodiscard]] std::vector<PoolTurn> turns(const queue::Lane& lane, std::int64_t ahead) const override {
    turn_asked = {lane, ahead};
    return turns_told;
  }
  void ask(Event event) override {
    if (const auto* const quiet = std::get_if<QuietAsked>(&event))
      set(quiet->pool, Quiet{shown.now.wall, quiet->uid});
    if (const auto* const resume = std::get_if<ResumeAsked>(&event)) set(resume->pool, std::nullopt);
    asked.push_back(std::move(event));
  }
  Reloaded reload() override { return reloaded; }
  journal::Dump dump_journal() override { return dump_begun; }
  [[nodiscard]] JournalView journal() const override { return {4096, dump}; }

  DaemonView shown;
  Activity::View active;
  std::vector<PoolTurn> turns_told;
  mutable std::pair<queue::Lane, std::int64_t> turn_asked;
  Reloaded reloaded;
  journal::Dump dump_begun, dump;
  std::vector<Event> asked;
  std::function<void()> fails_with;  // in place of a view

 private:
  void add(std::int64_t number, std::size_t pool, Phase phase) {
    ProcessStatus status;
    status.number = ProcessNumber{number};
    status.pool = pool;
    status.phase = phase;
    status.slots = 8;
    status.started = Instant{std::chrono::seconds{10}};
    shown.workers.push_back({std::move(status), 900 + number, "1.0.0"});
  }
  void set(std::optional<std::size_t> asked_pool, const std::optional<Quiet>& quiet) {
    for (std::size_t pool = 0; pool < shown.pools.size(); ++pool)
      if (!asked_pool || *asked_pool == pool) shown.pools[pool].quiet = quiet;
  }
};

}  // namespace tenure::daemon::control
