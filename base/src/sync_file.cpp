#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace tenure {
namespace {

void sync_path(const std::filesystem::path& path, int flags) {
  const Descriptor descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags)};
  if (!descriptor.is_open()) raise_system(errno, "it cannot be opened to be synced", path);
  if (::fsync(descriptor.number()) != 0)
    raise_system(ErrorCode::disk_sync_failed, errno, "it could not be synced", path);
}

}  // namespace

void sync_file(const std::filesystem::path& file) { sync_path(file, 0); }

void sync_folder(const std::filesystem::path& folder) { sync_path(folder, O_DIRECTORY); }

}  // namespace tenure
