#include "control_groups.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::size_t kTextMax = 1 << 20;  // of a file in /proc
constexpr const char* kMarkOfDelegation = "user.delegate";
constexpr std::string_view kEnd = "cgroup.kill";
constexpr std::string_view kMembers = "cgroup.procs";

// The text up to the separator, which is taken from `rest` with it.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

// "0::/system.slice/tenured.service": proc(5), cgroups(7).
std::optional<std::string_view> path_in_hierarchy(std::string_view groups) {
  constexpr std::string_view kVersion2 = "0::/";
  while (!groups.empty()) {
    const std::string_view line = take_until(groups, '\n');
    if (line.starts_with(kVersion2)) return line.substr(kVersion2.size());
  }
  return std::nullopt;
}

// "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw": the fifth word where the one behind the dash is the type.
std::optional<std::string_view> mount_of_hierarchy(std::string_view mounts) {
  while (!mounts.empty()) {
    std::string_view line = take_until(mounts, '\n');
    std::array<std::string_view, 5> words;
    for (std::string_view& word : words) word = take_until(line, ' ');
    while (!line.empty() && take_until(line, ' ') != "-") {
    }
    if (take_until(line, ' ') == "cgroup2") return words[4];
  }
  return std::nullopt;
}

std::string text_of_file(const char* path) {
  const Descriptor file{::open(path, O_RDONLY | O_CLOEXEC)};
  return file.is_open() ? read_up_to(file.number(), kTextMax).value_or("") : "";
}

bool is_delegated(const std::filesystem::path& folder) {
  char mark = 0;
  return ::getxattr(folder.c_str(), kMarkOfDelegation, &mark, sizeof mark) == 1 && mark == '1' &&
         ::access((folder / kEnd).c_str(), F_OK) == 0 && ::access((folder / kMembers).c_str(), W_OK) == 0;
}

}  // namespace

std::filesystem::path group_folder(std::string_view groups, std::string_view mounts) {
  const auto mount = mount_of_hierarchy(mounts);
  const auto path = path_in_hierarchy(groups);
  if (!mount || !path || path->empty()) return {};
  return std::filesystem::path{*mount} / *path;
}

std::filesystem::path delegated_group() {
  std::filesystem::path folder =
      group_folder(text_of_file("/proc/self/cgroup"), text_of_file("/proc/self/mountinfo"));
  return !folder.empty() && is_delegated(folder) ? folder : std::filesystem::path{};
}

// The daemon's pid is in the name: what a former one could not take away is no obstacle.
Result<ControlGroup> ControlGroups::make(queue::ProcessNumber process) {
  if (own_.empty()) return ControlGroup{};
  const auto folder = own_ / ("worker-" + std::to_string(::getpid()) + "-" + std::to_string(process.value));
  const auto refused = [&](int error) {
    return fail(ErrorCode::disk, "cannot make a control group: " + system_text(error), {}, folder);
  };
  if (::mkdir(folder.c_str(), 0755) != 0) return refused(errno);
  Descriptor entry{::open((folder / kMembers).c_str(), O_WRONLY | O_CLOEXEC)};
  if (entry.is_open()) return ControlGroup{folder, std::move(entry)};
  const int error = errno;
  ::rmdir(folder.c_str());
  return refused(error);
}

void ControlGroups::end(const std::filesystem::path& folder) {
  if (!folder.empty()) {
    const Descriptor kill{::open((folder / kEnd).c_str(), O_WRONLY | O_CLOEXEC)};
    if (kill.is_open()) static_cast<void>(!::write(kill.number(), "1", 1));
    ended_.push_back(folder);
  }
  static_cast<void>(sweep());
}

bool ControlGroups::sweep() {
  std::erase_if(ended_, [](const std::filesystem::path& each) {
    return ::rmdir(each.c_str()) == 0 || errno == ENOENT;
  });
  return ended_.empty();
}

}  // namespace tenure::daemon
