#pragma once

#include "metric.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::daemon {

// Whether this process lives, can do work now, and has begun to: what orchestrators and load balancers ask. A machine without I/O, which
// is told what the dispatcher is told. No answer names a tenant.
// Threads: one at a time.
class Health {
 public:
  // A loop that has not ticked for longer is stuck.
  static constexpr std::chrono::seconds kLoopMax{10};
  // A store that has owed an answer for longer is away.
  static constexpr std::chrono::seconds kStoreMax{5};
  // Less than this is a full disk: the next checkpoint or growing log may not fit.
  static constexpr std::uint64_t kFreeMin = 32ULL << 20U;  // bytes

  enum class Probe : std::uint8_t {
    live,     // the loop turns; asks nothing of the store, so that no restart is made of a disk's trouble
    ready,    // jobs that are enqueued now are performed
    started,  // it has dispatched once
  };

  explicit Health(Instant now)
      : ticked_at_(now), lock_since_(now), workers_since_(now), serving_since_(now) {}

  // The loop has come round to us: to be called each second.
  void ticked(Instant now) { ticked_at_ = now; }
  // By operators, who know: it changes what is said, not whether it is well.
  void pools_are_quiet(bool all) { is_quiet_ = all; }
  // The control database is ours to dispatch.
  void lock_taken(Instant now);
  // What the dispatcher is told, and what it wants of the store.
  void happened(const Event& event, Instant now);
  void decided(const Actions& actions, Instant now);
  // What is free where the control database lies.
  void disk_looked_at(std::uint64_t free_bytes, Instant now);

  struct Check {
    std::string_view name;
    bool is_ok = false;
    std::chrono::microseconds age{0};  // since it was last seen to be so
    std::string_view says;
  };
  struct Answer {
    bool is_ok = false;  // all checks are
    std::vector<Check> checks;
  };
  [[nodiscard]] Answer answer(Probe probe, Instant now) const;
  void add_to(MetricFamilies& families, Instant now) const;

 private:
  [[nodiscard]] Check loop(Instant now) const;
  [[nodiscard]] Check serving(Instant now) const;
  [[nodiscard]] Check lock(Instant now) const;
  [[nodiscard]] Check store(Instant now) const;
  [[nodiscard]] Check workers(Instant now) const;
  [[nodiscard]] Check disk(Instant now) const;
  void store_answered(Instant now);
  void set_serving(bool is_serving, Instant now);

  Instant ticked_at_;
  Instant lock_since_;
  bool has_lock_ = false;
  // The first question of the store since its last answer that said yes.
  std::optional<Instant> asked_since_;
  std::optional<Instant> answered_at_;
  std::set<ProcessNumber> workers_;  // that have said hello and live
  Instant workers_since_;
  bool has_served_ = false;
  bool is_serving_ = false;  // from its first claim to the stop
  Instant serving_since_;
  bool is_quiet_ = false;
  std::optional<Instant> disk_at_;
  bool is_disk_full_ = false;
};

// As the listener sends it.
[[nodiscard]] std::string json_of(const Health::Answer& answer);

}  // namespace tenure::daemon
