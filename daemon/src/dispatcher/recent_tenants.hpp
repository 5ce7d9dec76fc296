#pragma once

#include "remembered.hpp"

#include <tenure/queue/types.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>

// Whose files a process is thought to have open: the tenants that jobs in it have used lately.
namespace tenure::daemon {

// At least so many are remembered, and less than twice as many: more than the handles of most processes, since one that is remembered in
// vain costs nothing.
inline constexpr std::size_t kRecentTenants = 512;

class RecentTenants {
 public:
  void use(TenantNumber tenant) {
    newer_.insert(tenant);
    if (newer_.size() < kRecentTenants) return;
    older_ = std::exchange(newer_, {});
  }
  [[nodiscard]] bool has(TenantNumber tenant) const {
    return newer_.contains(tenant) || older_.contains(tenant);
  }
  [[nodiscard]] std::size_t size() const { return newer_.size() + older_.size(); }

 private:
  std::unordered_set<TenantNumber> newer_, older_;  // never iterated; both may have one

  TENURE_REMEMBERS(newer, older)
};

// Which process of a pool, by its position, a tenant goes to where nothing else decides: the one where this is least. So each gets
// its share of the tenants, also while one would do, and another process in the pool moves no more of them than it takes.
[[nodiscard]] constexpr std::uint64_t distance_from_home(TenantNumber tenant, int position) {
  std::uint64_t mixed = static_cast<std::uint64_t>(tenant.value) * 0x9e37'79b9'7f4a'7c15U +
                        static_cast<std::uint64_t>(position) * 0xd1b5'4a32'd192'ed03U;
  mixed = (mixed ^ (mixed >> 32U)) * 0xd6e8'feb8'6659'fd93U;
  return mixed ^ (mixed >> 32U);
}

}  // namespace tenure::daemon
