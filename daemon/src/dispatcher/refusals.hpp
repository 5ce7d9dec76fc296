#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

// Which of the jobs that are dead for what was refused at a tenant's border have a row of the audit to themselves. Rows of the audit are
// kept for ever, so of a store full of forged rows only the first of each minute have one, and one more row counts the others.
namespace tenure::daemon {

inline constexpr int kRefusalRowsMax = 100;  // in kRefusalSpan
inline constexpr std::chrono::seconds kRefusalSpan{60};

class Refusals {
 public:
  // Whether the next one has a row to itself.
  [[nodiscard]] bool admit(Instant now);
  // One that was not admitted is stored.
  void counted(Instant now);

  // How many a row shall count now: a span after the first of them, or `at_once`. Until told() it is asked again.
  [[nodiscard]] std::optional<std::int64_t> due(Instant now, bool at_once) const;
  void told(std::int64_t count, Instant now);
  [[nodiscard]] bool is_any_untold() const { return count_ > 0; }
  // When due() has something, as far as it is not asked at once.
  [[nodiscard]] std::optional<Instant> next_at() const;

 private:
  std::optional<Instant> span_;  // its beginning
  int admitted_ = 0;             // in it
  std::int64_t count_ = 0;       // stored, and in no row yet
  Instant due_;

  TENURE_REMEMBERS(span, admitted, count, due)
};

}  // namespace tenure::daemon
