#pragma once

#include <tenure/queue/outbox.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

// The outboxes of tenants' files, and who brings their rows to a store when nobody else does: for the simulation.
namespace tenure::simulation {

class SimulatedOutboxes {
 public:
  // Rows that a report has at most: few, so that some files are not told to their end.
  static constexpr std::size_t kPageRows = 3;

  // One step of `once`: its children are rows, unless an earlier run of the job has made it. Whether it was made now.
  bool commit(const queue::OutboxOwner& owner, queue::JobId job, const std::vector<queue::NewJob>& children);
  // Of a run of the job that has made the step.
  [[nodiscard]] queue::OutboxReport report(const queue::OutboxOwner& owner, queue::JobId job) const;
  // Of a process that was told that they are jobs.
  void clear(const queue::OutboxOwner& owner, queue::OutboxSeq watermark);
  // Steps A5 to A8 for each mark.
  void sweep(queue::Store& store, WallTime now);

  // That are no jobs of the store. Rows may stay that are, where nobody lived to be told.
  [[nodiscard]] std::int64_t rows_left(queue::Store& store) const;
  std::int64_t swept = 0;  // rows that became jobs by a sweep

 private:
  struct File {
    queue::OutboxRows outbox;
    std::map<queue::JobId, queue::OutboxSeq> receipts;  // and the last row of each
  };
  using Key = std::pair<TenantName, Generation>;
  static Key key_of(const queue::OutboxOwner& owner) { return {owner.tenant, owner.generation}; }
  std::map<Key, File> files_;
};

}  // namespace tenure::simulation
