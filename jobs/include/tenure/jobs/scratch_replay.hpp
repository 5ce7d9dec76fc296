#pragma once

#include <tenure/jobs/replay.hpp>

#include <filesystem>

namespace tenure {

// A replay that reaches no live database: puts the tenant of the capsule, which was read from `file`, below `scratch`, an empty folder of
// whoever calls, and performs the run there. Until it returns, this process opens no database outside of that folder, and no Client at
// all: AccessRefused in the handler. What restore_tenant() and replay_run() say.
// Threads: the calling one performs; those of other threads wait until it is done.
[[nodiscard]] replay::RunRecord replay_in_scratch(const JobRegistry& jobs, const std::filesystem::path& file,
                                                  const replay::Capsule& capsule,
                                                  const std::filesystem::path& scratch,
                                                  const ReplayOptions& options = {});

}  // namespace tenure
