#pragma once

#include <tenure/queue/outbox.hpp>

#include <cstddef>
#include <mutex>
#include <set>
#include <utility>

namespace tenure::detail {

// At which tenants' outboxes this process has looked. A power cut may leave rows of a run in their file and have undone its claim, so that
// nobody knows that they are there: then all processes are new, and the first run of the tenant in one of them tells of them. To forget
// costs a look, and nothing else.
// Threads: every method from any thread.
class SeenOutboxes {
 public:
  static constexpr std::size_t kMax = 100'000;  // then it begins anew

  [[nodiscard]] bool has(const queue::OutboxOwner& owner) const;
  void add(const queue::OutboxOwner& owner);

 private:
  mutable std::mutex mutex_;
  std::set<std::pair<TenantName, Generation>> owners_;
};

}  // namespace tenure::detail
