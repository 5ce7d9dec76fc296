#pragma once

#include <tenure/daemon/dispatcher.hpp>

#include <string>

namespace tenure::simulation {

// Everything that an action says, as text, so that two courses of actions can be compared byte for byte.
[[nodiscard]] std::string text_of(const daemon::Action& action);
[[nodiscard]] std::string text_of(const daemon::Actions& actions);

}  // namespace tenure::simulation
