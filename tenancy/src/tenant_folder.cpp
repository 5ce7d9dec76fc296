#include "building.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/file_kind.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/tenant_folder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tenure {
namespace {

namespace fs = std::filesystem;

constexpr int kFolderOnly = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

[[noreturn]] void refuse_name(std::string_view name, std::string_view why) {
  raise(ErrorCode::bad_options, fmt::format("the folder \"{}\" {}", escaped(name, 200), why));
}

void check_part(std::string_view name, std::string_view part) {
  if (part.empty()) refuse_name(name, "has an empty part between its slashes");
  if (part == "." || part == "..")
    refuse_name(name, "has a part \".\" or \"..\"; it is named from the tenant's own folder on");
  if (part.size() > TenantFolder::kPartMax)
    refuse_name(name, fmt::format("has a part of {} bytes, at most {} are possible", part.size(),
                                  TenantFolder::kPartMax));
}

[[noreturn]] void refuse_what_lies_there(const fs::path& path, const TenantName& tenant) {
  raise(ErrorCode::access_refused,
        fmt::format(
            "{} lies where a folder of this tenant belongs; Tenure follows no link beneath the tenants' "
            "root, so move it away",
            kind_of_file_at(path)),
        tenant.text(), path.string());
}

std::int64_t size_of_files(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error);
       !error && entry != fs::recursive_directory_iterator{}; entry.increment(error)) {
    std::error_code ignored;
    if (!fs::is_regular_file(entry->symlink_status(ignored))) continue;
    const auto size = entry->file_size(ignored);
    if (!ignored) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

constexpr int kDepthMax = 256;  // below it nothing is opened up

// Gives us our own folders below `above`, so that what is in them can be removed. By descriptors: a name may be another folder's by now.
void open_up(int above, const char* name, int depth) {
  Descriptor found{::openat(above, name, kFolderOnly)};
  struct stat status {};
  if (!found.is_open() || ::fstat(found.number(), &status) != 0) return;
  const std::string self = fmt::format("/proc/self/fd/{}", found.number());
  if (status.st_uid == ::geteuid() && (status.st_mode & S_IRWXU) != S_IRWXU)
    static_cast<void>(::chmod(self.c_str(), (status.st_mode & 0777) | S_IRWXU));
  DIR* const entries = ::opendir(self.c_str());
  if (entries == nullptr) return;
  found = Descriptor{};
  while (const dirent* const entry = ::readdir(entries)) {
    const std::string_view each{static_cast<const char*>(entry->d_name)};
    const bool is_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
    if (is_folder && each != "." && each != ".." && depth < kDepthMax)
      open_up(::dirfd(entries), entry->d_name, depth + 1);
  }
  ::closedir(entries);
}

// Nothing, or why it stays.
std::error_code remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error || error.value() != EACCES) return error;
  open_up(AT_FDCWD, folder.c_str(),
          0);  // an archive that was unpacked there may have folders that nobody may write
  fs::remove_all(folder, error);
  return error;
}

void move_folder(const fs::path& from, const fs::path& to) {
  if (!detail::is_there(from)) return;
  detail::make_synced_folders(to.parent_path());
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0)
    raise_system(errno, "the tenant's folder cannot be moved", from);
  sync_folder(from.parent_path());
  sync_folder(to.parent_path());
}

}  // namespace

TenantFolder::TenantFolder(const TenantFiles& files, const TenantName& tenant, Generation generation)
    : root_(files.root()), tenant_(tenant) {
  // By the rules for names of paths.
  const std::string own =
      fmt::format("{}.{}", files.building_path_for(tenant).stem().string(), generation.value);
  relative_ = fs::path{".folders"} / own;
  path_ = root_ / relative_;
  buried_ = root_ / ".graveyard" / (own + ".folder");
}

void TenantFolder::check(std::string_view name) {
  if (name.empty()) refuse_name(name, "has no name");
  if (name.size() > kNameMax)
    refuse_name(name, fmt::format("has a name of {} bytes, at most {} are possible", name.size(), kNameMax));
  if (name.front() == '/') refuse_name(name, "is absolute; it is named from the tenant's own folder on");
  if (!is_utf8(name) || escaped(name, name.size()) != name)
    refuse_name(name, "has a name that is no UTF-8, or with control characters");
  std::size_t parts = 0;
  for (std::size_t begin = 0; begin <= name.size(); ++parts) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    check_part(name, name.substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts > kPartsMax)
    refuse_name(name, fmt::format("has {} parts, at most {} are possible", parts, kPartsMax));
}

// Part by part, since openat2 with its RESOLVE_NO_SYMLINKS is not available in the service's sandbox.
bool TenantFolder::has(std::string_view name) const {
  Descriptor folder{::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder.is_open()) raise_system(errno, "the tenants' root cannot be looked at", root_);
  fs::path shown = root_;
  for (const fs::path& part : relative_ / name) {
    shown /= part;
    Descriptor next{::openat(folder.number(), part.c_str(), kFolderOnly)};
    if (!next.is_open()) {
      if (errno == ENOENT) return false;
      if (errno == ELOOP || errno == ENOTDIR) refuse_what_lies_there(shown, tenant_);
      raise_system(errno, "the tenant's folder cannot be looked at", shown);
    }
    folder = std::move(next);
  }
  return true;
}

void TenantFolder::make(std::string_view name) const {
  fs::path made = root_;
  for (const fs::path& part : relative_ / name) {
    made /= part;
    if (detail::is_there(made)) continue;
    static_cast<void>(make_folder(made));
    sync_folder(made.parent_path());
  }
  if (!has(name))
    raise(ErrorCode::state_changed, "the folder was made, and somebody has taken it away since",
          tenant_.text(), made.string());
}

TenantFolder::Moved TenantFolder::bury() const {
  move_folder(path_, buried_);
  return {detail::is_there(buried_), size_of_files(buried_)};
}

void TenantFolder::take_back(const fs::path& buried) const { move_folder(buried, path_); }

void TenantFolder::give_back(const fs::path& buried) const { move_folder(path_, buried); }

std::int64_t TenantFolder::erase() const {
  std::int64_t bytes = 0;
  std::optional<std::pair<int, fs::path>> stays;
  // Who ran on when it was buried may have made it anew at its place.
  for (const fs::path& folder : {buried_, path_}) {
    if (!detail::is_there(folder)) continue;
    const std::int64_t size = size_of_files(folder);
    if (const std::error_code error = remove_folder(folder)) {
      stays = {error.value(), folder};
      continue;
    }
    bytes += size;
    sync_folder(folder.parent_path());
  }
  if (stays) raise_system(stays->first, "the folder of a deleted tenant cannot be removed", stays->second);
  return bytes;
}

}  // namespace tenure
