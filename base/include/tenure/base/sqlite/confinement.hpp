#pragma once

#include <filesystem>

namespace tenure::sqlite {

// While one lives, this process opens no database but those below `folder`: for replays, which must reach nothing that is in use. What is
// open already stays open. One inside another takes its place until it ends. Threads: any.
class Confinement {
 public:
  // An absolute path without links.
  explicit Confinement(std::filesystem::path folder);
  ~Confinement();
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;

  [[nodiscard]] static bool is_in_force();
  // AccessRefused where one is in force and `path`, an absolute one, does not lie below its folder.
  static void check(const std::filesystem::path& path);

 private:
  std::filesystem::path before_;
};

}  // namespace tenure::sqlite
