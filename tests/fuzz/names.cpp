// Names that come from outside: tenants, kinds and queues. A name is taken as it is, byte for byte, or refused by its typed
// error with a message that can be shown; what is taken is safe in a path and in the first line of an envelope.

#include "target.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/types.hpp>
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

template <class Value>
void check_refusal(const Result<Value>& result, ErrorCode code) {
  require(result.error().code == code, "a refusal has its own code");
  const std::string& message = result.error().message;
  require(escaped(message, message.size()) == message, "a refusal can be shown");
}

void check_name(const Result<void>& checked, std::string_view name, std::size_t bytes_max) {
  if (!checked) return check_refusal(checked, ErrorCode::bad_options);
  require(!name.empty() && name.size() <= bytes_max, "a name has at least one byte and at most its limit");
  require(is_plain(name, "_-.:"), "a name has no space and no control character");
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 4};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  if (const auto name = TenantName::parse(text)) {
    fuzz::accepted();
    fuzz::require(name->text() == text, "a tenant's name is taken as it is");
    fuzz::require(size <= limits::kTenantNameMax && fuzz::is_plain(text, "_-"),
                  "a tenant's name is safe in a path");
  } else {
    fuzz::check_refusal(name, ErrorCode::bad_tenant_name);
  }
  fuzz::check_name(queue::check_kind_name(text), text, limits::kKindNameMax);
  fuzz::check_name(queue::check_queue_name(text), text, limits::kQueueNameMax);
  return 0;
}
