#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tenure {
namespace {

// Words with a meaning of their own in Tenure's commands and settings, and the device names that other
// systems do not allow as files, since databases are copied there.
constexpr std::array<std::string_view, 27> kReserved{
    "all",  "none", "default", "public", "global", "con",  "nul",  "aux",  "prn",
    "com1", "com2", "com3",    "com4",   "com5",   "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3",    "lpt4",   "lpt5",   "lpt6", "lpt7", "lpt8", "lpt9",
};

// With a template that ends in %{tenant}, acme-wal would be the write-ahead log of acme.
constexpr std::array<std::string_view, 3> kReservedEndings{"-wal", "-shm", "-journal"};

// The rule that `text` breaks; empty for a name.
std::string broken_rule(std::string_view text) {
  if (text.empty()) return "it is empty; no tenant is not a name";
  if (const std::string rule = broken_name_rule(NameOf::tenant, text); !rule.empty()) return "it " + rule;
  if (std::ranges::find(kReserved, text) != kReserved.end()) return "the word is reserved";
  for (const std::string_view ending : kReservedEndings)
    if (text.ends_with(ending)) return fmt::format("the ending {} is reserved for SQLite's files", ending);
  return {};
}

}  // namespace

Result<TenantName> TenantName::parse(std::string_view text) {
  const std::string rule = broken_rule(text);
  if (rule.empty()) return TenantName{Checked{}, text};
  return fail(ErrorCode::bad_tenant_name, fmt::format("\"{}\" is no tenant name: {}", escaped(text), rule));
}

bool TenantName::keeps_rules() const { return broken_rule(text_).empty(); }

TenantName::TenantName(std::string_view text) : TenantName(value_or_raise(parse(text))) {}

}  // namespace tenure
