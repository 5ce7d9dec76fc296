#pragma once

#include <tenure/queue/outbox.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace tenure::detail {

// For which epoch of each tenant's file this process has set a mark that is on disk. To forget one costs a commit, and nothing else.
// Threads: every method from any thread.
class MarkedFiles {
 public:
  static constexpr std::size_t kMax = 100'000;  // then it begins anew

  [[nodiscard]] bool has(const queue::OutboxOwner& owner, std::int64_t epoch) const;
  void add(const queue::OutboxOwner& owner, std::int64_t epoch);

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<TenantName, Generation>, std::int64_t> epochs_;
};

}  // namespace tenure::detail
