#include <tenure/config/control_socket.hpp>
#include <tenure/config/load.hpp>

#include <gtest/gtest.h>

namespace tenure::config {
namespace {

Settings settings_of(const std::string& socket) {
  return load_settings({.environment = {{"TENURE_DAEMON_CONTROL_SOCKET", socket}}}).settings;
}

TEST(ControlSocket, GoesWithTheControlDatabase) {
  Settings settings;
  EXPECT_EQ(control_socket_path(settings), "/run/tenure/control.sock") << "as the service has it";
  settings.store.path = "/srv/data/control.db";
  EXPECT_EQ(control_socket_path(settings), "/srv/data/control.db-run/control.sock");
  EXPECT_EQ(standby_socket_path(control_socket_path(settings)),
            "/srv/data/control.db-run/control.sock-standby");
}

TEST(ControlSocket, IsWhereItIsSaidOrNowhere) {
  EXPECT_EQ(control_socket_path(settings_of("/srv/run/tenure.sock")), "/srv/run/tenure.sock");
  EXPECT_EQ(control_socket_path(settings_of("")), "");
  EXPECT_EQ(control_socket_path(settings_of("auto")), "/run/tenure/control.sock");
  EXPECT_THROW((void)settings_of("automatic"), BadConfiguration);
  EXPECT_THROW((void)settings_of("run/control.sock"), BadConfiguration);
}

}  // namespace
}  // namespace tenure::config
