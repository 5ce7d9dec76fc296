#include "crash_steps.hpp"

#include <tenure/base/text.hpp>
#include <tenure/daemon/round.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <variant>

namespace tenure::testing::detail {
namespace {

// Of this thread, between its begin and its end: neither holds a lock meanwhile.
struct OpenStep {
  StepKind kind;
  int number;
  std::string name;
};
thread_local std::optional<OpenStep> open_step;

bool saves_cursor(const daemon::RoundWork& work) {
  const auto& news = work.ask<daemon::RunNewsPart>();
  return news && std::ranges::any_of(*news, [](const queue::RunNews& each) { return !each.cursor.empty(); });
}

// Jobs that come back untouched have not been performed.
bool ends_run(const daemon::RoundWork& work) {
  const auto& ends = work.ask<daemon::EndsPart>();
  return ends && std::ranges::any_of(*ends, [](const daemon::ClaimEnd& end) {
           const auto* const release = std::get_if<daemon::EndRelease>(&end.how);
           return release == nullptr || release->started;
         });
}

}  // namespace

std::string name_of_step(StepKind kind, std::string_view step, int number) {
  switch (kind) {
    case StepKind::once:
      return fmt::format("the commit of once \"{}\"", escaped(step));
    case StepKind::write:
      return fmt::format("plain write number {}", number);
    case StepKind::enqueue:
      return fmt::format("enqueue number {} by a client", number);
    case StepKind::own:
      return fmt::format("bookkeeping number {} of a client's transaction", number);
    case StepKind::checkpoint:
      return fmt::format("checkpoint {}", number);
    case StepKind::finish:
      return "the end of the run";
    case StepKind::clear:
      return "the clearing of the outbox";
  }
  return {};
}

std::optional<StepKind> Steps::kind_of(const tenure::detail::Commit& commit) const {
  if (phase_ == Phase::none) return std::nullopt;
  if (phase_ == Phase::ended) return StepKind::clear;
  if (commit.of == tenure::detail::CommitOf::step) return StepKind::once;
  return commit.of == tenure::detail::CommitOf::own ? StepKind::own : StepKind::write;
}

std::optional<StepKind> Steps::kind_of(const daemon::RoundWork& work) const {
  if (phase_ == Phase::handler && saves_cursor(work)) return StepKind::checkpoint;
  if (phase_ == Phase::ended && ends_run(work)) return StepKind::finish;
  return std::nullopt;
}

void Steps::before_round(const daemon::RoundWork& work) {
  if (const auto kind = kind_of(work)) begin(*kind, {});
}

void Steps::after_round(const daemon::RoundWork& work) {
  if (kind_of(work)) end();
}

void Steps::before(const tenure::detail::Commit& commit) {
  if (const auto kind = kind_of(commit)) begin(*kind, commit.step);
}

void Steps::after(const tenure::detail::Commit& commit) {
  if (kind_of(commit)) end();
}

void Steps::before_client_write() {
  if (phase_ != Phase::handler) return;
  begin(tenure::detail::CommitLabel::current() == tenure::detail::CommitOf::own ? StepKind::own
                                                                                : StepKind::enqueue,
        {});
}

void Steps::after_client_write() {
  if (phase_ == Phase::handler) end();
}

void Steps::begin(StepKind kind, std::string_view step) {
  const std::lock_guard lock(mutex_);
  open_step = OpenStep{kind, ++count_, name_of_step(kind, step, ++counts_[kind])};
  if (plan_.death && plan_.death->step == count_ && plan_.death->side == Side::before)
    die("before " + open_step->name);
}

void Steps::end() {
  const std::lock_guard lock(mutex_);
  if (!open_step) return;
  const OpenStep step = *std::exchange(open_step, std::nullopt);
  notes_.add({"step", std::to_string(step.number), std::to_string(static_cast<int>(step.kind)), step.name});
  if (plan_.death && plan_.death->step == step.number && plan_.death->side == Side::after)
    die("after " + step.name);
}

// As a kill: no destructor, no buffer but those of standard output and error, which are no state of anybody.
void Steps::die(const std::string& name) {
  notes_.add({"died", name});
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(kDied);
}

}  // namespace tenure::testing::detail
