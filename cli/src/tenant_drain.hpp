#pragma once

#include "session.hpp"

#include <tenure/queue/filter.hpp>
#include <tenure/queue/shown_state.hpp>
#include <tenure/queue/store.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// How the jobs of a tenant come to their end that is deleted, or put back from a copy.
namespace tenure::cli {

inline constexpr std::array kWaitingStates{queue::ShownState::scheduled, queue::ShownState::ready,
                                           queue::ShownState::held, queue::ShownState::blocked};

// Those of the generations that are in one of the states.
[[nodiscard]] queue::Filter jobs_of_generations(const TenantName& tenant, queue::Range generations,
                                                std::span<const queue::ShownState> states);

// What audit records say: "acme, generation 3, held".
[[nodiscard]] std::string generation_subject(const TenantRecord& tenant, std::string_view what);

struct DrainRules {
  queue::Filter waiting;                                                  // what is not to start any more
  std::function<Result<void>(queue::StoreWriter&, queue::JobId)> settle;  // is done to each of them
  std::string_view settled;                                               // as the audit record says it
  // Is done to a claim that a daemon which died has left.
  std::function<Result<void>(queue::StoreWriter&, queue::ClaimRef)> end_claim;
  std::string_view ended;
};

// The tenant is draining: what waits is settled, and what runs may end until --drain is over, and is told to stop then.
class TenantDrain {
 public:
  TenantDrain(Session& session, const TenantRecord& tenant, DrainRules rules)
      : session_(session), tenant_(tenant), rules_(std::move(rules)) {}

  // Until none waits and none runs. TenantBusy where one runs on though it was told to stop: the same command goes on from there.
  void run();
  // Those that wait by now; run() does it too.
  void settle_waiting();

  [[nodiscard]] std::int64_t settled() const { return settled_; }
  [[nodiscard]] std::int64_t told_to_stop() const { return told_to_stop_; }
  [[nodiscard]] std::int64_t claims_ended() const { return claims_ended_; }

 private:
  [[nodiscard]] const Clock& clock() const { return session_.environment().clock; }
  [[nodiscard]] bool has_dispatcher();
  void tell_to_stop(const queue::Filter& running);  // each of them
  void end_claims(std::span<const queue::JobRecord> jobs);
  void wait_for(std::size_t jobs, Instant bound);

  Session& session_;
  const TenantRecord& tenant_;
  DrainRules rules_;
  std::int64_t settled_ = 0;
  std::int64_t told_to_stop_ = 0;
  std::int64_t claims_ended_ = 0;
};

}  // namespace tenure::cli
