#include <tenure/base/error.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/sqlite/copy_file.hpp>
#include <tenure/base/sqlite/database_file.hpp>
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

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".partial";
constexpr std::array<std::string_view, 3> kBesideIt{"-wal", "-shm", "-journal"};

void refuse_what_is_there(const fs::path& target) {
  struct stat status {};
  if (::lstat(target.c_str(), &status) == 0)
    raise(ErrorCode::access_refused,
          "something lies there already, and nothing is overwritten; name another file", {}, target.string());
}

void remove_beside(const fs::path& path) {
  std::error_code ignored;
  for (const std::string_view ending : kBesideIt) fs::remove(path.string() + std::string{ending}, ignored);
}

}  // namespace

CopyFile::CopyFile(const fs::path& target, mode_t mode)
    : target_(target), path_(fs::path{target} += kUnfinished) {
  refuse_what_is_there(target);
  if (const int error = DatabaseFile::make(path_, mode); error != 0)
    raise_system(error,
                 error == EEXIST
                     ? "another copy is being made to this name, or was not finished; if none is, remove it"
                     : "the copy cannot be made here",
                 path_);
  give_to_owner_of_folder(path_);
}

CopyFile::~CopyFile() {
  std::error_code ignored;
  fs::remove(path_, ignored);
  remove_beside(path_);
}

void CopyFile::begin_anew() const {
  remove_beside(path_);
  if (::truncate(path_.c_str(), 0) != 0) raise_system(errno, "the copy cannot be begun anew", path_);
}

void CopyFile::finish() const {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) != 0)
    raise_system(errno, "the finished copy cannot be put in its place", target_);
  sync_folder(fs::absolute(target_).parent_path());
}

}  // namespace tenure::sqlite
