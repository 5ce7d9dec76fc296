#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/types.hpp>

#include <filesystem>
#include <string_view>
#include <vector>

namespace tenure::daemon {

// The folder of the calling process's control group, or empty where it was not given to us to divide: there is none of version 2, or the
// service manager has not said so by the attribute `user.delegate` (systemd.exec(5): Delegate=), or the kernel cannot end a group
// at once (cgroup.kill, Linux 5.14).
[[nodiscard]] std::filesystem::path delegated_group();

// The same from the texts of /proc/self/cgroup and /proc/self/mountinfo, without a look at the folder. Empty where they name none.
[[nodiscard]] std::filesystem::path group_folder(std::string_view groups, std::string_view mounts);

// One worker process's group. Whatever its jobs start is in it, whichever session or process group it makes for itself.
struct ControlGroup {
  std::filesystem::path folder;  // empty: none
  Descriptor entry;              // a process that writes "0" to it is in the group
};

// A control group for each worker process, below our own. Threads: one at a time.
class ControlGroups {
 public:
  // None are made below an empty path. The folder's own processes are left alone.
  explicit ControlGroups(std::filesystem::path own) : own_(std::move(own)) {}

  [[nodiscard]] const std::filesystem::path& own() const { return own_; }
  // No group where none can be had; `DiskError` where one was expected.
  [[nodiscard]] Result<ControlGroup> make(queue::ProcessNumber process);
  // Ends whoever is still in it, and takes the group away: at once, or by sweep() where the kernel is not done with them.
  void end(const std::filesystem::path& folder);
  // Takes away the groups that have been ended. Whether none is left.
  bool sweep();

 private:
  std::filesystem::path own_;
  std::vector<std::filesystem::path> ended_;  // not taken away yet
};

}  // namespace tenure::daemon
