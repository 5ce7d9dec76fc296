#pragma once

#include <tenure/base/log.hpp>
#include <tenure/config/settings.hpp>

#include <string>

namespace tenure::config {

// daemon.node, or this machine's own name.
[[nodiscard]] std::string node_name(const Settings& settings);

// Where lines go by [log].
[[nodiscard]] log::Options log_options(const Settings& settings);

}  // namespace tenure::config
