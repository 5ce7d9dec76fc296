#pragma once

#include <tenure/jobs/registry.hpp>

#include <filesystem>
#include <string>
#include <vector>

// Capsules as tests, for any test framework. <tenure/testing/replay.hpp> registers them with GoogleTest. Link tenure::testing.
namespace tenure::testing {

struct ReplayCase {
  std::string suite;  // the folder's name; of letters, digits and '_'
  std::string name;   // the file's; of these and '.', and no two the same: "send_invoice.fails.TenantBusy"
  std::filesystem::path file;
  std::string problem = {};  // there is nothing to perform, since the folder is missing or empty
};

// One case for each file of the folder but hidden ones, by name; an empty or missing folder, and what is no capsule by its name, is a case
// that fails. A relative path begins at the working folder of this call.
[[nodiscard]] std::vector<ReplayCase> replay_cases(const std::filesystem::path& folder);

// Performs the run of the capsule once more, as `tenure replay run` does: in a scratch folder, on a thread of its own that gets no sockets,
// and without a Client. Empty where it ends as the file's name says (replay/file_name.hpp), else what is wrong, for people. What a
// handler throws never leaves.
[[nodiscard]] std::string replay_problem(const JobRegistry& jobs, const ReplayCase& which);

}  // namespace tenure::testing
