#include "processes.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <unistd.h>

namespace tenure::bench {
namespace {

std::filesystem::path place_of(pid_t process) { return fmt::format("/proc/{}", process); }

// The fields of /proc/PID/stat from the third on: what stands before may hold blanks.
std::istringstream stat_of(pid_t process) {
  std::ifstream file(place_of(process) / "stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  return std::istringstream{name_end == std::string::npos ? std::string{} : text.substr(name_end + 1)};
}

}  // namespace

std::vector<pid_t> with_children(pid_t process) {
  std::vector<pid_t> found{process};
  std::ifstream children(place_of(process) / fmt::format("task/{}/children", process));
  for (pid_t child = 0; children >> child;) found.push_back(child);
  return found;
}

double cpu_seconds_of(const std::vector<pid_t>& processes) {
  constexpr int kUserTime = 14;  // proc(5), from 1
  double ticks = 0;
  for (const pid_t process : processes) {
    std::istringstream stat = stat_of(process);
    std::string skipped;
    for (int field = 3; field < kUserTime; ++field) stat >> skipped;
    double user = 0;
    double system = 0;
    if (stat >> user >> system) ticks += user + system;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double resident_mib(pid_t process) {
  std::ifstream statm(place_of(process) / "statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::size_t open_files_below(const std::vector<pid_t>& processes, const std::filesystem::path& folder) {
  std::size_t count = 0;
  std::error_code gone;
  for (const pid_t process : processes)
    for (const auto& descriptor : std::filesystem::directory_iterator(place_of(process) / "fd", gone)) {
      const auto file = std::filesystem::read_symlink(descriptor.path(), gone);
      if (file.string().starts_with(folder.string() + "/")) ++count;
    }
  return count;
}

}  // namespace tenure::bench
