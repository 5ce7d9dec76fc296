#pragma once

#include "crash_records.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

// What a job has left behind, as values that can be compared and shown.
namespace tenure::testing::detail {

struct StateValue {
  std::string name;
  std::string text;
  bool is_key = false;  // shown with whatever else differs
  friend auto operator<=>(const StateValue&, const StateValue&) = default;
};

// One row of a table, one receipt, one job.
struct StateRow {
  std::string key;  // by which it is found in another state; empty: by all that it holds
  std::vector<StateValue> values = {};
  friend auto operator<=>(const StateRow&, const StateRow&) = default;
};

// By what they are of: "table invoice of acme", "jobs in the queue". Sorted. Only what has rows.
using State = std::map<std::string, std::vector<StateRow>>;

struct StateOptions {
  queue::JobId job;                    // whose end and receipts are meant; of other jobs what was enqueued
  std::vector<std::string> leave_out;  // "table.column"
  WallTime now{};
  WallTime begun{};  // from when due times count: the same in all runs, whose handlers may move the clock
};

// Nobody has one of the databases open. BadOptions: a column that is left out and that no table has, or more rows than can be compared;
// what a connection says.
[[nodiscard]] State read_state(queue::Store& store, const TenantFiles& files, const StateOptions& options);

// A record for each row, {"row", ...}; other records are passed over.
void write_state(const State& state, RecordWriter& notes);
[[nodiscard]] State state_in(const std::vector<Record>& records);

// In which rows they differ, as lines of a report; empty: in none.
[[nodiscard]] std::string differences(const State& expected, const State& got);

}  // namespace tenure::testing::detail
