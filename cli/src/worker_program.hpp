#pragma once

#include "session.hpp"

#include <filesystem>
#include <string_view>

// The worker program that --program names, and what is written for it.
namespace tenure::cli {

// A socket that no process has: what a worker program of a Tenure that does not know what it is asked for makes of it is its end, not a
// dispatcher's start.
inline constexpr std::string_view kNoWorkerSocket = "TENURE_WORKER_FD=1000000";

// As far as can be seen without starting it; BadOptions.
[[nodiscard]] std::filesystem::path worker_program_of(const Session& session);
// BadOptions.
[[noreturn]] void refuse_worker_program(const std::filesystem::path& program, std::string_view why);
// For its user alone; DiskError.
void write_scratch_file(const std::filesystem::path& file, std::string_view text);

}  // namespace tenure::cli
