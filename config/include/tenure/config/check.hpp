#pragma once

#include <tenure/config/load.hpp>
#include <tenure/config/settings.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// Looks at the machine: whether the files and folders that the settings name can do their work. Creates
// nothing. Threads: any.
namespace tenure::config {

struct MachineFindings {
  std::vector<Problem> problems;  // a daemon must not start
  std::vector<Problem> warnings;
};

// Why a tenured that was built without HTTP does not start.
inline constexpr std::string_view kWithoutHttp =
    "http.probe_listen is set, and this tenured was built without HTTP; leave it empty, or build with "
    "-DTENURE_HTTP=ON";

// What the process that asks has of the machine.
struct Machine {
  std::uint64_t descriptors_limit = 0;     // of open files (RLIMIT_NOFILE), 0 for none
  std::filesystem::path credentials = {};  // the service manager's folder for them; empty: there is none
};

[[nodiscard]] MachineFindings check_machine(const Settings& settings, const Machine& machine);

// What to say where the control database that the settings name is not there: which folder or file is missing, and what makes it.
[[nodiscard]] std::string missing_store_text(const StoreSettings& store);

}  // namespace tenure::config
