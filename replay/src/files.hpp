#pragma once

#include <filesystem>
#include <utility>

namespace tenure::replay {

// Makes an empty file that only its owner reads. AccessRefused, DiskError; one that is there already is none of ours.
void make_private_file(const std::filesystem::path& path);

// The file at a path, and what SQLite may have put beside it, unless it was kept. Internal.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path path) : path_(std::move(path)) { make_private_file(path_); }
  ~Unfinished() { remove(); }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // On disk under its name when it returns.
  void keep_as(const std::filesystem::path& name);
  void remove() noexcept;

 private:
  std::filesystem::path path_;
  bool is_kept_ = false;
};

}  // namespace tenure::replay
