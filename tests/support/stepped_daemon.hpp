#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// The real dispatcher and its rounds on a store, step by step on virtual time: one pool with one process and one slot, which says hello as
// soon as it is started, answers pings at once and performs nothing by itself. For tests that look between any two steps.
namespace tenure::testing {

class SteppedDaemon {
 public:
  // All outlive it. `kinds`: what the process performs.
  SteppedDaemon(queue::Store& store, VirtualClock& clock, std::vector<std::string> kinds)
      : store_(store), clock_(clock), kinds_(std::move(kinds)) {}

  void start() {
    step(daemon::Started{});
    carry_out_rounds();
  }
  void step(const daemon::Event& event) {
    daemon::Actions actions = dispatcher_.step(event, {clock_.wall(), clock_.steady()});
    for (daemon::Action& action : actions) {
      if (auto* round = std::get_if<daemon::RunRound>(&action)) rounds_.push_back(std::move(round->work));
      if (auto* assign = std::get_if<daemon::Assign>(&action))
        for (queue::ClaimedJob& job : assign->jobs) assigned_.emplace_back(assign->process, std::move(job));
      if (const auto* start = std::get_if<daemon::StartProcess>(&action)) starting_.push_back(start->process);
      if (const auto* told = std::get_if<daemon::AcknowledgeOutbox>(&action)) acknowledged_.push_back(*told);
      if (const auto* wake = std::get_if<daemon::WakeAt>(&action)) wake_ = wake->at;
      if (const auto* ping = std::get_if<daemon::Ping>(&action)) pinged_.push_back(ping->process);
    }
    while (!pinged_.empty()) {
      const auto process = pinged_.front();
      pinged_.pop_front();
      step(daemon::Ponged{process});
    }
    while (!starting_.empty()) {
      const auto process = starting_.front();
      starting_.pop_front();
      step(daemon::WorkerReady{.process = process, .kinds = kinds_, .default_queues = {}});
    }
  }

  [[nodiscard]] bool has_round() const { return !rounds_.empty(); }
  // The one under way, which is carried out by the caller or never.
  [[nodiscard]] std::shared_ptr<const daemon::RoundWork> take_round() {
    auto work = std::move(rounds_.front());
    rounds_.pop_front();
    return work;
  }
  void carry_out_rounds() {
    while (has_round()) step(daemon::RoundDone{run_round(store_, *take_round(), clock_.wall())});
  }
  void wake() {
    clock_.advance(std::max(wake_ - clock_.steady(), std::chrono::microseconds{1000}));
    step(daemon::TimePassed{});
  }
  // The next job that comes to the process within so many wakes.
  [[nodiscard]] std::optional<queue::ClaimedJob> next_assigned(int wakes_max) {
    step(daemon::WakeHinted{});
    carry_out_rounds();
    for (int wakes = 0; assigned_.empty() && wakes < wakes_max; ++wakes) {
      wake();
      carry_out_rounds();
    }
    if (assigned_.empty()) return std::nullopt;
    process_ = assigned_.front().first;
    queue::ClaimedJob job = std::move(assigned_.front().second);
    assigned_.pop_front();
    return job;
  }
  // Of the job that was assigned last.
  void report(queue::AttemptEnd end) { step(daemon::AttemptsEnded{process_, {std::move(end)}}); }
  // The process dies while it performs that job, before a word of it; its board says so.
  void process_dies(const queue::ClaimedJob& job) {
    const queue::ClaimRef claim{job.seq, job.token};
    step(daemon::WorkerGone{.process = process_,
                            .cause = "signal 11 (Segmentation fault)",
                            .exit = queue::ProcessExit{queue::ProcessExit::By::signal, 11},
                            .slots = daemon::LastSlots{.begun = {claim}, .crashed = {claim}}});
    carry_out_rounds();
  }
  [[nodiscard]] std::vector<daemon::AcknowledgeOutbox> take_acknowledged() {
    return std::exchange(acknowledged_, {});
  }

 private:
  queue::Store& store_;
  VirtualClock& clock_;
  const std::vector<std::string> kinds_;
  daemon::Dispatcher dispatcher_{{.pools = {{"default", 1, {"default"}}}, .node = "test"}};
  std::deque<std::shared_ptr<const daemon::RoundWork>> rounds_;
  std::deque<std::pair<daemon::ProcessNumber, queue::ClaimedJob>> assigned_;
  std::deque<daemon::ProcessNumber> starting_;
  std::deque<daemon::ProcessNumber> pinged_;
  std::vector<daemon::AcknowledgeOutbox> acknowledged_;
  Instant wake_;
  daemon::ProcessNumber process_;
};

// As a worker process is given it.
[[nodiscard]] inline queue::AssignedJob assigned_job(const queue::ClaimedJob& job) {
  return {.claim = {job.seq, job.token},
          .id = job.id,
          .tenant = job.tenant,
          .generation = job.generation,
          .kind = job.kind,
          .envelope = job.envelope,
          .attempt = job.failures + 1,
          .attempts_max = job.attempts_max,
          .start_before = job.start_before};
}

}  // namespace tenure::testing
