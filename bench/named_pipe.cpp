#include "named_pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::bench {
namespace {

const std::filesystem::path& made(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("no pipe can be made at " + path.string());
  return path;
}

int opened(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error("the pipe cannot be opened: " + path.string());
  return descriptor;
}

}  // namespace

NamedPipe::NamedPipe(std::filesystem::path path) : path_(std::move(path)), descriptor_(opened(made(path_))) {}

NamedPipe::NamedPipe(std::filesystem::path path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

NamedPipe NamedPipe::there(std::filesystem::path path) {
  const int descriptor = opened(path);
  return {std::move(path), descriptor};
}

NamedPipe::~NamedPipe() { ::close(descriptor_); }

std::int64_t NamedPipe::read(std::chrono::milliseconds wait_max) {
  pollfd wait{.fd = descriptor_, .events = POLLIN, .revents = 0};
  std::int64_t value = 0;
  if (::poll(&wait, 1, static_cast<int>(wait_max.count())) != 1 ||
      ::read(descriptor_, &value, sizeof value) != sizeof value)
    throw std::runtime_error("no word within " + std::to_string(wait_max.count()) + " ms");
  return value;
}

void NamedPipe::write(std::int64_t value) {
  if (::write(descriptor_, &value, sizeof value) != sizeof value)
    throw std::runtime_error("the pipe is broken");
}

}  // namespace tenure::bench
