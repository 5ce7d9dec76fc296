#pragma once

#include <filesystem>

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

 private:
  std::filesystem::path path_;
};

}  // namespace tenure::testing::detail
