#include "rounds.hpp"

#include "state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void Rounds::start(DispatcherState& state) {
  if (is_under_way() || (retry_at_ && state.now.steady < *retry_at_)) return;
  retry_at_.reset();
  RoundWork work;
  RoundParts::for_each([&]<class Part>() { work.ask<Part>() = Part::ask(state); });
  if (work.is_empty()) return;
  // It is in every look.
  if (work.ask<CancelRequestsPart>())
    work.change_check = state.looks.begin(work.only_looks(), state.now.steady);
  work.incarnation = state.incarnation;
  under_way_ = std::make_shared<const RoundWork>(std::move(work));
  state.actions.emplace_back(RunRound{under_way_});
}

void Rounds::done(DispatcherState& state, RoundReply& reply) {
  const auto work = std::exchange(under_way_, nullptr);
  if (!work) return;
  retry_wait_ = {};
  if (work->change_check) state.looks.counted(reply.change_counter);
  if (reply.was_unchanged) return;
  RoundParts::for_each([&]<class Part>() {
    const auto& ask = work->ask<Part>();
    auto& answer = reply.answer<Part>();
    TENURE_INVARIANT(ask.has_value() == answer.has_value());
    if (ask) Part::absorb(state, *ask, *answer);
  });
}

void Rounds::failed(DispatcherState& state, const Failure& failure) {
  const auto work = std::exchange(under_way_, nullptr);
  if (!work) return;
  RoundParts::for_each([&]<class Part>() {
    if (const auto& ask = work->ask<Part>()) Part::undo(state, *ask);
  });
  retry_wait_ = std::clamp(retry_wait_ * 2, kRoundRetryMin, kRoundRetryMax);
  retry_at_ = state.now.steady + retry_wait_;
  note(state, failure);
}

void Rounds::note(DispatcherState& state, const Failure& failure) {
  if (noted_ && state.now.steady < *noted_ + kRoundNotePause) return;
  noted_ = state.now.steady;
  state.actions.emplace_back(
      Note{Note::Level::warning,
           "round.failed",
           fmt::format("The store could not do a round and is asked again in {} ms; nothing is lost. {}",
                       retry_wait_.count(), failure.text()),
           {},
           {}});
}

}  // namespace tenure::daemon
