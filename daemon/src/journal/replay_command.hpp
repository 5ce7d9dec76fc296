#pragma once

#include <string>
#include <vector>

// `tenured --replay-journal FILE [--from N] [--events] [--json]`: what `tenure replay journal FILE` starts, since only tenured has a
// dispatcher to replay with.
namespace tenure::daemon::journal {

inline constexpr const char* kReplayOption = "--replay-journal";

// `arguments` begin with kReplayOption. Prints to standard output; 0 where the replay agrees, 1 where it differs, 2 for arguments that
// mean nothing. Error: why the file cannot be replayed.
[[nodiscard]] int replay_command(const std::vector<std::string>& arguments,
                                 const std::string& program_version);

}  // namespace tenure::daemon::journal
