// A capsule, which somebody may have sent. It is read, or refused as what it is; what is read is a run whose head alone reads the same,
// and neither leaves anything beside the file.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/replay/capsule.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace tenure::fuzz {

// SQLite's cache of pages is 2 MB, and what a page says of sizes is believed up to the greatest row.
const MemoryLimit kMemoryLimit{.base = 80UL * 1024 * 1024, .for_each_byte = 16};

namespace {

// In memory, and of this process alone.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = "/dev/shm/tenure-fuzz.XXXXXX";
    require(::mkdtemp(name.data()) != nullptr, "there is a folder to try in");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

bool is_refusal(ErrorCode code) {
  return code == ErrorCode::database_damaged || code == ErrorCode::schema_mismatch;
}

}  // namespace
}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const fuzz::ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "a.capsule";
  std::ofstream(file, std::ios::binary) << fuzz::text_of(data, size);
  std::optional<replay::Capsule> capsule;
  try {
    capsule = replay::read_capsule(file);
  } catch (const Error& error) {
    fuzz::require(fuzz::is_refusal(error.code()), "a refusal has one of two codes");
    fuzz::require(is_utf8(error.failure().message), "the message is text");
  }
  std::optional<replay::CapsuleHead> head;
  try {
    head = replay::read_head(file);
  } catch (const Error& error) {
    fuzz::require(fuzz::is_refusal(error.code()), "a refusal of a head has one of two codes");
  }
  if (capsule) {
    fuzz::accepted();
    fuzz::require(head && head->job == capsule->head.job, "the head is the capsule's");
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    files += entry.exists() ? 1U : 0U;
  fuzz::require(files == 1, "reading leaves nothing beside the file");
  return 0;
}
