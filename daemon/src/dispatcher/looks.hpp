#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/round.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

// When the dispatcher looks into the store for what others have written: soon after a wake hint, else once per poll. A look that
// only time asks for costs no commit where the store's change counter stands still.
namespace tenure::daemon {

// Of those looks one in so many does not trust the change counter: it may not count what was written through the dispatcher's own
// connection.
inline constexpr std::uint64_t kLooksPerFullLook = 10;

class Looks {
 public:
  explicit Looks(std::chrono::milliseconds poll) : poll_(poll) {}

  void set_poll(std::chrono::milliseconds poll) { poll_ = poll; }

  // There is something to find, as far as somebody knows; also after a look that has failed, or that found a full page.
  void soon() { is_wanted_ = true; }
  [[nodiscard]] bool are_due(Instant now) const { return is_wanted_ || is_poll(now); }
  [[nodiscard]] bool is_poll(Instant now) const { return now >= next_poll_; }

  // A round goes out that looks. Returns what is asked of the change counter: nothing but at a poll, since a hint is answered
  // sooner without. `only_looks`: the round carries nothing else.
  [[nodiscard]] std::optional<ChangeCheck> begin(bool only_looks, Instant now);
  // It has come back.
  void counted(std::int64_t change_counter) { change_counter_ = change_counter; }

  [[nodiscard]] Instant next_poll() const { return next_poll_; }

 private:
  std::chrono::milliseconds poll_;
  bool is_wanted_ = true;
  Instant next_poll_;
  std::optional<std::int64_t> change_counter_;
  std::uint64_t idle_looks_ = 0;

  TENURE_REMEMBERS(poll, is_wanted, next_poll, change_counter, idle_looks)
};

}  // namespace tenure::daemon
