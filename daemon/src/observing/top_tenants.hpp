#pragma once

#include "runs.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace tenure::daemon {

// Which tenants use most slot time, found anew in each window of time. It remembers those that have used some in it, and no others.
// Threads: one at a time.
class TopTenants {
 public:
  TopTenants(std::size_t count_max, std::chrono::seconds window, Instant now)
      : count_max_(count_max), window_(window), begun_at_(now) {}

  // A slot was, or is, the tenant's until `now` since the run began; what lies before this window has been counted.
  void used(const Run& run, Instant now);
  [[nodiscard]] bool is_over(Instant now) const { return now - begun_at_ >= window_; }
  // The window has passed, and what performs was counted by used(), too.
  void choose(Instant now);

  struct Chosen {
    TenantName name;
    double ratio = 0;  // of all slot time that was used
  };
  // Those with most first, of the last whole window.
  [[nodiscard]] const std::vector<Chosen>& chosen() const { return chosen_; }

 private:
  struct Used {
    TenantName name;
    std::chrono::microseconds time{0};
  };
  std::size_t count_max_;
  std::chrono::microseconds window_;
  Instant begun_at_;
  std::unordered_map<TenantNumber, Used> used_by_;  // iterated only to be sorted
  std::chrono::microseconds used_{0};               // by all, and by what belongs to none
  std::vector<Chosen> chosen_;
};

}  // namespace tenure::daemon
