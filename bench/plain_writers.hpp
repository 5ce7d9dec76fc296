#pragma once

#include "measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

// The yardstick of jobs that write in many tenants' databases: as many processes and threads as ours, which make the same writes in plain C
// and keep every file open.
namespace tenure::bench {

struct PlainWrites {
  std::filesystem::path root;  // of plain_path()
  std::size_t tenants = 0;
  std::size_t writes = 0;  // Zipf, of this seed
  std::uint64_t seed = 0;
};

[[nodiscard]] std::filesystem::path plain_path(const std::filesystem::path& root, std::size_t tenant);

// From the moment when all files are open until the last write is on disk. Main asks was_plain_writer() first.
[[nodiscard]] Sample write_plainly(ScratchFolder& folder, const PlainWrites& work);
// Plays the role of one of the processes, if it is this one's.
[[nodiscard]] bool was_plain_writer(const Options& options);

// What each process may have open is raised as far as it goes; throws where that is too little for so many databases.
void allow_descriptors_of_plain_writers(std::size_t tenants);

}  // namespace tenure::bench
