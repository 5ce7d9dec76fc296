#pragma once

#include <tenure/base/sqlite/statement.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

// The part of a filter that SQL decides, as parameters of constant texts. It may let more through than the filter, never
// less: matches() judges every row that is left, unless `exact` says that nothing is left to judge. Internal.
namespace tenure::queue {

inline constexpr int kRunningBit = 8;
inline constexpr int kHeldBit = 9;
inline constexpr std::int64_t kAllStates = 0x3FE;   // bits 1 to 9
inline constexpr std::int64_t kAllReasons = 0x3FF;  // bits 0 to 9

struct SqliteFilter {
  struct Bounds {
    std::int64_t first = std::numeric_limits<std::int64_t>::min();
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
  };

  bool exact = true;
  std::int64_t states = kAllStates;
  std::int64_t reasons = kAllReasons;
  std::optional<std::string> tenants;  // JSON arrays of numbers; nothing: all
  std::optional<std::string> queues;
  std::optional<std::string> kinds;
  Bounds priority, failures, crashes, created;
  std::optional<std::vector<JobId>> ids;  // only these can match

  // ?1 to ?13 of kFilterWhere.
  void bind(sqlite::Statement& statement) const;
};

// Conditions on job.* only; the plus keeps a range that is nearly always open from taking an index column's place. States that need no look at claims or tenants are decided without one.
#define TENURE_FILTER_WHERE                                                                                  \
  "((?1 >> case when job.state <> 2 then job.state"                                                          \
  "             when exists (select 1 from claim where claim.seq = job.seq) then 8"                          \
  "             when (select state from tenant where number = job.tenant) <> 2 then 9 else 2 end) & 1) = 1"  \
  " and ((?2 >> job.reason) & 1) = 1"                                                                        \
  " and (?3 is null or job.tenant in (select value from json_each(?3)))"                                     \
  " and (?4 is null or job.queue in (select value from json_each(?4)))"                                      \
  " and (?5 is null or job.kind in (select value from json_each(?5)))"                                       \
  " and +job.priority between ?6 and ?7 and job.failures between ?8 and ?9 and job.crashes between ?10 and " \
  "?11"                                                                                                      \
  " and job.created_us between ?12 and ?13"

}  // namespace tenure::queue
