#include <tenure/base/file_kind.hpp>
#include <tenure/base/text.hpp>

#include <sys/stat.h>
#include <system_error>

namespace tenure {
namespace {

std::string link_text(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(path, error);
  return error ? "a symbolic link" : "a symbolic link to " + escaped(target.string());
}

bool is_link(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

std::string kind_of_file_at(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return "nothing";
  if (S_ISLNK(status.st_mode)) return link_text(path);
  if (S_ISDIR(status.st_mode)) return "a folder";
  if (S_ISFIFO(status.st_mode)) return "a fifo";
  if (S_ISSOCK(status.st_mode)) return "a socket";
  if (S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode)) return "a device";
  return "a file";
}

std::filesystem::path first_link_in(const std::filesystem::path& path) {
  std::filesystem::path looked_at;
  for (const auto& component : path) {
    looked_at /= component;
    if (is_link(looked_at)) return looked_at;
  }
  return {};
}

}  // namespace tenure
