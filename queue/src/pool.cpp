#include <tenure/queue/pool.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace tenure::queue {

bool PoolTenants::takes(std::string_view tenant) const {
  switch (rule) {
    case Rule::all:
      return true;
    case Rule::only:
      return std::ranges::binary_search(names, tenant);
    case Rule::all_but:
      return !std::ranges::binary_search(names, tenant);
  }
  return true;
}

std::string text_of(const PoolTenants& tenants) {
  if (tenants.rule == PoolTenants::Rule::all) return "all";
  return fmt::format("{} {}", tenants.rule == PoolTenants::Rule::only ? "only" : "all but",
                     fmt::join(tenants.names, ", "));
}

// Slots that are kept for the best are kept from all others, so what is kept adds up. One is left for all, also where more are kept than
// there are: processes may be missing, and a program that performs by itself is one where its configuration says several.
std::int64_t room_beside(std::span<const KeptSlots> kept, std::int64_t slots, Priority priority) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  std::int64_t better = 0;
  for (const KeptSlots& each : kept) {
    better = std::min(better + each.reserved.slots, std::max<std::int64_t>(0, slots - 1));
    if (priority > each.reserved.priority) room = std::min(room, slots - better - each.worse);
  }
  return std::max<std::int64_t>(0, room);
}

bool are_kept_from(std::span<const ReservedSlots> reserved, Priority priority) {
  return std::ranges::any_of(reserved, [&](const ReservedSlots& each) { return priority > each.priority; });
}

}  // namespace tenure::queue
