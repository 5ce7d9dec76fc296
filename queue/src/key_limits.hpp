#pragma once

#include "limit_rows.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

// Limits per key: how many of a concurrency key may run, for jobs of a queue and a kind, beside what each job states. Read once; a
// transaction without keys asks for nothing. Internal.
namespace tenure::queue {

class KeyLimits {
 public:
  // The rows outlive it.
  explicit KeyLimits(LimitRows& rows) : rows_(rows) {}

  // The one that allows the fewest, of those the first by name; null: none takes such jobs.
  [[nodiscard]] const LimitRecord* least(QueueNumber queue, KindNumber kind);
  // What a job of such a lane that states `stated` goes by.
  [[nodiscard]] std::int64_t running_max(std::int64_t stated, QueueNumber queue, KindNumber kind);
  // The same, and which limit says so, of a job of that lane whose own number stands there.
  void tell(const Lane& lane, JobKeys& keys);
  // One of them has changed.
  void forget();

 private:
  LimitRows& rows_;
  std::optional<std::vector<LimitRecord>> limits_;
  std::map<std::pair<QueueNumber, KindNumber>, const LimitRecord*> least_;
};

}  // namespace tenure::queue
