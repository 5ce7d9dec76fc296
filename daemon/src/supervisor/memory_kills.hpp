#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// How many processes the kernel has ended for want of memory, for whether one of ours may have been among them.
namespace tenure::daemon {

// Of the whole machine, since it was started; nothing where the kernel does not tell. It only grows.
[[nodiscard]] std::optional<std::int64_t> memory_kills();

// The same, of the text of /proc/vmstat.
[[nodiscard]] std::optional<std::int64_t> memory_kills_in(std::string_view vmstat);

}  // namespace tenure::daemon
