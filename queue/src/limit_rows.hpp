#pragma once

#include <tenure/queue/limit.hpp>

#include <string>
#include <vector>

// What the rules of limits ask of a store's rows. Internal.
namespace tenure::queue {

struct RunningClaim {
  JobSeq seq;
  JobId id;
  Lane lane;
  WallTime started{};
  std::string key;  // of concurrency, as it is stored; empty: none
};

class LimitRows {
 public:
  virtual ~LimitRows() = default;
  // By name.
  [[nodiscard]] virtual std::vector<LimitRecord> limits() = 0;
  // Those per key, by name.
  [[nodiscard]] virtual std::vector<LimitRecord> limits_per_key() = 0;
  // Numbers it.
  virtual void insert(const LimitRecord& limit) = 0;
  virtual void update(const LimitRecord& limit) = 0;
  // With its buckets.
  virtual void erase(LimitNumber number) = 0;
  // Its buckets.
  virtual void forget_starts(LimitNumber number) = 0;
  [[nodiscard]] virtual LimitsMark mark() = 0;
  // Of one limit, by group and number.
  [[nodiscard]] virtual std::vector<StartBucket> buckets(LimitNumber number) = 0;
  // All, by sequence.
  [[nodiscard]] virtual std::vector<RunningClaim> claims() = 0;
  [[nodiscard]] virtual std::string name_of(QueueNumber queue) = 0;
  [[nodiscard]] virtual std::string name_of(KindNumber kind) = 0;
  // "none" for the untenanted jobs.
  [[nodiscard]] virtual std::string name_of(TenantNumber tenant) = 0;
};

}  // namespace tenure::queue
