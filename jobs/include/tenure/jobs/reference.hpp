#pragma once

#include <tenure/base/error.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/tenancy/ref.hpp>

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

}  // namespace tenure
