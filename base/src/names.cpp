#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure {
namespace {

constexpr std::string_view kPlaceholderBegin = "%{";

struct Rule {
  std::string_view what;
  std::string_view punctuation;  // besides a-z and 0-9: two characters
  std::size_t bytes_max;
};

Rule rule_of(NameOf what) {
  switch (what) {
    case NameOf::application:
      return {"application", "_-", limits::kApplicationNameMax};
    case NameOf::kind:
      return {"kind", "_.", limits::kKindNameMax};
    case NameOf::pool:
      return {"pool", "_-", limits::kPoolNameMax};
    case NameOf::queue:
      return {"queue", "_-", limits::kQueueNameMax};
    case NameOf::tenant:
      return {"tenant", "_-", limits::kTenantNameMax};
  }
  invariant_broken("a name of nothing", __FILE__, __LINE__);
}

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string name_rule(NameOf what) {
  const Rule rule = rule_of(what);
  if (what == NameOf::kind)
    return fmt::format("words of a-z 0-9 _ joined by dots, such as billing.send_invoice, 1 to {} bytes",
                       rule.bytes_max);
  return fmt::format("a-z 0-9 _ -, the first a-z or 0-9, 1 to {} bytes", rule.bytes_max);
}

std::string broken_name_rule(NameOf what, std::string_view text) {
  const Rule rule = rule_of(what);
  if (text.empty()) return "is empty";
  if (text.size() > rule.bytes_max)
    return fmt::format("has {} bytes, at most {} are allowed", text.size(), rule.bytes_max);
  const auto bad = std::ranges::find_if_not(text, [&](char c) {
    return is_lower_or_digit(c) || rule.punctuation.find(c) != std::string_view::npos;
  });
  if (bad != text.end())
    return fmt::format("cannot have byte {}: it is none of a-z, 0-9, {} and {}", bad - text.begin() + 1,
                       rule.punctuation[0], rule.punctuation[1]);
  if (!is_lower_or_digit(text.front())) return "begins with neither a-z nor 0-9";
  if (what == NameOf::kind && (text.back() == '.' || text.find("..") != std::string_view::npos))
    return "has no word behind a dot";
  return {};
}

Result<void> check_name(NameOf what, std::string_view text) {
  const std::string broken = broken_name_rule(what, text);
  if (broken.empty()) return {};
  const std::string_view noun = rule_of(what).what;
  return fail(ErrorCode::bad_options, fmt::format("the {} name \"{}\" {}", noun, escaped(text), broken), {},
              std::string{noun});
}

std::string broken_placeholder_rule(std::string_view path_template) {
  if (path_template.find(kTenantPlaceholder) == std::string_view::npos)
    return fmt::format("must hold {}, or all tenants share one file", kTenantPlaceholder);
  for (std::size_t at = path_template.find(kPlaceholderBegin); at != std::string_view::npos;
       at = path_template.find(kPlaceholderBegin, at + 1)) {
    const std::string_view rest = path_template.substr(at);
    if (!rest.starts_with(kTenantPlaceholder) && !rest.starts_with(kBucketPlaceholder))
      return fmt::format("knows only the placeholders {} and {}", kTenantPlaceholder, kBucketPlaceholder);
  }
  const std::string_view behind = path_template.substr(path_template.find(kPlaceholderBegin));
  if (behind.find("/../") != std::string_view::npos || behind.ends_with("/.."))
    return "must have no .. behind a placeholder";
  return {};
}

std::string_view folder_before_placeholders(std::string_view path_template) {
  const std::size_t slash = path_template.rfind('/', path_template.find(kPlaceholderBegin));
  return path_template.substr(0, slash == std::string_view::npos ? 0 : slash + 1);
}

}  // namespace tenure
