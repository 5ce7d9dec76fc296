#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/system.hpp>

#include <filesystem>
#include <string_view>
#include <utility>

namespace tenure::replay {

// Of files of a folder of capsules that have no name yet.
inline constexpr std::string_view kPartEnding = ".part";
inline constexpr std::string_view kCopyEnding = ".copy";

// Makes an empty file that only its owner reads, and holds flock on it. AccessRefused, DiskError; one that is there already is none of ours.
[[nodiscard]] Descriptor make_private_file(const std::filesystem::path& path);

// The file at a path, and what SQLite may have put beside it, unless it was kept. Its lock tells that somebody still writes it: one that
// nobody holds was left by a process that was killed. Internal.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path path) : path_(std::move(path)), lock_(make_private_file(path_)) {}
  ~Unfinished() { remove(); }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // On disk under its name when it returns. Each few MiB that are on disk it looks, and what `look` throws ends it.
  void keep_as(const std::filesystem::path& name, FunctionRef<void()> look);
  void remove() noexcept;

 private:
  std::filesystem::path path_;
  Descriptor lock_;
  bool is_kept_ = false;
};

}  // namespace tenure::replay
