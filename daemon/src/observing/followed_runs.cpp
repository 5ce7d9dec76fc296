#include "followed_runs.hpp"

#include <variant>

namespace tenure::daemon {

void FollowedRuns::happened(const Event& event, Now now, Listener& listener) {
  if (const auto* const ends = std::get_if<AttemptsEnded>(&event)) {
    ended(*ends, now, listener);
  } else if (const auto* const ready = std::get_if<WorkerReady>(&event)) {
    if (Runs* const runs = find(ready->process)) runs->set_slots(static_cast<std::size_t>(ready->slots));
  } else if (const auto* const gone = std::get_if<WorkerGone>(&event)) {
    const auto runs = processes_.extract(gone->process);
    if (!runs.empty()) runs.mapped().for_each([&](const Run& run) { listener.left(run, now); });
  }
}

void FollowedRuns::decided(const Actions& actions, Now now, Listener& listener) {
  for (const Action& action : actions) {
    if (const auto* const assign = std::get_if<Assign>(&action)) {
      assigned(*assign, now, listener);
    } else if (const auto* const recall = std::get_if<Recall>(&action)) {
      if (Runs* const runs = find(recall->process))
        for (const queue::ClaimRef& claim : recall->jobs) runs->recall(claim);
    } else if (const auto* const start = std::get_if<StartProcess>(&action)) {
      processes_[start->process];
    } else if (const auto* const drain = std::get_if<Drain>(&action)) {
      if (Runs* const runs = find(drain->process)) runs->recall_all();
    }
  }
}

const Runs* FollowedRuns::of(ProcessNumber process) const {
  const auto found = processes_.find(process);
  return found == processes_.end() ? nullptr : &found->second;
}

Runs* FollowedRuns::find(ProcessNumber process) {
  const auto found = processes_.find(process);
  return found == processes_.end() ? nullptr : &found->second;
}

void FollowedRuns::assigned(const Assign& assignment, Now now, Listener& listener) {
  Runs* const runs = find(assignment.process);
  if (runs == nullptr) return;
  for (const queue::ClaimedJob& job : assignment.jobs)
    if (const Run* const begun = runs->add(
            {.claim = {job.seq, job.token}, .lane = job.lane, .tenant = job.tenant, .due = job.place.due},
            now.steady))
      listener.began(*begun, now);
}

void FollowedRuns::ended(const AttemptsEnded& event, Now now, Listener& listener) {
  Runs* const runs = find(event.process);
  if (runs == nullptr) return;
  for (const AttemptEnd& end : event.ends) {
    const auto [run, begun] = runs->end(end.claim, now.steady);
    if (!run) continue;
    // Its recall came too late.
    if (!run->since && queue::has_run(end.result)) listener.began(*run, now);
    listener.ended(*run, end);
    listener.left(*run, now);
    if (begun != nullptr) listener.began(*begun, now);
  }
}

}  // namespace tenure::daemon
