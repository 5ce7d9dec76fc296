#pragma once

#include <tenure/base/error.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/tenancy/ref.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tenure {

// A Ref in arguments is {"$gid": "gid://..."}, which tools without types can find.
template <class T>
struct PayloadReference<Ref<T>> {
  static std::string text(const Ref<T>& ref) {
    require_tenant(ref);
    return ref.text();
  }
  static Result<Ref<T>> from_text(std::string_view text) {
    auto ref = Ref<T>::parse(text);
    if (ref && !is_shared_model<T>() && !ref->tenant()) return fail(ErrorCode::missing_tenant, missing(*ref));
    return ref;
  }

 private:
  static std::string missing(const Ref<T>& ref) {
    return "the id " + ref.text() + " does not say its tenant";
  }
  static void require_tenant(const Ref<T>& ref) {
    if (!is_shared_model<T>() && !ref.tenant()) raise(ErrorCode::missing_tenant, missing(ref));
  }
};

// What every Global ID inside arguments is held against, when they are written and when they are read.
class TenantPayloadContext final : public PayloadContext {
 public:
  // No tenant: an untenanted job, whose arguments may name shared records only.
  TenantPayloadContext(std::string application, std::optional<TenantName> tenant)
      : application_(std::move(application)), tenant_(std::move(tenant)) {}

  // WrongTenant, NoTenant, BadGlobalId (another application's, or no Global ID at all).
  [[nodiscard]] Result<void> check(std::string_view gid) override;

 private:
  std::string application_;
  std::optional<TenantName> tenant_;
};

}  // namespace tenure
