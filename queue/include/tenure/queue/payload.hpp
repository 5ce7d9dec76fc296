#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// What the arguments of a job are held against, whether or not anybody knows their type. Threads: values.
namespace tenure {

// What the references of a payload are held against. The check comes before anything is made of the text, when writing
// and when reading; its failure leaves the archive with its own code, and the path of the field as `where`.
class PayloadContext {
 public:
  virtual ~PayloadContext() = default;
  [[nodiscard]] virtual Result<void> check(std::string_view gid) = 0;
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

// Limits of one payload; at most limits::kPayloadMax bytes, whatever is said here.
struct PayloadLimits {
  std::size_t bytes_max = limits::kPayloadDefault;
  std::size_t depth_max = limits::kDepthMax;        // objects, arrays and user types inside one another
  std::size_t elements_max = limits::kElementsMax;  // fields and elements, all containers together
  std::size_t string_max = limits::kPayloadMax;     // bytes of one string or key
};

// Between an application and its handlers the store says how much a job may carry (`store.payload_max`), and what it has taken is read.
inline constexpr PayloadLimits kLimitsOfStored{.bytes_max = limits::kPayloadMax};

namespace detail {

// The one member of an object that is a reference.
inline constexpr std::string_view kReferenceKey = "$gid";

// BadPayload whose message begins with one word for the reason.
[[noreturn]] void refuse(std::string_view reason, std::string_view sentence, std::string path);

}  // namespace detail
}  // namespace tenure
