#pragma once

#include "child.hpp"
#include "measure.hpp"
#include "named_pipe.hpp"

#include <filesystem>

// The yardstick of what waits for a job: a process of its own that sleeps on a pipe, claims one job in plain C and says when.
namespace tenure::bench {

// The program that runs, in that role. Its main asks was_plain_starter() first.
[[nodiscard]] Child start_plain_starter(const std::filesystem::path& database, const NamedPipe& wake,
                                        const NamedPipe& starts, const std::filesystem::path& log);
// Plays the role, if it is this process's, until it is killed.
[[nodiscard]] bool was_plain_starter(const Options& options);

}  // namespace tenure::bench
