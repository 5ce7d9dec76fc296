#pragma once

#include "support/shim_vfs.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tenure::testing {

// What a power cut would leave of the files of one folder: what of each was on disk at its last sync, and any number of the writes behind
// it, in their order. Its hook goes into a ShimVfs, which must be there before the files are opened. Threads: any.
class UnsyncedFiles {
 public:
  // The folder's files by their names below it, whole.
  using Image = std::map<std::string, std::string>;
  struct Kept {
    double of_control = 0;  // the part of the writes that nobody has synced: 0 to 1
    double of_tenant = 0;
  };

  explicit UnsyncedFiles(std::filesystem::path folder);

  // Before the call is made.
  void note(const ShimVfs::Event& event);
  [[nodiscard]] Image image(const Kept& kept) const;
  static void put(const Image& image, const std::filesystem::path& folder);

 private:
  struct Write {
    std::string bytes;
    std::size_t offset;
    bool is_truncation;
  };
  struct Contents {
    std::string on_disk;
    std::vector<Write> writes;
  };
  static void apply(std::string& contents, const Write& write);

  std::filesystem::path folder_;
  mutable std::mutex mutex_;
  std::map<std::string, Contents> files_;
};

}  // namespace tenure::testing
