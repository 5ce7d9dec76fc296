#pragma once

#include "session.hpp"

#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace tenure::cli {

// The jobs of one generation: what waits is held for a later one, and what runs comes to its end. The tenant is draining.
class RestoreDrain {
 public:
  RestoreDrain(Session& session, const TenantRecord& tenant) : session_(session), tenant_(tenant) {}

  // Until none waits elsewhere and none runs. TenantBusy where one runs on though it was told to stop: the same command goes on from there.
  void run();
  // What waits elsewhere; what came out of the outbox, once nothing runs.
  void hold_waiting();

  [[nodiscard]] std::int64_t held() const { return held_; }
  [[nodiscard]] std::int64_t stopped() const { return stopped_; }

 private:
  [[nodiscard]] std::vector<queue::JobRecord> running();
  [[nodiscard]] bool has_dispatcher();
  void ask_to_stop(const std::vector<queue::JobRecord>& jobs);
  void release_claims(const std::vector<queue::JobRecord>& jobs);
  void wait_for(std::size_t jobs, Instant bound);

  Session& session_;
  const TenantRecord& tenant_;
  std::int64_t held_ = 0;
  std::int64_t stopped_ = 0;
};

}  // namespace tenure::cli
