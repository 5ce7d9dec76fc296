#pragma once

#include <tenure/jobs/context.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <optional>
#include <set>
#include <string>

namespace tenure::detail {

// What JobContext stands for: one attempt while it runs.
struct JobRun {
  const queue::AssignedJob& job;
  const queue::StopSignal& stop;
  HandleCache& handles;
  const Clock& clock;
  const std::string& application;
  Instant started;
  std::string global_id = {};  // made when it is asked for
  std::optional<HandleLease> lease = std::nullopt;
  std::set<std::string, std::less<>> steps = {};
  bool may_know_of_stop = false;  // its handler has asked for the token, or was told that it is to stop
};

}  // namespace tenure::detail
