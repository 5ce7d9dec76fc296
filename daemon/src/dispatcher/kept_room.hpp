#pragma once

#include "processes.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/pool.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// How many more jobs of a priority may start in a pool of which slots are kept for better ones: by what its processes hold, and what the
// plan that is being made has added. Where none are kept it counts nothing.
namespace tenure::daemon {

class KeptRoom {
 public:
  KeptRoom(std::span<const queue::ReservedSlots> reserved, std::size_t pool, const Processes& processes);

  [[nodiscard]] std::int64_t room(queue::Priority priority) const {
    return queue::room_beside(kept_, slots_, priority);
  }
  // One that slots are kept from is not assigned ahead: the slot that falls free next may be a kept one.
  [[nodiscard]] bool may_wait_ahead(queue::Priority priority) const;
  void planned(queue::Priority priority, std::size_t jobs);

 private:
  std::int64_t slots_ = 0;  // of the processes that take jobs
  std::vector<queue::KeptSlots> kept_;
};

// Those of all pools as they stand now, each counted when it is first asked for.
class KeptRooms {
 public:
  // Both must outlive it.
  KeptRooms(const DispatcherSettings& settings, const Processes& processes)
      : settings_(settings), processes_(processes), rooms_(settings.pools.size()) {}

  [[nodiscard]] const KeptRoom& of(std::size_t pool);
  // How many were.
  [[nodiscard]] std::size_t counted() const { return counted_; }

 private:
  const DispatcherSettings& settings_;
  const Processes& processes_;
  std::vector<std::optional<KeptRoom>> rooms_;
  std::size_t counted_ = 0;
};

}  // namespace tenure::daemon
