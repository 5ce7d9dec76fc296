#pragma once

#include "../protocol/daemon_end.hpp"

#include <tenure/config/settings.hpp>

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace tenure::daemon {

inline constexpr std::size_t kNamesInGreetingMax =
    20;  // of queues and of kinds each; then only how many more

// The log's words for a worker process that has said hello.
[[nodiscard]] std::string greeting_text(pid_t pid, const config::PoolSettings& pool,
                                        const DaemonEnd::Greeted& hello);

}  // namespace tenure::daemon
