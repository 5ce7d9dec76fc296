#include "building.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/file_kind.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/sync_file.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tenure::detail {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kLockMode = 0660;
constexpr std::size_t kBegunMax = 256;

Begun begun_in(int descriptor) {
  std::array<char, kBegunMax> buffer{};
  const ssize_t size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  std::string_view text{buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  Begun begun;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), begun.generation);
  text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()));
  if (text.starts_with(' ')) begun.source = text.substr(1, text.find('\n') - 1);
  return begun;
}

}  // namespace

bool is_there(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) raise_system(errno, "the path cannot be looked at", path);
  return false;
}

void make_synced_folders(const fs::path& folder) {
  if (is_there(folder)) {
    // A link above the tenants' root is the administrator's choice, if it leads to a folder.
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
      raise(ErrorCode::access_refused,
            fmt::format(
                "{} lies where a folder for tenants belongs, and leads to none; make the folder, or name "
                "another in tenants.path",
                kind_of_file_at(folder)),
            {}, folder.string());
    return;
  }
  make_synced_folders(folder.parent_path());
  static_cast<void>(make_folder(folder));
  sync_folder(folder.parent_path());
}

Begun read_begun(const fs::path& lock) {
  const Descriptor opened{::open(lock.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  return opened.is_open() ? begun_in(opened.number()) : Begun{};
}

BuildingLock::BuildingLock(fs::path path, const TenantName& name, WhenLocked when_locked)
    : path_(std::move(path)) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt)
    if (take(name, when_locked)) return;
  raise(ErrorCode::tenant_exists, "other creators of this tenant came and went all the time", name.text());
}

BuildingLock::~BuildingLock() {
  if (descriptor_.is_open() && begun().generation == 0) remove();
}

Begun BuildingLock::begun() const { return begun_in(descriptor_.number()); }

void BuildingLock::note_begun(const Begun& begun) {
  const std::string text =
      fmt::format("{}{}{}\n", begun.generation, begun.source.empty() ? "" : " ", begun.source);
  if (::ftruncate(descriptor_.number(), 0) != 0 ||
      ::pwrite(descriptor_.number(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::fsync(descriptor_.number()) != 0)
    raise_system(errno, "the lock file cannot be written", path_);
  sync_folder(path_.parent_path());
}

void BuildingLock::remove() {
  ::unlink(path_.c_str());
  descriptor_ = Descriptor{};
}

bool BuildingLock::take(const TenantName& name, WhenLocked when_locked) {
  Descriptor opened{::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kLockMode)};
  if (!opened.is_open()) raise_system(errno, "the lock file cannot be opened", path_);
  const int locked = lock_file(opened.number(), when_locked);
  if (locked == EWOULDBLOCK)
    raise(ErrorCode::tenant_exists,
          fmt::format("{} is being created, deleted or taken back by somebody else", name.text()),
          name.text());
  if (locked != 0) raise_system(locked, "the lock file cannot be locked", path_);
  if (!is_named(opened)) return false;
  static_cast<void>(::fchmod(opened.number(), kLockMode));
  give_to_owner_of_folder(path_);
  descriptor_ = std::move(opened);
  return true;
}

bool BuildingLock::is_named(const Descriptor& opened) const {
  struct stat mine {};
  struct stat named {};
  return ::fstat(opened.number(), &mine) == 0 && ::stat(path_.c_str(), &named) == 0 &&
         mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

}  // namespace tenure::detail
