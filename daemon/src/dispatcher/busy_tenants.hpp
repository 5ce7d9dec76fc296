#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/registry.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

// Tenants whose jobs were released, since the tenant is busy or not ready: each is left alone for a while instead of claiming and
// releasing its jobs in a circle. It knows no lanes.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kBusyParkMin{250};
inline constexpr std::chrono::milliseconds kBusyParkMax{30'000};
// After so long without another release the next wait is the shortest again.
inline constexpr std::chrono::minutes kBusyForget{10};

enum class TenantPause : std::uint8_t {
  none,
  flat,     // something was busy that others may use up, too: the tenant's next jobs wait kBusyParkMin
  growing,  // the tenant itself is not ready: twice as long each time, until one of its jobs ends otherwise
};

class BusyTenants {
 public:
  // A job of the tenant was released. What was started before the tenant was parked does not lengthen the wait. Whether it is
  // parked by that. `pause` is not `none`.
  [[nodiscard]] bool released(TenantNumber tenant, Instant now, TenantPause pause);
  // A job of it has ended otherwise: the next wait is the shortest again, and what is left of this one no longer than that.
  void ended(TenantNumber tenant, Instant now);
  [[nodiscard]] bool is_parked(TenantNumber tenant) const;
  // Those whose wait is over, in its order; they are parked no more.
  [[nodiscard]] std::vector<TenantNumber> take_due(Instant now);
  [[nodiscard]] std::optional<Instant> next_due() const;

 private:
  struct Busy {
    Instant until;
    std::chrono::milliseconds wait{0};
    bool is_parked = false;
  };
  using Order = std::set<std::pair<Instant, TenantNumber>>;
  std::map<TenantNumber, Busy> busy_;
  Order parked_until_;     // those that are parked
  Order remembered_from_;  // the others, by the end of their parking
};

}  // namespace tenure::daemon
