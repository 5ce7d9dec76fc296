#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/strong.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tenure {

// What should be (the registry) and what can be (the stamp) use the same words. Stored: never renumber; a new
// state takes the next number and a row in the table of ARCHITECTURE.md.
enum class TenantState : std::uint8_t {
  provisioning = 1,
  active = 2,
  paused = 3,
  read_only = 4,
  migrating = 5,
  failed = 6,
  draining = 7,
  deleted = 8,
};
[[nodiscard]] std::string_view name_of(TenantState state);
[[nodiscard]] std::optional<TenantState> tenant_state_named(std::string_view name);

// Interned (name, generation). Only inside a control database.
using TenantNumber = Strong<struct TenantNumberTag, std::int64_t>;

struct TenantRecord {
  TenantNumber number;
  TenantName name;
  Generation generation;
  TenantState state = TenantState::provisioning;
  WallTime created;
};

// The catalogue of tenants: what should be. Its tables lie in the control database, so that an enqueue checks
// tenant and generation in its own commit. Not for users to implement. Threads: every method from any thread.
// Changes are durable when they return.
class TenantRegistry {
 public:
  virtual ~TenantRegistry() = default;

  // The newest generation of that name, also when it is deleted.
  [[nodiscard]] virtual std::optional<TenantRecord> find(const TenantName& name) = 0;

  // A row in state `provisioning`: a new one (generation 1, or one more than the deleted tenant's), or the
  // one that a creator left behind. The caller has made sure, by the lock of create_tenant, that no other
  // creator of that name is at work. TenantExists where the tenant is in any other live state.
  [[nodiscard]] virtual Result<TenantRecord> begin_create(const TenantName& name, WallTime now) = 0;
  // provisioning -> active. StaleGeneration where the row is another one by now.
  [[nodiscard]] virtual Result<void> activate(const TenantName& name, Generation generation) = 0;
  // Takes back a begin_create whose tenant could not be built; the name is free again.
  virtual void abandon_create(const TenantName& name, Generation generation) = 0;

  // Live tenants in the order of their names, those after `after`, at most `limit`.
  [[nodiscard]] virtual std::vector<TenantRecord> list(const std::optional<TenantName>& after,
                                                       std::size_t limit) = 0;

  // What was visible before the call is on disk when it returns: for answers that rest on another's commit, which may be
  // read before it is synced. Throws where the sync fails.
  virtual void sync() = 0;
};

}  // namespace tenure
