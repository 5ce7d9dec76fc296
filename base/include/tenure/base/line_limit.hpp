#pragma once

#include <tenure/base/clock.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace tenure {

// Lets one of many lines of a kind pass each second, so that trouble that meets every job is not a flood of the log.
// Threads: any.
class LineLimit {
 public:
  // Nothing where this one is left out; else how many were left out since the last one that passed.
  [[nodiscard]] std::optional<std::int64_t> pass(Instant now);
  // By the machine's clock, for whoever has none.
  [[nodiscard]] std::optional<std::int64_t> pass();

  // Every limit of the process is as new: whoever begins to read the lines (log::capture_for_test) must not miss one that
  // somebody before has used up.
  static void begin_anew() noexcept;

 private:
  std::atomic<std::int64_t> next_us_{0};  // of Instant, when one may pass again
  std::atomic<std::int64_t> left_out_{0};
  std::atomic<std::int64_t> beginning_{0};  // the one that next_us_ and left_out_ belong to
};

// "", or " (and 12 more that are not shown)", for the end of the line that passes.
[[nodiscard]] std::string left_out_text(std::int64_t left_out);

}  // namespace tenure
