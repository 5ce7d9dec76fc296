#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

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

[[nodiscard]] std::vector<const sqlite::Query*> defect_queries();

}  // namespace tenure::queue
