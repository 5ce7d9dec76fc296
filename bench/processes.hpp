#pragma once

#include <cstddef>
#include <filesystem>
#include <sys/types.h>
#include <vector>

// What processes cost, from /proc. One that has ended costs nothing. Threads: any.
namespace tenure::bench {

// This one and those that it has started, which live.
[[nodiscard]] std::vector<pid_t> with_children(pid_t process);
// User and system.
[[nodiscard]] double cpu_seconds_of(const std::vector<pid_t>& processes);
[[nodiscard]] double resident_mib(pid_t process);
// How many descriptors of all of them are of files below `folder`.
[[nodiscard]] std::size_t open_files_below(const std::vector<pid_t>& processes,
                                           const std::filesystem::path& folder);

}  // namespace tenure::bench
