#pragma once

#include <filesystem>
#include <sys/types.h>

namespace tenure::sqlite {

// The file in which a copy of a database is built, beside the one that it becomes: TARGET.partial. It goes, with what SQLite has left beside
// it, where the copy was not finished. Threads: one at a time.
class CopyFile {
 public:
  // Makes it, empty, with this mode whatever the umask of who copies, and given to the owner of its folder. AccessRefused where another copy
  // is being made to this name, or was not finished, and where something lies at `target` already; DiskError.
  CopyFile(const std::filesystem::path& target, mode_t mode);
  ~CopyFile();
  CopyFile(const CopyFile&) = delete;
  CopyFile& operator=(const CopyFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Empty again, and nothing beside it. Nobody has it open.
  void begin_anew() const;
  // Puts it in its place, on disk. Nothing is overwritten, also where somebody has been quicker.
  void finish() const;

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

}  // namespace tenure::sqlite
