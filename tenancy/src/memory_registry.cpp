#include <tenure/base/error.hpp>
#include <tenure/tenancy/memory_registry.hpp>

#include <fmt/format.h>

namespace tenure {

std::optional<TenantRecord> MemoryRegistry::find(const TenantName& name) {
  const std::lock_guard lock{mutex_};
  const auto found = tenants_.find(name);
  if (found == tenants_.end()) return std::nullopt;
  return found->second.back();
}

Result<TenantRecord> MemoryRegistry::begin_create(const TenantName& name, WallTime now) {
  const std::lock_guard lock{mutex_};
  std::vector<TenantRecord>& generations = tenants_[name];
  std::int64_t generation = 1;
  if (!generations.empty()) {
    const TenantRecord& newest = generations.back();
    if (newest.state == TenantState::provisioning) return newest;
    if (newest.state != TenantState::deleted)
      return fail(ErrorCode::tenant_exists,
                  fmt::format("{} is there and {}", name.text(), name_of(newest.state)), name.text());
    generation = newest.generation.value + 1;
  }
  generations.push_back({.number = TenantNumber{++last_number_},
                         .name = name,
                         .generation = Generation{generation},
                         .state = TenantState::provisioning,
                         .created = now});
  return generations.back();
}

Result<void> MemoryRegistry::activate(const TenantName& name, Generation generation) {
  const std::lock_guard lock{mutex_};
  const auto found = tenants_.find(name);
  if (found == tenants_.end() || found->second.back().generation != generation ||
      found->second.back().state != TenantState::provisioning)
    return fail(ErrorCode::stale_generation,
                fmt::format("generation {} of {} is not being provisioned", generation.value, name.text()),
                name.text());
  found->second.back().state = TenantState::active;
  return {};
}

void MemoryRegistry::abandon_create(const TenantName& name, Generation generation) {
  const std::lock_guard lock{mutex_};
  const auto found = tenants_.find(name);
  if (found == tenants_.end()) return;
  const TenantRecord& newest = found->second.back();
  if (newest.generation != generation || newest.state != TenantState::provisioning) return;
  found->second.pop_back();
  if (found->second.empty()) tenants_.erase(found);
}

std::vector<TenantRecord> MemoryRegistry::list(const std::optional<TenantName>& after, std::size_t limit) {
  const std::lock_guard lock{mutex_};
  std::vector<TenantRecord> records;
  for (auto it = after ? tenants_.upper_bound(*after) : tenants_.begin();
       it != tenants_.end() && records.size() < limit; ++it)
    if (it->second.back().state != TenantState::deleted) records.push_back(it->second.back());
  return records;
}

void MemoryRegistry::set_state(const TenantName& name, TenantState state) {
  const std::lock_guard lock{mutex_};
  const auto found = tenants_.find(name);
  TENURE_INVARIANT(found != tenants_.end());
  found->second.back().state = state;
}

}  // namespace tenure
