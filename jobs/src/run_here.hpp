#pragma once

#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

// What the thread of an enqueue performs, as far as a client looks. Internal.
namespace tenure::detail {

// From its beginning to its end this thread works for a job of that tenant, which outlives it; nothing: an untenanted one. They nest.
class RunHere {
 public:
  explicit RunHere(const std::optional<TenantName>& tenant);
  ~RunHere();
  RunHere(const RunHere&) = delete;
  RunHere& operator=(const RunHere&) = delete;

 private:
  const std::optional<TenantName>* const before_;
};

// Says in the log that jobs are enqueued for `tenant`, where a handler does so whose job is another tenant's: somebody has allowed it by
// AllowSwap or without_tenant. Nothing where no job of a tenant is performed here. `kind`: empty, where there are several.
void log_if_for_another(const std::optional<TenantName>& tenant, std::string_view kind, std::size_t jobs);
// The same of a fan-out, which is for all of them.
void log_if_for_all(std::string_view kind);

}  // namespace tenure::detail
