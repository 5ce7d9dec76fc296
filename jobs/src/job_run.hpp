#pragma once

#include <tenure/jobs/context.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <optional>
#include <set>
#include <string>

namespace tenure::detail {

// What JobContext stands for: one attempt while it runs.
struct JobRun {
  const PerformRequest& request;
  HandleCache& handles;
  const Clock& clock;
  const std::string& application;
  std::string kind;
  std::string global_id = {};  // made when it is asked for
  std::optional<HandleLease> lease = std::nullopt;
  std::set<std::string, std::less<>> steps = {};
};

}  // namespace tenure::detail
