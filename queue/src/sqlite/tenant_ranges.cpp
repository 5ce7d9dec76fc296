#include "tenant_ranges.hpp"

#include <tenure/base/bytes.hpp>
#include <tenure/base/text.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary key, its end.
constexpr Query kLastRange{"last_range", "select last from job_range order by first desc limit 1"};

// ?1 first  ?2 last  ?3 tenants. Index: primary key.
constexpr Query kAddRange{"add_range", R"sql(
  insert into job_range(first, last, tenants) values (?1, ?2, ?3)
  on conflict (first) do update set last = excluded.last, tenants = excluded.tenants)sql"};

// Those that touch a range of a list. ?1 above  ?2 below, both excluded. Index: primary key.
constexpr Query kRangesOldest{"ranges_oldest", R"sql(
  select first, last, tenants from job_range
  where first >= coalesce((select max(first) from job_range where first <= ?1), 0) and first < ?2 order by first)sql"};
constexpr Query kRangesNewest{"ranges_newest", R"sql(
  select first, last, tenants from job_range
  where first >= coalesce((select max(first) from job_range where first <= ?1), 0) and first < ?2 order by first desc)sql"};

const Query& ranges_in(ListOrder order) {
  return order == ListOrder::oldest_first ? kRangesOldest : kRangesNewest;
}

// A longer one has been damaged, or would lie over sequences that are long gone.
constexpr std::int64_t kLongest = 1 << 20;

bool is_range(std::int64_t first, std::int64_t last) {
  return first > 0 && last >= first && last - first < kLongest;
}

std::string bytes_of(const std::set<std::int64_t>& tenants) {
  std::string bytes;
  bytes.reserve(tenants.size() * sizeof(std::int64_t));
  for (const std::int64_t tenant : tenants) put(bytes, tenant);
  return bytes;
}

bool is_empty(SeqRange range) {
  return range.above >= range.below || range.above.value + 1 == range.below.value;
}

}  // namespace

void TenantRanges::restart(sqlite::Connection& connection, JobSeq tailed) {
  auto row = connection.statement(kLastRange);
  constexpr std::int64_t kSeqMax = std::numeric_limits<std::int64_t>::max() - 1;
  const std::int64_t last = row.step() ? std::min(row.integer(0), kSeqMax) : 0;
  first_ = std::max(last, tailed.value) + 1;
  tenants_.clear();
}

void TenantRanges::add(sqlite::Connection& connection, JobSeq seq, TenantNumber tenant) {
  if (seq.value < first_) return;
  tenants_.insert(tenant.value);
  if (seq.value - first_ + 1 < limits_.length) return;
  if (is_range(first_, seq.value)) {
    const std::string bytes = bytes_of(tenants_);
    connection.statement(kAddRange).bind(first_, seq.value, as_bytes(bytes)).run();
  }
  first_ = seq.value + 1;
  tenants_.clear();
}

bool names_any(std::string_view bytes, std::span<const std::int64_t> tenants) {
  if (bytes.empty() || bytes.size() % sizeof(std::int64_t) != 0) return true;
  ByteReader named(bytes);
  while (named.left() > 0)
    if (std::ranges::binary_search(tenants, named.take<std::int64_t>())) return true;
  return false;
}

RangesOfTenants::RangesOfTenants(sqlite::Connection& connection, SeqRange whole, ListOrder order,
                                 std::span<const std::int64_t> tenants)
    : rows_(connection.statement(ranges_in(order))), rest_(whole), order_(order), tenants_(tenants) {
  rows_.bind(whole.above.value, whole.below.value);
}

std::optional<SeqRange> RangesOfTenants::next() {
  while (!is_empty(rest_)) {
    const auto passed = next_without_them();
    if (!passed) return std::exchange(rest_, SeqRange{});
    SeqRange part = rest_;
    if (order_ == ListOrder::oldest_first) {
      part.below = JobSeq{passed->first};
      rest_.above = std::max(rest_.above, JobSeq{passed->last});
    } else {
      part.above = std::max(rest_.above, JobSeq{passed->last});
      rest_.below = std::min(rest_.below, JobSeq{passed->first});
    }
    if (!is_empty(part)) return part;
  }
  return std::nullopt;
}

std::optional<RangesOfTenants::Passed> RangesOfTenants::next_without_them() {
  while (!at_end_ && rows_.step())
    if (const Passed range{rows_.integer(0), rows_.integer(1)};
        is_range(range.first, range.last) && !names_any(as_text(rows_.blob(2)), tenants_))
      return range;
  at_end_ = true;  // another step would begin anew
  return std::nullopt;
}

std::vector<const Query*> tenant_range_queries() {
  return {&kLastRange, &kAddRange, &kRangesOldest, &kRangesNewest};
}

}  // namespace tenure::queue
