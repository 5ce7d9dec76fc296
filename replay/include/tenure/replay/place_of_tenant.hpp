#pragma once

#include <tenure/replay/run_record.hpp>

#include <filesystem>

namespace tenure::replay {

// In what the run and its recorded calls have failed with, "the tenant's database" in place of its path: errors of SQLite quote that, and it
// is another one in each replay.
void forget_place(RunRecord& run, const std::filesystem::path& database);

}  // namespace tenure::replay
