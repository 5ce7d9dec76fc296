#pragma once

#include <tenure/queue/outbox.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace tenure::detail {

// For which epoch of each tenant's file this process has set a mark that is on disk, and the greatest number that it has seen there. To forget
// one costs a commit, and nothing else.
// Threads: every method from any thread.
class MarkedFiles {
 public:
  static constexpr std::size_t kMax = 100'000;  // then it begins anew

  // False also where the file has given less than it had: it is an older copy, and the store is to say so.
  [[nodiscard]] bool has(const queue::OutboxOwner& owner, const queue::OutboxState& file) const;
  void add(const queue::OutboxOwner& owner, const queue::OutboxState& file);
  // Rows up to that number were committed there.
  void saw(const queue::OutboxOwner& owner, queue::OutboxSeq newest);

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<TenantName, Generation>, queue::OutboxState> files_;
};

}  // namespace tenure::detail
