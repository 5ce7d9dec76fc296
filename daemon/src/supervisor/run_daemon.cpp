#include "../journal/crash_file.hpp"
#include "../loop/settings_for_program.hpp"
#include "../observing/probes.hpp"
#include "exec_host.hpp"

#include <tenure/daemon/daemon.hpp>

#include <memory>

namespace tenure::daemon {

int run_daemon(const config::Settings& settings, const std::filesystem::path& config_file) {
  const auto read_settings = [&] {
    const ProgramSettings loaded = settings_for_program(config_file.string());
    refuse_without_pools(loaded, ", so nothing would ever run");
    log_warnings(loaded);
    return loaded.settings;
  };
  return run_dispatcher(
      settings, read_settings,
      [&](const boost::asio::any_io_executor& executor, const InForce& in_force) {
        return std::make_unique<ExecHost>(executor, WorkerSurroundings{config_file, in_force.lock_descriptor,
                                                                       in_force.settings, in_force.keys});
      },
      make_probes,
      [](const journal::Keeper& keeper, WallTime now) {
        return std::make_shared<journal::CrashFile>(keeper, now);
      });
}

}  // namespace tenure::daemon
