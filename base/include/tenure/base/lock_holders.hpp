#pragma once

#include <filesystem>
#include <string>

namespace tenure {

// "process 812 (billing-worker)", "processes 812 (billing-worker), 815 (sleep)": who keeps the lock (flock) of an open file alive, asked of
// the kernel, since the process that took it may have ended and left it to others. "another process" where the kernel does not
// tell this user.
[[nodiscard]] std::string lock_holders(int descriptor);

// Whether somebody has the file locked (flock), without trying the lock, which could be in the way of whoever wants it. False where there
// is no such file, and where the kernel does not tell: it names no locks of another namespace of processes.
[[nodiscard]] bool is_locked(const std::filesystem::path& file);

}  // namespace tenure
