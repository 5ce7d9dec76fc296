#include "loop.hpp"

#include <tenure/config/log_options.hpp>

#include <unistd.h>

namespace tenure::daemon {

control::DaemonView Loop::view() const {
  CrewStatus crew = dispatcher_.crew();
  control::DaemonView view{.pid = ::getpid(),
                           .node = config::node_name(settings_),
                           .holder = {},
                           .can_replace = host_.can_replace(),
                           .status = dispatcher_.status(),
                           .pools = std::move(crew.pools),
                           .workers = {},
                           .now = now(),
                           .waiting = waiting_};
  for (ProcessStatus& process : crew.processes) {
    const auto link = links_.find(process.number);
    const std::string version =
        link == links_.end() ? "" : std::as_const(*link->second).end().program_version();
    const pid_t pid = host_.pid_of(process.number);
    view.workers.push_back({std::move(process), pid, version});
  }
  return view;
}

}  // namespace tenure::daemon
