#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenure {

// Who runs a program by hand, and from where: as far as the system says it, for records of what was changed. It proves nothing
// against somebody who is root, or who can write the file in which it is recorded.
struct OperatorIdentity {
  std::int64_t uid = 0;  // the real one of the process
  std::string login;     // its name; empty where the system knows none
  std::optional<std::int64_t>
      login_uid;  // who logged in, which the kernel keeps through su and sudo; nothing for services
  std::optional<std::int64_t> sudo_uid;  // what the variable SUDO_UID says, which anybody can set
  std::string terminal;                  // "/dev/pts/3"; empty where there is none
  std::string host;
  friend bool operator==(const OperatorIdentity&, const OperatorIdentity&) = default;
};

// Of this process. What cannot be found out is left empty. `sudo_uid` is the text of that variable, empty for none.
// Threads: any.
[[nodiscard]] OperatorIdentity identify_operator(std::string_view sudo_uid);
// The same for what a program changes by itself: uid and host alone, without a look into the system's list of users, which can take
// its time.
[[nodiscard]] OperatorIdentity identify_process();

}  // namespace tenure
