#include "tenants_file.hpp"

#include <tenure/base/error.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <algorithm>
#include <array>

namespace tenure::detail {
namespace {

bool is_about_file(ErrorCode code) {
  constexpr std::array kAboutFiles{
      ErrorCode::tenant_does_not_exist,
      ErrorCode::wrong_tenant,
      ErrorCode::access_refused,
      ErrorCode::schema_mismatch,
      ErrorCode::disk,
      ErrorCode::database_missing,
      ErrorCode::database_moved,
      ErrorCode::database_damaged,
  };
  return std::ranges::find(kAboutFiles, code) != kAboutFiles.end();
}

}  // namespace

void with_tenants_file(const HandleCache& handles, const TenantName& tenant, FunctionRef<void()> work) {
  try {
    work();
  } catch (const Error& error) {
    const Failure& failure = error.failure();
    if (!is_about_file(failure.code)) throw;
    raise(ErrorCode::tenant_unavailable,
          "the tenant's database cannot be used, and its jobs wait until that is put right: " +
              std::string{name_of(failure.code)} + ": " + failure.message,
          tenant.text(), handles.files().path_for(tenant).string());
  }
}

}  // namespace tenure::detail
