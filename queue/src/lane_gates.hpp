#pragma once

#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/pool.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

// The gates of all lanes, from what operators have paused and what the dispatcher has told of its pools. Internal.
namespace tenure::queue {

class LaneGates {
 public:
  // By their numbers in this store, sorted.
  struct Pool {
    bool has_worker = false;
    std::vector<std::int64_t> queues, kinds;
    std::map<std::int64_t, std::int64_t> schemas = {};  // PoolRecord::schemas
    PoolTenants::Rule rule = PoolTenants::Rule::all;
    std::vector<std::int64_t> tenants = {};  // of the rule
    [[nodiscard]] bool takes(TenantNumber tenant) const;
    std::vector<std::int64_t> reads_only = {};          // PoolRecord::reads_only
  };
  // Nobody has told anything of pools.
  LaneGates() = default;
  explicit LaneGates(std::vector<Pool> pools) : is_told_(true), pools_(std::move(pools)) {}

  // By their numbers, sorted; where a dispatcher is seen to run or not.
  void set_paused(std::vector<std::int64_t> queues, std::vector<std::int64_t> kinds) {
    paused_queues_ = std::move(queues);
    paused_kinds_ = std::move(kinds);
  }
  // Which tenants' databases have had fewer migrations than that.
  void set_behind(std::map<TenantNumber, std::int64_t> behind) { behind_ = std::move(behind); }
  [[nodiscard]] bool is_queue_paused(QueueNumber queue) const;
  [[nodiscard]] bool is_kind_paused(KindNumber kind) const;
  // Nothing where nobody has told anything.
  [[nodiscard]] std::optional<std::vector<PoolForLane>> pools_for(TenantNumber tenant, QueueNumber queue,
                                                                  KindNumber kind) const;
  // Whether somebody performs it who says that its jobs only read.
  [[nodiscard]] bool reads_only(QueueNumber queue, KindNumber kind) const;
  [[nodiscard]] JobReason of(TenantNumber tenant, QueueNumber queue, KindNumber kind) const;

 private:
  bool is_told_ = false;
  std::vector<Pool> pools_;
  std::vector<std::int64_t> paused_queues_, paused_kinds_;
  std::map<TenantNumber, std::int64_t> behind_;
};

}  // namespace tenure::queue
