#include <tenure/base/text.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/tenancy/global_id.hpp>

namespace tenure {

Result<void> TenantPayloadContext::check(std::string_view gid) {
  const auto id = GlobalId::parse(gid);
  if (!id) return tl::unexpected(id.error());
  if (id->application() != application_)
    return fail(ErrorCode::bad_global_id, "the id " + escaped(gid) + " is of application " +
                                              id->application() + ", this is " + application_);
  if (!id->tenant()) return {};  // a shared record; Ref has refused all others
  if (!tenant_)
    return fail(ErrorCode::no_tenant, "the id " + escaped(gid) + " belongs to a tenant, the job to none");
  if (*id->tenant() != *tenant_)
    return fail(
        ErrorCode::wrong_tenant,
        "the id " + escaped(gid) + " belongs to " + id->tenant()->text() + ", the job to " + tenant_->text(),
        tenant_->text());
  return {};
}

}  // namespace tenure
