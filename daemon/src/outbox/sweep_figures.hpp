#pragma once

#include <tenure/base/clock.hpp>

#include <cstdint>
#include <optional>

namespace tenure::daemon {

// What a sweep has seen and done so far.
struct SweepFigures {
  std::int64_t marked_files = 0;
  std::int64_t files_in_trouble = 0;    // of them; the rows of each wait for something
  std::optional<WallTime> oldest_wait;  // of them: since when rows may have been waiting
  std::int64_t rows_taken_over = 0;     // since the start, and so the others below
  std::int64_t rows_missing = 0;
  friend bool operator==(const SweepFigures&, const SweepFigures&) = default;
};

}  // namespace tenure::daemon
