#include <tenure/config/control_socket.hpp>

namespace tenure::config {

std::filesystem::path control_socket_path(const Settings& settings) {
  if (settings.daemon.control_socket != kAutomaticSocket) return settings.daemon.control_socket;
  const std::filesystem::path& control = settings.store.path;
  if (control == StoreSettings{}.path) return "/run/tenure/control.sock";
  std::filesystem::path folder = control;
  folder += "-run";
  return folder / "control.sock";
}

std::filesystem::path standby_socket_path(const std::filesystem::path& control_socket) {
  std::filesystem::path path = control_socket;
  path += "-standby";
  return path;
}

}  // namespace tenure::config
