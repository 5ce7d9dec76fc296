#pragma once

#include <tenure/queue/types.hpp>
#include <tenure/tenancy/tenant_name.hpp>
#include <tenure/testing/faults.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

// The faults that a test has asked for, for whoever makes them happen.
namespace tenure::testing::detail {

enum class FaultKind : std::uint8_t {
  tenant_gone,
  tenant_busy,
  disk_full,
  disk_full_in,
  clock_jump,
  older_payload,
  crash,
};

struct FaultState {
  FaultKind kind = FaultKind::crash;
  std::string name;
  int asked = 1;
  std::optional<TenantName> tenant = {};
  std::chrono::microseconds jump{0};
  std::optional<queue::JobId> job = {};
  CrashPoint point = CrashPoint::before_claim_commit;
  std::atomic<int> fired = 0;

  [[nodiscard]] bool is_waiting() const { return fired < asked; }
};

// Threads: every method from any, since clients are used by any.
class FaultList {
 public:
  void add(std::shared_ptr<FaultState> fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(std::move(fault));
  }
  // The first of that kind that has not happened as often as it was asked for, and of which `is_meant` holds; null: none. Whoever has it
  // counts it when it has happened, so that no other thread may ask for that kind.
  template <class IsMeant>
  [[nodiscard]] std::shared_ptr<FaultState> next(FaultKind kind, IsMeant&& is_meant) const {
    const std::lock_guard lock(mutex_);
    return find(kind, is_meant);
  }
  // The same, and it has happened.
  template <class IsMeant>
  [[nodiscard]] std::shared_ptr<FaultState> take(FaultKind kind, IsMeant&& is_meant) const {
    const std::lock_guard lock(mutex_);
    auto fault = find(kind, is_meant);
    if (fault != nullptr) ++fault->fired;
    return fault;
  }
  [[nodiscard]] std::vector<std::shared_ptr<FaultState>> waiting() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<FaultState>> waiting;
    for (const auto& fault : faults_)
      if (fault->is_waiting()) waiting.push_back(fault);
    return waiting;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    faults_.clear();
  }

 private:
  template <class IsMeant>
  [[nodiscard]] std::shared_ptr<FaultState> find(FaultKind kind, IsMeant&& is_meant) const {
    for (const auto& fault : faults_)
      if (fault->kind == kind && fault->is_waiting() && is_meant(*fault)) return fault;
    return nullptr;
  }

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<FaultState>> faults_;
};

}  // namespace tenure::testing::detail
