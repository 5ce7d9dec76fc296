#pragma once

#include "listing.hpp"
#include "quiet_pools.hpp"

#include <tenure/queue/filter.hpp>
#include <tenure/queue/records.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

// Why many jobs do not run: their deciding reasons, counted.
namespace tenure::cli {

struct CountedReason {
  queue::ShownState state = queue::ShownState::ready;
  queue::JobReason reason = queue::JobReason::none;
  std::int64_t jobs = 0;
  WallTime first_due = WallTime::max();
  WallTime last_due = WallTime::min();
  std::string filter = {};  // that finds them
  bool is_quiet = false;    // all pools that perform them are, and nothing else holds them
};

struct CountedReasons {
  std::vector<CountedReason> rows;  // the one of the most jobs first
  ListTotal total;
};

struct JobsToCount {
  std::span<const std::string> words;  // the filter as it was typed, with which that of each row begins
  queue::Filter filter;                // the same, read
  std::int64_t looks = 0;              // so many of the newest jobs are looked at for succeeded ones
  std::span<const QuietPool> quiet;    // the pools for which nothing is claimed
};
[[nodiscard]] CountedReasons counted_reasons(queue::JobReader& reader, const JobsToCount& jobs, WallTime now);

}  // namespace tenure::cli
