#pragma once

#include "controlled.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The bodies of answers: the documents that `tenure ... --json` prints.
namespace tenure::daemon::control {

[[nodiscard]] std::string worker_list_json(const DaemonView& daemon);
[[nodiscard]] std::string worker_show_json(const DaemonView& daemon, const WorkerView& worker);
[[nodiscard]] std::string activity_json(const DaemonView& daemon, const Activity::View& activity);
[[nodiscard]] std::string turn_json(const std::vector<PoolStatus>& pools, const std::vector<PoolTurn>& turns);
// The pools that were asked about, and whether they are quiet now.
[[nodiscard]] std::string pools_json(std::string_view schema, const std::vector<PoolStatus>& pools,
                                     std::optional<std::size_t> asked);
[[nodiscard]] std::string processes_json(std::string_view schema,
                                         const std::vector<ProcessNumber>& processes);
[[nodiscard]] std::string reload_json(const Reloaded& reloaded);
[[nodiscard]] std::string journal_json(const JournalView& journal);
[[nodiscard]] std::string journal_dump_json(const journal::Dump& dump);

}  // namespace tenure::daemon::control
