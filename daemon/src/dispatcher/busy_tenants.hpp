#pragma once

#include "remembered.hpp"

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
// releasing its jobs in a circle, and then tried by one job before the others follow. It knows no lanes.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kBusyParkMin{250};
inline constexpr std::chrono::milliseconds kBusyParkMax{30'000};
// For what is wrong with the world and not with the tenant: when it is put right, work goes on within five seconds.
inline constexpr std::chrono::milliseconds kTroubleParkMax{4'000};
// A probe that has not ended by then keeps nobody from trying again.
inline constexpr std::chrono::milliseconds kProbeMax{30'000};
// After so long without another release the next wait is the shortest again.
inline constexpr std::chrono::minutes kBusyForget{10};

enum class TenantPause : std::uint8_t {
  none,
  flat,     // something was busy that others may use up, too: the tenant's next jobs wait kBusyParkMin
  growing,  // the tenant itself is not ready: twice as long each time, until one of its jobs ends otherwise
  trouble,  // its file cannot be used now: likewise, up to kTroubleParkMax
};

class BusyTenants {
 public:
  // A job of the tenant was released. What was started before the tenant was parked does not lengthen the wait. Whether what is
  // open of it may have changed by that. `pause` is not `none`.
  [[nodiscard]] bool released(TenantNumber tenant, Instant now, TenantPause pause);
  // A job of it has ended otherwise: the next wait is the shortest again, and what is left of this one no longer than that. Whether
  // what is open of it may have changed.
  [[nodiscard]] bool ended(TenantNumber tenant, Instant now);
  // No job may be claimed.
  [[nodiscard]] bool is_parked(TenantNumber tenant) const;
  // One job may be claimed, to see whether the tenant is ready by now.
  [[nodiscard]] bool is_probed(TenantNumber tenant) const;
  // That job is planned: no other until it has ended.
  void probe_sent(TenantNumber tenant);
  // It was never claimed, or came back without having run. Whether there was one.
  [[nodiscard]] bool probe_failed(TenantNumber tenant);
  // Those whose wait is over, in its order; they are parked no more.
  [[nodiscard]] std::vector<TenantNumber> take_due(Instant now);
  [[nodiscard]] std::optional<Instant> next_due() const;

 private:
  enum class Phase : std::uint8_t {
    parked,
    probed,      // the wait is over, and one job may try
    probing,     // that job is on its way; until `until` nobody else
    remembered,  // nothing is withheld, but the next wait goes on from this one
  };
  struct Busy {
    Phase phase = Phase::remembered;
    Instant until;
    std::chrono::milliseconds wait{0};
    TenantPause pause = TenantPause::flat;
  };
  using Order = std::set<std::pair<Instant, TenantNumber>>;
  [[nodiscard]] static bool withholds(Phase phase) {
    return phase == Phase::parked || phase == Phase::probing;
  }
  [[nodiscard]] Order& order_of(Phase phase) { return withholds(phase) ? withheld_until_ : open_since_; }
  void move(TenantNumber tenant, Busy& busy, Phase phase, Instant until);

  std::map<TenantNumber, Busy> busy_;
  Order withheld_until_;
  Order open_since_;  // the others

  TENURE_REMEMBERS(busy, withheld_until, open_since)
};

}  // namespace tenure::daemon
