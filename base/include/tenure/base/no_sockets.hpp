#pragma once

#include <cstdint>

namespace tenure {

// Of whom: this thread and those that it starts, or all threads of the process. Child processes are refused as their parents are.
enum class NoSocketsOf : std::uint8_t { this_thread, process };

// From now on, and for good, the kernel refuses new sockets of whatever kind (EACCES), and programs that would get other rights by being
// started do not get them. What is connected already stays so. BadConfiguration where this kernel or processor cannot be told.
void refuse_new_sockets(NoSocketsOf whom);

}  // namespace tenure
