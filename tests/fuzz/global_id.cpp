// Global IDs. A text is one or BadGlobalId; one value has one text, so an id that parses prints back byte for byte, and what it
// is made of makes the same id again.

#include "target.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/global_id.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 4};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  using fuzz::require;
  const auto text = fuzz::text_of(data, size);
  const auto id = GlobalId::parse(text);
  if (!id) {
    fuzz::check_refusal(id.error(), ErrorCode::bad_global_id);
    return 0;
  }
  fuzz::accepted();
  require(size <= limits::kGlobalIdMax, "an id has at most so many bytes");
  require(id->text() == text, "an id prints back byte for byte");
  require(is_utf8(id->id()) && !id->id().empty(), "the decoded id is text");
  // Parameters other than the tenant are kept in the text only.
  const std::string query = id->tenant() ? "tenant=" + id->tenant()->text() : "";
  if (id->query() == query)
    require(GlobalId(id->application(), id->model(), id->id(), id->tenant()) == *id,
            "its parts make the same id");
  return 0;
}
