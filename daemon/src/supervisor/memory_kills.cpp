#include "memory_kills.hpp"

#include <tenure/base/system.hpp>

#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

constexpr std::size_t kVmstatBytesMax = 64UL * 1024;  // about 5 KiB on Linux 6

}  // namespace

std::optional<std::int64_t> memory_kills() {
  const Descriptor file{::open("/proc/vmstat", O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return std::nullopt;
  const auto text = read_up_to(file.number(), kVmstatBytesMax);
  return text ? memory_kills_in(*text) : std::nullopt;
}

// Those of each cgroup's own limit are counted there too.
std::optional<std::int64_t> memory_kills_in(std::string_view vmstat) {
  constexpr std::string_view kName = "\noom_kill ";
  const std::size_t place = vmstat.find(kName);
  if (place == std::string_view::npos) return std::nullopt;
  const std::string_view number = vmstat.substr(place + kName.size());
  std::int64_t kills = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), kills);
  if (error != std::errc{}) return std::nullopt;
  return kills;
}

}  // namespace tenure::daemon
