#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace tenure::daemon {

// Which tenants use most slot time, found anew each minute. It remembers those that have used some in the minute, and no others.
// Threads: one at a time.
class TopTenants {
 public:
  static constexpr std::chrono::seconds kWindow{60};

  TopTenants(std::size_t count_max, Instant now) : count_max_(count_max), begun_at_(now) {}

  // A slot was, or is, the tenant's from `since` to `now`; what lies before this minute has been counted. Nothing: untenanted.
  void used(const std::optional<TenantName>& tenant, Instant since, Instant now);
  [[nodiscard]] bool is_over(Instant now) const { return now - begun_at_ >= kWindow; }
  // The minute has passed, and what performs was counted by used(), too.
  void choose(Instant now);

  struct Chosen {
    TenantName name;
    double ratio = 0;  // of all slot time that was used
  };
  // Those with most first, of the last whole minute.
  [[nodiscard]] const std::vector<Chosen>& chosen() const { return chosen_; }

 private:
  std::size_t count_max_;
  Instant begun_at_;
  std::map<TenantName, std::chrono::microseconds> used_by_;
  std::chrono::microseconds used_{0};  // by all, and by what belongs to none
  std::vector<Chosen> chosen_;
};

}  // namespace tenure::daemon
