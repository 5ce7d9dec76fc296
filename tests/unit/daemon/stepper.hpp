#pragma once

#include "machine.hpp"
#include "rounds_by_hand.hpp"
#include "simulated.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace tenure::daemon {

using namespace std::chrono_literals;

// Steps a dispatcher by hand, with answers made up by the test.
class Stepper {
 public:
  explicit Stepper(DispatcherSettings settings = one_pool(1, 1).settings)
      : dispatcher_(std::move(settings)) {}

  Actions step(const Event& event) {
    Actions actions = dispatcher_.step(event, now_);
    for (const Action& action : actions) {
      if (const auto* const round = std::get_if<RunRound>(&action)) round_ = round->work;
      if (const auto* const wake = std::get_if<WakeAt>(&action)) wake_ = wake->at;
      if (const auto* const assigned = std::get_if<Assign>(&action)) note(*assigned);
    }
    return actions;
  }
  void pass(std::chrono::microseconds time) {
    now_.steady = now_.steady + time;
    now_.wall += time;
  }
  void set_wall_back(std::chrono::microseconds by) { now_.wall -= by; }
  // The round under way.
  const RoundWork& round() const { return *round_; }
  bool has_round() const { return round_ != nullptr; }
  std::optional<Instant> wake() const { return wake_; }
  Now now() const { return now_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  const std::vector<queue::ClaimRef>& last_assigned() const { return assigned_; }

  std::vector<queue::ClaimRequest> claims() const { return claims_in(*round_); }
  std::vector<ClaimEnd> ends() const { return ends_in(*round_); }

  Actions answer(RoundReply reply = {}) {
    const auto work = std::exchange(round_, nullptr);
    return step(RoundDone{completed(std::move(reply), *work)});
  }
  template <class Part>
  Actions answer(typename Part::Answer answer) {
    RoundReply reply;
    reply.answer<Part>() = std::move(answer);
    return this->answer(std::move(reply));
  }
  Actions answer_claims(std::vector<queue::ClaimReply> replies) {
    return answer<ClaimsPart>(std::move(replies));
  }
  Actions fail(ErrorCode code = ErrorCode::store_busy) {
    round_.reset();
    return step(RoundFailed{Failure{code, "it was so"}});
  }
  // Started, opened, scanned with one lane, one process ready: the round under way claims from it.
  void come_to_claim(int slots = 1) {
    step(Started{});
    answer<OpeningPart>(queue::Incarnation{7});
    answer();  // reclaiming
    answer<LaneScanPart>({queue::JobSeq{100}, {kLane}});
    step(WorkerReady{ProcessNumber{1}, slots, {"job"}});
    answer();  // the names
    if (has_round() && claims().empty()) answer();
  }
  static queue::ClaimReply jobs_of(const queue::ClaimRequest& request, std::size_t count) {
    queue::ClaimReply reply;
    for (std::size_t index = 0; index < count; ++index) {
      queue::ClaimedJob job;
      job.seq = queue::JobSeq{static_cast<std::int64_t>(index) + 1};
      job.lane = kLane;
      job.place = {WallTime{}, job.seq};
      job.token = {request.incarnation, request.first_counter + static_cast<std::int64_t>(index)};
      job.kind = "job";
      job.attempts_max = 10;
      reply.jobs.push_back(std::move(job));
    }
    return reply;
  }

 private:
  void note(const Assign& assigned) {
    assigned_.clear();
    for (const queue::ClaimedJob& job : assigned.jobs) assigned_.push_back({job.seq, job.token});
  }
  Dispatcher dispatcher_;
  Now now_{from_us(1'700'000'000'000'000), Instant{1s}};
  std::shared_ptr<const RoundWork> round_;
  std::optional<Instant> wake_;
  std::vector<queue::ClaimRef> assigned_;
};

// The first action of a kind.
template <class Kind>
std::optional<Kind> find(const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* const found = std::get_if<Kind>(&action)) return *found;
  }
  return std::nullopt;
}

}  // namespace tenure::daemon
