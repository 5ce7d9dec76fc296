#include <tenure/base/lock_holders.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <vector>

namespace tenure {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamedMax = 4;
constexpr std::size_t kNameBytesMax = 64;

bool is_process(const fs::path& entry) {
  const std::string name = entry.filename();
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

// proc(5): a descriptor's fdinfo lists the locks that its open file has.
bool has_lock(const fs::path& fdinfo) {
  std::ifstream file{fdinfo};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("lock:") && line.find("FLOCK") != std::string::npos &&
        line.find("->") == std::string::npos)
      return true;
  return false;
}

bool keeps_lock(const fs::path& process, const struct stat& wanted) {
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator{process / "fd", unreadable}) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) == 0 && status.st_ino == wanted.st_ino &&
        status.st_dev == wanted.st_dev && has_lock(process / "fdinfo" / entry.path().filename()))
      return true;
  }
  return false;
}

std::string described(const fs::path& process) {
  std::string name;
  std::ifstream file{process / "comm"};
  std::getline(file, name);
  return fmt::format("{} ({})", process.filename().string(), escaped(name, kNameBytesMax));
}

}  // namespace

std::string lock_holders(int descriptor) {
  struct stat wanted {};
  if (::fstat(descriptor, &wanted) != 0) return "another process";
  std::vector<std::string> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator{"/proc", unreadable})
    if (is_process(entry.path()) && keeps_lock(entry.path(), wanted))
      found.push_back(described(entry.path()));
  if (found.empty()) return "another process";
  const std::size_t more = found.size() - std::min(found.size(), kNamedMax);
  found.resize(found.size() - more);
  return fmt::format("{} {}{}", found.size() == 1 ? "process" : "processes", fmt::join(found, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

// By the inode alone: the device in that table is not always the one that stat tells.
bool is_locked(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return false;
  const std::string inode = fmt::format(":{} ", status.st_ino);
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);)
    if (line.find(": FLOCK") != std::string::npos && line.find(inode) != std::string::npos) return true;
  return false;
}

}  // namespace tenure
