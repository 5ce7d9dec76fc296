#pragma once

#include <tenure/cli/run.hpp>

#include <string>
#include <vector>

namespace tenure::cli {

// As Environment::run_tenured says. DiskError where it cannot be started.
[[nodiscard]] ProgramAnswer run_tenured(const std::vector<std::string>& arguments);

}  // namespace tenure::cli
