#include "held_output.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <iostream>
#include <unistd.h>

namespace tenure::daemon {
namespace {

// What waits in the buffers of the C and the C++ library belongs to where the descriptors lead now.
void write_what_waits() {
  std::cout.flush();
  std::fflush(nullptr);
}

}  // namespace

void HeldOutput::hold() {
  if (output_.is_open()) return;
  write_what_waits();
  const Descriptor nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  output_ = Descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
  messages_ = Descriptor{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
  if (!nowhere.is_open() || !output_.is_open() || !messages_.is_open())
    raise_system(errno, "what comes before the step cannot be left out", {});
  ::dup2(nowhere.number(), STDOUT_FILENO);
  ::dup2(nowhere.number(), STDERR_FILENO);
}

void HeldOutput::let_through() {
  if (!output_.is_open()) return;
  write_what_waits();
  ::dup2(output_.number(), STDOUT_FILENO);
  ::dup2(messages_.number(), STDERR_FILENO);
  output_ = Descriptor{};
  messages_ = Descriptor{};
}

}  // namespace tenure::daemon
