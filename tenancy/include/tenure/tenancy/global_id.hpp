#pragma once

#include <tenure/base/error.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tenure {

// gid://APPLICATION/MODEL/ID?tenant=NAME, a reference to a record that knows its tenant. One value has one
// text: an id that parses prints back equal, byte for byte, and whatever would need a second reading (escapes
// of plain characters, two tenants) is refused. Threads: a value.
class GlobalId {
 public:
  static constexpr std::size_t kModelMax = 128;  // bytes of [A-Za-z][A-Za-z0-9_.:]*

  // `application` is a name (NameOf::application), `id` any UTF-8 text without control characters; it is escaped when printed. BadGlobalId.
  GlobalId(std::string_view application, std::string_view model, std::string_view id,
           std::optional<TenantName> tenant);

  // BadGlobalId, whose message names the reason: no URI, another scheme, userinfo, port, fragment, missing or
  // surplus parts, a bad escape, an empty, repeated or malformed tenant, above limits::kGlobalIdMax.
  [[nodiscard]] static Result<GlobalId> parse(std::string_view text);

  [[nodiscard]] const std::string& application() const { return application_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  // Decoded.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::optional<TenantName>& tenant() const { return tenant_; }
  // The query as it stands in the text, other parameters than the tenant included.
  [[nodiscard]] const std::string& query() const { return query_; }
  [[nodiscard]] std::string text() const;

  friend bool operator==(const GlobalId&, const GlobalId&) = default;

 private:
  GlobalId() = default;
  std::string application_, model_, id_, query_;
  std::optional<TenantName> tenant_;
};

}  // namespace tenure

template <>
struct std::hash<tenure::GlobalId> {
  std::size_t operator()(const tenure::GlobalId& id) const { return std::hash<std::string>{}(id.text()); }
};
