#include "crash_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace tenure::testing {
namespace detail {
namespace {

using How = ProcessEnd::How;

// Long enough for a name with a time in it to be another one, and too short for a handler to have something else to do.
constexpr std::chrono::seconds kLater{1};

std::vector<std::string> once_steps(const ProcessEnd& end) {
  std::vector<std::string> names;
  for (const StepDone& step : end.steps)
    if (step.kind == StepKind::once) names.push_back(step.name);
  return names;
}

// Of the first death after which the end is another one. At all places before it is the same, so it is this step, or what was done since
// the one before, that cannot be repeated.
std::string cause_text(Side side, const StepDone& step) {
  if (side == Side::before)
    return "nothing was kept of this run since the step before, and it ended otherwise all the same: the "
           "handler goes by something else "
           "than its arguments and its tenant's rows, such as a random number, the real time, memory or a "
           "file";
  switch (step.kind) {
    case StepKind::write:
      return fmt::format(
          "an effect outside `once`: {} was kept when the process died, and the second run "
          "came to it again. Move it into a step of context.once(...)",
          step.name);
    case StepKind::enqueue:
    case StepKind::own:
      return fmt::format(
          "an enqueue outside `once`: {} was kept when the process died, and the second run "
          "came to it again. Enqueue by the transaction of a step of context.once(...)",
          step.name);
    case StepKind::checkpoint:
      return fmt::format(
          "a cursor that is saved before its work is done: {} was kept when the process died, "
          "and the second run went on behind it. Save it when the work is in the database",
          step.name);
    case StepKind::once:
      return "the second run does not do this step again, and goes another way without it: by what the step "
             "had left in memory, or by rows "
             "that it has changed already. `once` gives the text that its step returns back in every run";
    case StepKind::finish:
    case StepKind::clear:
      return "the job had ended already, and was performed again";
  }
  return {};
}

class Everywhere {
 public:
  Everywhere(CrashRuns& runs, int steps_max) : runs_(runs), steps_max_(steps_max) {}

  CrashReport report() {
    whole_ = runs_.run();
    for (const StepDone& step : whole_.steps) report_.steps.push_back(step.name);
    report_.is_safe = is_whole() && has_steady_names() && dies_everywhere();
    if (report_.is_safe)
      report_.text = fmt::format(
          "{} is safe to repeat: its process died before and after each of {} durable steps, {} times, and "
          "each time "
          "the second run ended as the whole one",
          runs_.job_text(), whole_.steps.size(), report_.deaths);
    return std::move(report_);
  }

 private:
  bool refuse(std::string text) {
    report_.text = fmt::format("{} is not safe to repeat: {}", runs_.job_text(), text);
    return false;
  }

  bool is_whole() {
    if (whole_.how != How::ended) return refuse("its whole run did not come to an end: " + whole_.why);
    if (whole_.failure) return refuse("its whole run has failed: " + *whole_.failure);
    if (whole_.runs == 0)
      return refuse("nobody performs it: its queue is none of the world's, or its kind has no handler");
    if (std::cmp_greater(whole_.steps.size(), steps_max_))
      return refuse(fmt::format("it has {} durable steps, which are more than {} (steps_max)",
                                whole_.steps.size(), steps_max_));
    return true;
  }

  bool has_steady_names() {
    const ProcessEnd later = runs_.run(kLater);
    if (later.how != How::ended)
      return refuse("another whole run, a second later, did not come to an end: " + later.why);
    const std::vector<std::string> names = once_steps(whole_);
    const std::vector<std::string> others = once_steps(later);
    for (std::size_t at = 0; at < std::max(names.size(), others.size()); ++at) {
      const std::string name = at < names.size() ? names[at] : "nothing";
      const std::string other = at < others.size() ? others[at] : "nothing";
      if (name == other) continue;
      report_.differs_at = at < names.size() ? name : other;
      return refuse(
          fmt::format("its steps are others in each run.\n  {} of the whole run is {} in a run one second "
                      "later.\nLikely cause: a step's name that "
                      "holds a time or a random number, so that a second run does the step again under "
                      "another name. Name what is done: the item, "
                      "not the run",
                      name, other));
    }
    return true;
  }

  bool dies_everywhere() {
    for (std::size_t at = 0; at < whole_.steps.size(); ++at)
      for (const Side side : {Side::before, Side::after})
        if (!is_same_behind(at, side)) return false;
    return true;
  }

  bool is_same_behind(std::size_t at, Side side) {
    const StepDone& step = whole_.steps[at];
    const ProcessEnd first = runs_.run_to({.step = step.number, .side = side});
    report_.differs_at = fmt::format("{} {}", side == Side::before ? "before" : "after", step.name);
    if (first.how == How::ended)
      return refuse(fmt::format("a run that was to die {} did not come there, and ended after {} steps",
                                report_.differs_at, first.steps.size()));
    if (first.how == How::otherwise)
      return refuse(
          fmt::format("a run that was to die {} did not come there: {}", report_.differs_at, first.why));
    ++report_.deaths;
    report_.differs_at = first.died_at;
    const ProcessEnd second = runs_.run_again();
    if (second.how != How::ended)
      return refuse(fmt::format("it died {} (step {} of {}), and its second run did not come to an end: {}",
                                report_.differs_at, at + 1, whole_.steps.size(), second.why));
    const std::string rows = differences(whole_.state, second.state);
    if (!rows.empty())
      return refuse(
          fmt::format("it died {} (step {} of {}), ran again, and left something else than a whole "
                      "run:\n{}Likely cause: {}",
                      report_.differs_at, at + 1, whole_.steps.size(), rows, cause_text(side, step)));
    report_.differs_at.clear();
    return true;
  }

  CrashRuns& runs_;
  const int steps_max_;
  ProcessEnd whole_;
  CrashReport report_;
};

}  // namespace

CrashReport crash_everywhere(World& world, const CrashOptions& options, EnqueueOne enqueue) {
  CrashRuns runs(world, options, enqueue);
  return Everywhere(runs, options.steps_max).report();
}

}  // namespace detail

std::ostream& operator<<(std::ostream& out, const CrashReport& report) { return out << report.text; }

}  // namespace tenure::testing
