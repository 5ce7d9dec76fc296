#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/cli/run.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tenure::cli {

// As Environment::run_tenured says. DiskError where it cannot be started.
[[nodiscard]] ProgramAnswer run_tenured(const std::vector<std::string>& arguments,
                                        FunctionRef<void(std::string_view)> on_output);

}  // namespace tenure::cli
