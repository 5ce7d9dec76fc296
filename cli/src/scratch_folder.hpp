#pragma once

#include <filesystem>

namespace tenure::cli {

// A folder of its own for one command, mode 0700, which goes with the object unless it is kept.
class ScratchFolder {
 public:
  // Below `parent`, a folder. What raise_system() says.
  explicit ScratchFolder(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  // With its links resolved.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void keep() { is_kept_ = true; }

 private:
  std::filesystem::path path_;
  bool is_kept_ = false;
};

}  // namespace tenure::cli
