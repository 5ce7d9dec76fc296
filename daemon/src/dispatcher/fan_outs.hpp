#pragma once

#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/rounds/visits.hpp>
#include <tenure/queue/fan_out.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

// Which fan-outs are under way, and when each visits its next tenants. It makes no job: the store does, in the commit that moves the cursor,
// so that a page whose answer is lost is either visited or due still.
//   A rate is kept by making jobs late and not by holding them: one more is made only while those that have not started and those that have
//   within the rate's window are fewer together than it allows. Whatever keeps the others from starting, no window has more then.
namespace tenure::daemon {

// Orders and tenants of one round: for a hundred thousand tenants other work goes on in between.
inline constexpr std::size_t kVisitOrdersMax = 20;
inline constexpr std::size_t kVisitTenantsMax = 200;
// Between two looks whether jobs that were made still wait, while their number keeps others from being made: they may have been cancelled.
inline constexpr std::chrono::milliseconds kWaitingLook{1'000};
// At so many of them, in turn; where some wait no more at the next ones at once. All are asked for only by a dispatcher that has just begun.
inline constexpr std::size_t kWaitingLooks = 100;
// Of one fan-out an operator is told of refused jobs at most once in this time.
inline constexpr std::chrono::minutes kFanOutNotePause{1};

class FanOuts {
 public:
  // As of which change they are known.
  [[nodiscard]] queue::FanOutsMark mark() const { return mark_; }
  void read(queue::OpenFanOuts open, Instant now);

  // What a round shall do about them; nothing: nothing.
  [[nodiscard]] std::optional<VisitsPart::Ask> ask(Now now) const;
  void answered(const VisitsPart::Ask& ask, const VisitsPart::Answer& answer, Now now, Actions& actions);
  // A job was claimed, of a fan-out or not; its claim has ended, and was given back where the job had not begun.
  void started(queue::JobSeq job, Instant now);
  void ended(queue::JobSeq job, bool is_given_back);
  [[nodiscard]] bool count_starts() const { return has_rates_; }
  // When there is something to do next, if the wall clock does not jump.
  [[nodiscard]] std::optional<Instant> next_at(Now now) const;

 private:
  struct Known {
    queue::OpenFanOut fan_out;
    // Of one with a rate.
    bool is_counted = false;               // what waits is known
    std::set<queue::JobSeq> waiting = {};  // made and not started
    std::set<queue::JobSeq> running = {};  // of those that this dispatcher has claimed
    std::vector<Instant> started = {};     // within the window, in their order
    Instant not_before = {};  // what has started before this dispatcher knew is within the window until then
    Instant look_at = {};
    queue::JobSeq looked_until = {};

    [[nodiscard]] std::size_t room(Instant now) const;
    // When there is room if nothing else happens.
    [[nodiscard]] Instant room_at(Instant now) const;
    // The next of those that wait, round and round; at most kWaitingLooks.
    [[nodiscard]] std::vector<queue::JobSeq> next_looks() const;
    void looked(const std::vector<queue::JobSeq>& asked, const std::vector<queue::JobSeq>& still,
                Instant now);
  };
  [[nodiscard]] static std::optional<VisitsPart::Order> order_of(const Known& known, Now now);
  void absorb(Known& known, const VisitsPart::Order& order, const queue::VisitReply& reply, Instant now);
  void note(const queue::OpenFanOut& fan_out, const queue::VisitReply& reply, Now now, Actions& actions);
  void look_for_rates();

  queue::FanOutsMark mark_{0};
  queue::BatchNumber asked_until_{0};  // the next round begins behind it
  std::map<queue::BatchNumber, Known> known_;
  bool has_rates_ = false;
  std::map<queue::BatchNumber, Instant> told_;

  TENURE_REMEMBERS(mark, asked_until, known, has_rates, told)
};

}  // namespace tenure::daemon
