#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What no store of ours leaves behind in a control database: each job stands in exactly one place, and each row of a place has its
// job. Internal.
namespace tenure::queue {

// Each kind once, in the order of Defect. Looks at every row.
[[nodiscard]] std::vector<DefectRecord> find_defects(sqlite::Connection& connection, PageCheck page_check);

// What SQLite says of the first damaged page; nothing where it finds none.
[[nodiscard]] std::optional<std::string> first_page_problem(sqlite::Connection& connection,
                                                            PageCheck page_check);

// Removes rows without a job, and ranges that name too little, at most `limit`; of other defects none. Returns how many.
[[nodiscard]] std::int64_t remove_strays(sqlite::Connection& connection, Defect defect, std::size_t limit);

struct CauselessJob {
  JobArrival job;
  bool is_suspect = false;  // blocked as one, with no row that counts its deaths
};
// Jobs that are blocked, stand nowhere else, and that nothing unblocks, without those that are in no lane; at most `limit`.
[[nodiscard]] std::vector<CauselessJob> blocked_without_cause(sqlite::Connection& connection,
                                                              std::size_t limit);

[[nodiscard]] std::vector<const sqlite::Query*> defect_queries();

}  // namespace tenure::queue
