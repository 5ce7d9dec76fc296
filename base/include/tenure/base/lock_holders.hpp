#pragma once

#include <string>

namespace tenure {

// "process 812 (billing-worker)", "processes 812 (billing-worker), 815 (sleep)": who keeps the lock (flock) of an open file alive, asked of
// the kernel, since the process that took it may have ended and left it to others. "another process" where the kernel does not
// tell this user.
[[nodiscard]] std::string lock_holders(int descriptor);

}  // namespace tenure
