#pragma once

#include <tenure/config/settings.hpp>

#include <filesystem>

namespace tenure::config {

// Where capsules lie by these settings: worker processes put them there, and the command line looks for them there. By "auto" it is
// `capsules` beside the control database. Threads: any.
[[nodiscard]] std::filesystem::path capsule_folder(const Settings& settings);

}  // namespace tenure::config
