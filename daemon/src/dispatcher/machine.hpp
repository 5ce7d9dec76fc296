#pragma once

#include "pool_turns.hpp"
#include "remembered.hpp"
#include "rounds.hpp"
#include "state.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <optional>

// The dispatcher's inside: what each event does, and what each step ends with. It decides nothing by itself: what waits is known by
// Arrivals and Lanes, what has ended by Endings, who runs by Processes, which claims come next by ClaimPlan, and what a round is
// made of by its parts (rounds/).
namespace tenure::daemon {

class Machine {
 public:
  explicit Machine(DispatcherSettings settings) : state_(std::move(settings)) {}

  [[nodiscard]] Actions step(Event&& event, Now now);
  [[nodiscard]] DispatcherStatus status() const;
  [[nodiscard]] CrewStatus crew() const;
  [[nodiscard]] std::vector<PoolTurn> turns(const queue::Lane& lane, std::int64_t ahead, Instant now) const;
  [[nodiscard]] std::vector<KnownLane> known_lanes() const { return state_.lanes.all(); }

 private:
  void on(const Started& event);
  void on(const TimePassed& event);
  void on(const WakeHinted& event);
  void on(RoundDone& event);  // takes the claimed jobs out of it
  void on(const RoundFailed& event);
  void on(const WorkerReady& event);
  void on(const AttemptsEnded& event);
  void on(RunsTold& event);  // takes the news out of it
  void on(const WorkerGone& event);
  void on(const Ponged& event);
  void on(const WorkerLeaving& event);
  void on(const Reconfigured& event);
  void change_rules(std::size_t pool, const Reconfigured::Pool& event);
  void on(const QuietAsked& event);
  void on(const ResumeAsked& event);
  void on(const DrainAsked& event);
  void on(const RecycleAsked& event);
  void on(const DescriptionAsked& event);
  void on(const StopAsked& event);
  void give_up(const Failure& failure);
  void tick();
  void note_end(const Process& dead, const WorkerGone& event);
  void leave_if_done();
  void set_wake();
  [[nodiscard]] std::optional<Instant> next_wake() const;

  DispatcherState state_;
  Rounds rounds_;
  std::optional<Instant> wake_;
  bool has_left_ = false;

  TENURE_REMEMBERS(state, rounds, wake, has_left)
};

}  // namespace tenure::daemon
