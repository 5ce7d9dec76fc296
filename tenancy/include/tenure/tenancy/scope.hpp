#pragma once

#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

// The dynamic extent in which a tenant is current. It is a property of the thread that entered it: new
// threads and posted handlers start with none. The scope never gives a handle or a Global ID its tenant; it
// is what they are compared with.
namespace tenure {

// Says at the place of the call that the scope may be changed to another tenant.
struct AllowSwap {};

namespace detail {
struct ScopeFrame;
}

// One entered scope as an object, for code that cannot be a callable. with_tenant is what applications use.
// Threads: destroy it on the thread that made it; on another one it is only marked as left.
class TenantScope {
 public:
  // The same tenant nests. TenantSwapProhibited inside another tenant's scope; StaleGeneration inside another
  // generation of this one. Generation 0: not known, or the one that is current.
  explicit TenantScope(const TenantName& tenant, Generation generation = {});
  TenantScope(const TenantName& tenant, Generation generation, AllowSwap);
  // Outside every tenant.
  explicit TenantScope(std::nullopt_t);
  ~TenantScope();
  TenantScope(const TenantScope&) = delete;
  TenantScope& operator=(const TenantScope&) = delete;

 private:
  std::shared_ptr<detail::ScopeFrame> frame_;
};

// Runs `function` with `tenant` current and passes its value through. The former scope is back afterwards,
// also when it throws. It does not look whether the tenant exists: the first access to its data does.
// TenantSwapProhibited(from, to) inside another tenant, before `function` runs; BadTenantName for a bad text.
template <class Function>
decltype(auto) with_tenant(const TenantName& tenant, Function&& function) {
  const TenantScope scope{tenant};
  return std::forward<Function>(function)();
}
template <class Function>
decltype(auto) with_tenant(std::string_view tenant, Function&& function) {
  return with_tenant(TenantName{tenant}, std::forward<Function>(function));
}
// The same, also inside another tenant.
template <class Function>
decltype(auto) with_tenant(const TenantName& tenant, AllowSwap allow, Function&& function) {
  const TenantScope scope{tenant, Generation{}, allow};
  return std::forward<Function>(function)();
}
template <class Function>
decltype(auto) with_tenant(std::string_view tenant, AllowSwap allow, Function&& function) {
  return with_tenant(TenantName{tenant}, allow, std::forward<Function>(function));
}

// Runs `function` with no tenant current: access to a tenant's data is NoTenant in there. Entering a tenant
// inside is no swap, since somebody has said explicitly that he left the former one.
template <class Function>
decltype(auto) without_tenant(Function&& function) {
  const TenantScope scope{std::nullopt};
  return std::forward<Function>(function)();
}

[[nodiscard]] std::optional<TenantName> current_tenant();
// 0 where no tenant is current or its scope was entered without one.
[[nodiscard]] Generation current_generation();

// NoTenant, WrongTenant or StaleGeneration unless this tenant is current. Everything that reaches a tenant's
// data calls it. `what` begins the message: "this handle", "the id gid://...".
void require_current(const TenantName& tenant, Generation generation, std::string_view what);

// For the job runner. Scopes that this thread has entered and not left, those of without_tenant included.
[[nodiscard]] std::size_t scope_depth();
// Leaves all of them, so that what an escaped scope left behind cannot reach the next job; returns how many
// there were.
std::size_t leave_all_scopes();

// Sets aside the scopes that this thread has entered: none is current until this object ends, which leaves those that were entered
// meanwhile and puts the former ones back. For who performs a job on a thread that is inside a tenant, as a test does.
// Threads: destroy it on the thread that made it.
class ScopesAside {
 public:
  ScopesAside();
  ~ScopesAside();
  ScopesAside(const ScopesAside&) = delete;
  ScopesAside& operator=(const ScopesAside&) = delete;

 private:
  std::vector<std::shared_ptr<detail::ScopeFrame>> frames_;
};

}  // namespace tenure
