#include "files.hpp"

#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tenure::replay {

void make_private_file(const std::filesystem::path& path) {
  constexpr mode_t kOwnerOnly = 0600;
  const Descriptor made{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly)};
  if (!made.is_open() || ::fchmod(made.number(), kOwnerOnly) != 0)
    raise_system(errno, "the file cannot be made", path);
}

void Unfinished::keep_as(const std::filesystem::path& name) {
  sync_file(path_);
  if (::rename(path_.c_str(), name.c_str()) != 0) raise_system(errno, "the file cannot get its name", name);
  is_kept_ = true;
  sync_folder(name.parent_path());
}

void Unfinished::remove() noexcept {
  if (is_kept_) return;
  std::error_code ignored;
  for (const std::string_view ending : std::array<std::string_view, 4>{"", "-wal", "-shm", "-journal"})
    std::filesystem::remove(path_.string() + std::string{ending}, ignored);
}

}  // namespace tenure::replay
