#include "dead_jobs.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tenure::daemon {

void DeadJobs::died(const queue::AttemptFailure& why, std::string kind) {
  ++untold_;
  last_ = why;
  last_kind_ = std::move(kind);
}

void DeadJobs::tick(Instant now, Actions& actions) {
  if (untold_ == 0 || (told_at_ && now < *told_at_ + kDeadNotePause)) return;
  told_at_ = now;
  tell(actions);
}

void DeadJobs::leave(Actions& actions) {
  if (untold_ > 0) tell(actions);
}

std::optional<Instant> DeadJobs::next_at() const {
  if (untold_ == 0 || !told_at_) return std::nullopt;
  return *told_at_ + kDeadNotePause;
}

void DeadJobs::tell(Actions& actions) {
  constexpr std::size_t kErrorShown =
      200;  // bytes; the whole of it is in the line of the failure, and in the store
  const std::int64_t count = std::exchange(untold_, 0);
  const std::string who = count == 1 ? "A job is dead" : fmt::format("{} jobs are dead, the last one", count);
  const std::string error = escaped(last_.error, kErrorShown);
  const std::string_view stop = error.ends_with('.') ? "" : ".";
  actions.emplace_back(Note{.level = Note::Level::warning,
                            .event = "job.dead",
                            .message = fmt::format("{} by {}: {}{} See tenure job list state=dead", who,
                                                   name_of(last_.code), error, stop),
                            .pool = {},
                            .process = {},
                            .kind = last_kind_});
}

}  // namespace tenure::daemon
