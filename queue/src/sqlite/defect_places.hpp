#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// Rows of a control database that can be mended without a decision: found by scans, which a reader makes, and each looked at again by its
// key in the transaction that mends it. Internal.
namespace tenure::queue {

// fn(place, table, seq) for each row whose job is not there or has ended, until it answers false.
void for_each_stray(sqlite::Connection& connection,
                    FunctionRef<bool(const DefectPlace&, std::string_view, std::int64_t)> fn);

// Jobs that are blocked, stand nowhere else, and that nothing unblocks, without those that are in no lane; at most `limit`.
[[nodiscard]] std::vector<DefectPlace> blocked_without_cause(sqlite::Connection& connection,
                                                             std::size_t limit);

// The ranges that do not name the tenant of one of their jobs, and those that overlap; at most `limit`.
[[nodiscard]] std::vector<DefectPlace> wrong_ranges(sqlite::Connection& connection, std::size_t limit);

// Of the defects that can be mended, the rows; at most `limit`.
[[nodiscard]] std::vector<DefectPlace> find_places_to_mend(sqlite::Connection& connection, Defect defect,
                                                           std::size_t limit);

// Whether there was a row with that key with which that still was wrong: then it is gone.
[[nodiscard]] bool remove_stray(sqlite::Connection& connection, const DefectPlace& place);
[[nodiscard]] bool remove_wrong_range(sqlite::Connection& connection, const DefectPlace& place);

struct CauselessJob {
  JobArrival job;
  bool is_blocked_as_suspect = false;  // with no row that counts its deaths
  bool is_noted_as_suspect = false;    // by such a row
};
// Nothing where it is blocked no more, or for a reason.
[[nodiscard]] std::optional<CauselessJob> causeless_job(sqlite::Connection& connection,
                                                        const DefectPlace& place);

[[nodiscard]] std::vector<const sqlite::Query*> defect_place_queries();

}  // namespace tenure::queue
