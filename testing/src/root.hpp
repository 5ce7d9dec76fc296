#pragma once

#include <filesystem>
#include <utility>

namespace tenure::testing::detail {

// A folder of this world's own, which goes with it. Its path has no symlinks.
class Root {
 public:
  // In that folder; empty: where temporary files go. DiskError.
  explicit Root(const std::filesystem::path& parent);
  ~Root();
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // In a child process: from now on it is this one, which is somebody else's to remove, as the former one is.
  void move_in_child(std::filesystem::path path) {
    path_ = std::move(path);
    is_own_ = false;
  }

 private:
  std::filesystem::path path_;
  bool is_own_ = true;
};

}  // namespace tenure::testing::detail
