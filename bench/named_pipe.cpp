#include "named_pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::bench {
namespace {

constexpr int kWordWaitMaxMs = 10'000;

}  // namespace

NamedPipe::NamedPipe(std::filesystem::path path) : path_(std::move(path)) {
  if (::mkfifo(path_.c_str(), 0600) != 0)
    throw std::runtime_error("no pipe can be made at " + path_.string());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
}

NamedPipe::~NamedPipe() { ::close(descriptor_); }

std::int64_t NamedPipe::read() {
  pollfd wait{.fd = descriptor_, .events = POLLIN, .revents = 0};
  std::int64_t value = 0;
  if (::poll(&wait, 1, kWordWaitMaxMs) != 1 || ::read(descriptor_, &value, sizeof value) != sizeof value)
    throw std::runtime_error("no word within 10 s");
  return value;
}

void NamedPipe::write(std::int64_t value) {
  if (::write(descriptor_, &value, sizeof value) != sizeof value)
    throw std::runtime_error("the pipe is broken");
}

}  // namespace tenure::bench
