#pragma once

#include "limit_rows.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// How limits stand, from whatever rows, inside one snapshot. Internal.
namespace tenure::queue {

class LimitQuestions {
 public:
  // The rows outlive it.
  explicit LimitQuestions(LimitRows& rows) : rows_(rows) {}

  void set_now(WallTime now);
  // As LimitReader says.
  [[nodiscard]] std::vector<LimitStanding> standings(LimitNumber number, std::size_t limit);
  [[nodiscard]] std::vector<LimitStanding> standings_of(const Lane& lane);
  // The priority does not matter. JobReason::none: no limit is in the way.
  [[nodiscard]] JobReason gate_of(TenantNumber tenant, QueueNumber queue, KindNumber kind);
  // Whose gate that is, as JobRecord::held_by says it.
  [[nodiscard]] std::string held_by(TenantNumber tenant, QueueNumber queue, KindNumber kind);

 private:
  struct Known {
    LimitRecord limit;
    std::map<LimitGroup, LimitUse> uses;   // those that are not empty
    std::map<std::string, LimitUse> keys;  // the same of a limit per key, by the key as it is stored
  };
  // Of the limits that keep the lane, the one that decides; null: none does.
  [[nodiscard]] const Known* deciding(const Lane& lane);
  [[nodiscard]] const std::vector<Known>& known();
  // Indices in known(), without those per key: they gate no lane.
  [[nodiscard]] const std::vector<std::size_t>& taking(QueueNumber queue, KindNumber kind);
  void count_claims(std::vector<Known>& limits);
  void count_keys(Known& known);
  void count_starts(Known& known);
  [[nodiscard]] LimitStanding standing(const Known& known, const LimitGroup& group);
  [[nodiscard]] LimitStanding standing(const Known& known, const std::string& key, const LimitUse& use);
  [[nodiscard]] static LimitGroup group_in(const Known& known, const Lane& lane);
  [[nodiscard]] static LimitUse use_of(const Known& known, const LimitGroup& group);

  LimitRows& rows_;
  std::optional<WallTime> now_;
  std::optional<std::vector<Known>> known_;
  std::map<std::pair<QueueNumber, KindNumber>, std::vector<std::size_t>> taking_;
  std::vector<RunningClaim> claims_;
};

}  // namespace tenure::queue
