#pragma once

#include <tenure/config/settings.hpp>

#include <filesystem>

namespace tenure::config {

// Where `tenured` listens to operators by these settings, and where they find it; empty: nowhere. By "auto" that depends on the
// control database alone, so that daemon and command line agree whoever they run as: /run/tenure/control.sock for the one that the
// service has, else CONTROL-run/control.sock beside it. Threads: any.
[[nodiscard]] std::filesystem::path control_socket_path(const Settings& settings);

// Where one that stands by listens, beside the socket of the one that dispatches.
[[nodiscard]] std::filesystem::path standby_socket_path(const std::filesystem::path& control_socket);

}  // namespace tenure::config
