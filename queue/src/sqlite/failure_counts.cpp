#include "failure_counts.hpp"

#include "stored_values.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary key, its end.
constexpr Query kAnyFailureCount{"any_failure_count", "select max(seq) from failure_count"};

// ?1 seq  ?2 rule  ?3 now_us. Index: primary key.
constexpr Query kCountFailure{"count_failure", R"sql(
  insert into failure_count(seq, rule, failures, first_us) values (?1, ?2, 1, ?3)
  on conflict (seq, rule) do update set failures = min(max(failures, 0), 2147483646) + 1)sql"};

// ?1 seq. Index: primary key.
constexpr Query kFailureCountsOf{"failure_counts_of", R"sql(
  select rule, failures, first_us from failure_count where seq = ?1 order by rule)sql"};

// ?1 seq. Index: primary key.
constexpr Query kDeleteFailureCounts{"delete_failure_counts", "delete from failure_count where seq = ?1"};

}  // namespace

bool FailureCounts::may_have_any() {
  if (!may_have_any_) may_have_any_ = !connection_.statement(kAnyFailureCount).row().is_null(0);
  return *may_have_any_;
}

void FailureCounts::add(JobSeq seq, std::string_view rule, WallTime now) {
  connection_.statement(kCountFailure).bind(seq.value, rule, to_us(now)).run();
  may_have_any_ = true;
}

// What a damaged file has too much of is left out.
FailureHistory FailureCounts::of(JobSeq seq) {
  FailureHistory history;
  if (!may_have_any()) return history;
  auto row = connection_.statement(kFailureCountsOf);
  row.bind(seq.value);
  while (row.step()) {
    const WallTime first = from_us(row.integer(2));
    history.first = history.first ? std::min(*history.first, first) : first;
    const std::string_view rule = row.text(0);
    if (!rule.empty() && rule.size() <= kRuleNameMax && history.by_rule.size() < kRulesMax)
      history.by_rule.push_back({std::string{rule}, clamped(row.integer(1))});
  }
  return history;
}

void FailureCounts::forget(JobSeq seq) {
  if (may_have_any()) connection_.statement(kDeleteFailureCounts).bind(seq.value).run();
}

std::vector<const Query*> failure_count_queries() {
  return {&kAnyFailureCount, &kCountFailure, &kFailureCountsOf, &kDeleteFailureCounts};
}

}  // namespace tenure::queue
