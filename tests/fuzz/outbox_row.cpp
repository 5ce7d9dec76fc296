// A row of an outbox, which lies in a tenant's database. It is read, or refused; one value has one text, so what is read is written as
// the very bytes it came from, and it belongs to the tenant whose file it was said to be.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 16UL * 1024, .for_each_byte = 8};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  using fuzz::require;
  const queue::OutboxOwner owner{TenantName{"acme"}, Generation{3}};
  const auto bytes = fuzz::text_of(data, size);
  const auto job = queue::read_outbox_row(bytes, owner, {});
  if (!job) {
    const ErrorCode code = job.error().code;
    require(code == ErrorCode::bad_payload || code == ErrorCode::newer_envelope ||
                code == ErrorCode::wrong_tenant || code == ErrorCode::stale_generation,
            "a refusal has one of four codes");
    require(is_utf8(job.error().message), "the message is text");
    return 0;
  }
  fuzz::accepted();
  require(job->tenant == owner.tenant && job->generation == owner.generation, "it is its owner's");
  const std::string written = queue::write_outbox_row(*job, {});
  // A seal is looked at by whoever has a key, and is not the job's.
  require(written == bytes || written.size() < bytes.size(), "one value has one text");
  return 0;
}
