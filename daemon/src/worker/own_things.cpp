#include "own_things.hpp"

#include "job_lines.hpp"

#include <tenure/base/log.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <unistd.h>

namespace tenure::daemon {
namespace {

constexpr std::array<std::string_view, 3> kOfAsio{"anon_inode:[eventpoll]", "anon_inode:[eventfd]",
                                                  "anon_inode:[timerfd]"};

std::vector<int> descriptors_of_asios_types() {
  std::vector<int> found;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", unreadable}) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    const std::string name = entry.path().filename();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (std::ranges::find(kOfAsio, target) != kOfAsio.end()) found.push_back(number);
  }
  return found;
}

// umask() cannot be asked without being set, which other threads would see: proc(5) tells.
mode_t umask_of_process() {
  constexpr std::string_view kKey = "Umask:\t";
  constexpr mode_t kUsual = 022;
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(kKey)) continue;
    mode_t mask = 0;
    std::from_chars(line.data() + kKey.size(), line.data() + line.size(), mask, 8);
    return mask;
  }
  return kUsual;
}

}  // namespace

void OwnDescriptors::watch(int descriptor) {
  if (const auto identity = identity_of_descriptor(descriptor)) watched_.emplace_back(descriptor, *identity);
}

OwnDescriptors OwnDescriptors::before_asio() {
  OwnDescriptors own;
  own.before_asio_ = descriptors_of_asios_types();
  return own;
}

void OwnDescriptors::after_asio() {
  for (const int descriptor : descriptors_of_asios_types())
    if (std::ranges::find(before_asio_, descriptor) == before_asio_.end()) watch(descriptor);
}

bool OwnDescriptors::are_in_place() const {
  return std::ranges::all_of(watched_,
                             [](const auto& one) { return identity_of_descriptor(one.first) == one.second; });
}

SurroundingsOfJobs::SurroundingsOfJobs()
    : folder_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      folder_identity_(identity_of_descriptor(folder_.number()).value_or(DescriptorIdentity{})),
      umask_(umask_of_process()) {}

void SurroundingsOfJobs::put_back(const queue::AssignedJob& after) const {
  if (::umask(umask_) != umask_) {
    const JobLines lines(after);
    log::write(log::Level::warning, "job.umask_changed", "the handler has changed the umask; it is put back",
               {.kind = after.kind});
  }
  struct stat now {};
  const bool is_there = ::stat(".", &now) == 0;
  if (is_there && now.st_ino == folder_identity_.number && now.st_dev == folder_identity_.device) return;
  if (identity_of_descriptor(folder_.number()) != folder_identity_) return;  // a handler has closed it
  const JobLines lines(after);
  const bool is_back = ::fchdir(folder_.number()) == 0;
  log::write(log::Level::warning, "job.working_folder_changed",
             is_back ? "the handler has changed the working folder; it is put back"
                     : "the handler has changed the working folder, and it cannot be put back",
             {.kind = after.kind});
}

}  // namespace tenure::daemon
