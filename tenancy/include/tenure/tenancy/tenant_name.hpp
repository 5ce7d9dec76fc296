#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/strong.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tenure {

// Grows when a tenant is created again, restored or cloned; what carries an older one can never write. 0: not
// known.
using Generation = Strong<struct GenerationTag, std::int64_t>;

// The validated name of a tenant: `[a-z0-9][a-z0-9_-]{0,62}`, no reserved word. It is used as it is in paths,
// ids and logs, and never folded, decoded or trimmed. One that was read from a row may be another: see stored(). "No tenant" is std::nullopt, never an empty name.
class TenantName {
 public:
  // BadTenantName whose message shows the bytes escaped and says which rule they break.
  [[nodiscard]] static Result<TenantName> parse(std::string_view text);
  // The same; throws.
  explicit TenantName(std::string_view text);

  // As a row holds it, which may be any text: rules that came later refuse what is stored, and files are damaged. It may be
  // shown, escaped, and compared; a path, an id or work is made only of one that keeps_rules().
  [[nodiscard]] static TenantName stored(std::string_view text) { return {Checked{}, text}; }
  [[nodiscard]] bool keeps_rules() const;

  [[nodiscard]] const std::string& text() const { return text_; }
  friend auto operator<=>(const TenantName&, const TenantName&) = default;

 private:
  struct Checked {};
  TenantName(Checked, std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace tenure

template <>
struct std::hash<tenure::TenantName> {
  std::size_t operator()(const tenure::TenantName& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
