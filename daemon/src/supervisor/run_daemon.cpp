#include "../loop/settings_for_program.hpp"
#include "exec_host.hpp"

#include <tenure/daemon/daemon.hpp>

#include <memory>

namespace tenure::daemon {

int run_daemon(const config::Settings& settings, const std::filesystem::path& config_file) {
  return run_dispatcher(settings, [&](const boost::asio::any_io_executor& executor, int lock_descriptor) {
    return std::make_unique<ExecHost>(executor, ExecHost::Environment{config_file, lock_descriptor});
  });
}

}  // namespace tenure::daemon
