// Cron expressions. A text is one or BadOptions with a column of it; the first time that it means matches it, and no text takes long.

#include "target.hpp"

#include <tenure/queue/cron.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 16UL * 1024, .for_each_byte = 16};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  const auto cron = queue::Cron::parse(text);
  if (!cron) {
    fuzz::check_refusal(cron.error(), ErrorCode::bad_options);
    fuzz::require(cron.error().message.starts_with("cron, column "), "a refusal names the column");
    return 0;
  }
  fuzz::accepted();
  const std::chrono::local_seconds from{std::chrono::seconds{1'700'000'001}};
  const auto next = cron->next(from);
  if (!next) return 0;
  fuzz::require(*next >= from && cron->matches(*next), "the next time is not before and matches");
  fuzz::require(cron->next(*next) == next, "a time that matches is its own next one");
  return 0;
}
