#include "support/job_places.hpp"

#include "sqlite/defects.hpp"

namespace tenure::testing {

std::vector<std::string> misplaced_jobs(sqlite::Connection& connection) {
  std::vector<std::string> lines;
  for (const queue::DefectRecord& found : queue::find_defects(connection, queue::PageCheck::none))
    // Tests claim for incarnations that they have made up.
    if (found.defect != queue::Defect::claim_without_holder)
      lines.push_back(std::string{name_of(found.defect)} + " of " + std::to_string(found.count) + ", first " +
                      found.example);
  return lines;
}

}  // namespace tenure::testing
