#pragma once

#include <tenure/base/log.hpp>
#include <tenure/config/load.hpp>
#include <tenure/config/settings.hpp>

#include <string>

namespace tenure::config {

// daemon.node, or this machine's own name.
[[nodiscard]] std::string node_name(const Settings& settings);

// Where lines go by [log].
[[nodiscard]] log::Options log_options(const Settings& settings);
// The same for a program that has a configuration for its jobs and not for its lines: warnings and errors, unless log.level is said.
[[nodiscard]] log::Options log_options_of_application(const LoadedSettings& loaded);

}  // namespace tenure::config
