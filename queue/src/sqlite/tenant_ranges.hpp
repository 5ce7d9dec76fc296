#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

// Which tenants have a job in which range of sequences: a list of one tenant with few jobs passes over the ranges that do not name
// it. An index by tenant would tell more, and dirty a page of its own for nearly each enqueue; a row of `job_range` is written once
// for some thousand jobs, behind the tail that the dispatcher reads anyway. Internal.
//
// Invariants:
//   1 A row of job_range names the tenant of every job in it; it may name others.
//   2 Ranges do not overlap. What lies in none of them has to be read.
//   3 A range ends at or before a sequence that was seen, so no job is ever added to it.
// Safe to lose and to repeat.
namespace tenure::queue {

struct TenantRangeLimits {
  std::int64_t length = 1'024;  // sequences of a range
};

// Writes them. Threads: one at a time, in the write transaction that reads the tail.
class TenantRanges {
 public:
  explicit TenantRanges(const TenantRangeLimits& limits) : limits_(limits) {}

  // Rows of `job` behind `tailed` will be told from now on, each of them.
  void restart(sqlite::Connection& connection, JobSeq tailed);
  // The next row.
  void add(sqlite::Connection& connection, JobSeq seq, TenantNumber tenant);

 private:
  const TenantRangeLimits limits_;
  std::int64_t first_ = 1;
  std::set<std::int64_t> tenants_;
};

// Excluding both, as lists bound what they walk.
struct SeqRange {
  JobSeq above{0};
  JobSeq below{0};
  friend bool operator==(const SeqRange&, const SeqRange&) = default;
};

// Reads them: the parts of a range in which a job of one of the tenants may stand, in the order of a list. `tenants` is sorted, and
// is looked at as long as this lives. Threads: those of the connection.
class RangesOfTenants {
 public:
  RangesOfTenants(sqlite::Connection& connection, SeqRange whole, ListOrder order,
                  std::span<const std::int64_t> tenants);

  std::optional<SeqRange> next();

 private:
  struct Passed {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  [[nodiscard]] std::optional<Passed> next_without_them();

  sqlite::Statement rows_;
  SeqRange rest_;
  ListOrder order_;
  std::span<const std::int64_t> tenants_;
  bool at_end_ = false;
};

// Whether bytes of job_range.tenants name one of them, which are sorted. Bytes that nobody here wrote name all.
[[nodiscard]] bool names_any(std::string_view bytes, std::span<const std::int64_t> tenants);

[[nodiscard]] std::vector<const sqlite::Query*> tenant_range_queries();

}  // namespace tenure::queue
