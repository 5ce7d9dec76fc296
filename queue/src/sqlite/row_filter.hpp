#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

// The part of a filter that numbers of a row decide, without building a record. It may let more through than the filter, never
// less: matches() judges every job that is left, unless `exact` says that nothing is left to judge. Internal.
namespace tenure::queue {

// States that are shown, as bits.
using StateBits = std::uint64_t;
[[nodiscard]] constexpr StateBits bit_of(ShownState state) {
  // The two states that are shown and not stored stand behind those that are.
  const auto value = static_cast<unsigned>(state);
  return StateBits{1} << (value < 100 ? value : 40 + value - 100);
}

struct RowFilter {
  struct Bounds {
    std::int64_t first = std::numeric_limits<std::int64_t>::min();
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
    [[nodiscard]] bool holds(std::int64_t value) const { return first <= value && value <= last; }
    [[nodiscard]] bool is_open() const { return *this == Bounds{}; }
    friend bool operator==(const Bounds&, const Bounds&) = default;
  };
  // Sorted. A number whose row of names is missing is in no list: it is shown by a placeholder, and where the filter takes that
  // the list says what does not pass.
  struct NumberList {
    std::vector<std::int64_t> numbers;
    bool pass = true;  // these and no other; else all others
  };
  using Numbers = std::optional<NumberList>;  // nothing: all

  bool exact = true;
  StateBits states = 0;  // that pass
  bool any_state = true;
  Numbers tenants, queues, kinds;
  Bounds priority, failures, crashes, created;
  std::optional<std::vector<JobId>> ids;        // only these can match
  std::optional<std::vector<BatchId>> batches;  // only their members can match

  // Null where others than these may pass.
  [[nodiscard]] const std::vector<std::int64_t>* only_tenants() const {
    return tenants && tenants->pass ? &tenants->numbers : nullptr;
  }
  // Whether one that has ended so, or has not (nothing), may pass.
  [[nodiscard]] bool may_pass(const std::optional<JobState>& ended) const;
  [[nodiscard]] bool wants(ShownState state) const { return (states & bit_of(state)) != 0; }
  // Looks at nothing that is not restricted.
  [[nodiscard]] bool passes_lane(const sqlite::Statement& row, int lane_column) const;
  // The columns behind the lane: failures, crashes, created_us.
  [[nodiscard]] bool passes_row(const sqlite::Statement& row, int first_column) const;
  [[nodiscard]] bool is_open_beyond_lane() const {
    return failures.is_open() && crashes.is_open() && created.is_open();
  }
};

[[nodiscard]] RowFilter narrow(sqlite::Connection& connection, const Filter& filter, WallTime now);

}  // namespace tenure::queue
