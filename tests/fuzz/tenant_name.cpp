// Names of tenants. A name is taken as it is, byte for byte, or is BadTenantName with a message that can be shown; what is
// taken is safe in a path.

#include "target.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <algorithm>

namespace tenure::fuzz {
namespace {

bool is_plain(std::string_view name, std::string_view punctuation) {
  return std::ranges::all_of(name, [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || punctuation.find(c) != std::string_view::npos;
  });
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 4};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  const auto name = TenantName::parse(text);
  if (!name) {
    fuzz::check_refusal(name.error(), ErrorCode::bad_tenant_name);
    return 0;
  }
  fuzz::accepted();
  fuzz::require(name->text() == text, "a name is taken as it is");
  fuzz::require(!text.empty() && size <= limits::kTenantNameMax,
                "a name has at least one byte and at most its limit");
  fuzz::require(fuzz::is_plain(text, "_-"), "a name is safe in a path");
  return 0;
}
