// The dispatcher's journal as a file. What is taken is whole: each record lies in the file, behind the one before, and agrees with its
// check. What its values say is read when it is replayed (tests/unit/journal).

#include "target.hpp"

#include <tenure/base/error.hpp>

#include <journal/journal_file.hpp>
#include <string>

namespace tenure::fuzz {

// The file once, and a view of 24 bytes for each record of 9 bytes or more, in a vector that has grown.
const MemoryLimit kMemoryLimit{.base = 16UL * 1024, .for_each_byte = 16};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  namespace journal = daemon::journal;
  try {
    const journal::JournalFile file = journal::parse_journal(std::string(fuzz::text_of(data, size)));
    fuzz::accepted();
    std::size_t payloads = 0;
    for (const journal::Record& record : file.records) payloads += record.payload.size();
    fuzz::require(payloads < size, "no record has more than the file has");
    fuzz::require(file.bytes.starts_with(journal::kMagic), "it begins as a journal");
  } catch (const Error& error) {
    fuzz::require(error.code() == ErrorCode::bad_payload, "it is refused as what it is");
    fuzz::require(!error.failure().message.empty(), "with the reason");
  }
  return 0;
}
