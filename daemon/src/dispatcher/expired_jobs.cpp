#include "expired_jobs.hpp"

#include <fmt/format.h>

#include <utility>

namespace tenure::daemon {

void ExpiredJobs::expired(std::int64_t count, std::string kind) {
  untold_ += count;
  last_kind_ = std::move(kind);
}

void ExpiredJobs::tick(Instant now, Actions& actions) {
  if (untold_ == 0 || (told_at_ && now < *told_at_ + kExpiredNotePause)) return;
  told_at_ = now;
  tell(actions);
}

void ExpiredJobs::leave(Actions& actions) {
  if (untold_ > 0) tell(actions);
}

std::optional<Instant> ExpiredJobs::next_at() const {
  if (untold_ == 0 || !told_at_) return std::nullopt;
  return *told_at_ + kExpiredNotePause;
}

void ExpiredJobs::tell(Actions& actions) {
  const std::int64_t count = std::exchange(untold_, 0);
  const std::string who = count == 1 ? "A job was" : fmt::format("{} jobs were", count);
  actions.emplace_back(Note{.level = Note::Level::warning,
                            .event = "job.expired",
                            .message = fmt::format("{} discarded, not started in time. See tenure job list "
                                                   "state=discarded reason=expired",
                                                   who),
                            .pool = {},
                            .process = {},
                            .kind = last_kind_});
}

}  // namespace tenure::daemon
