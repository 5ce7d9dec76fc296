#pragma once

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <poll.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tenure::testing {

// A pipe with a name that is full from the start: who writes to it waits until the test reads.
class UnreadPipe {
 public:
  explicit UnreadPipe(std::filesystem::path path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) == 0)
      descriptor_ = ::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), path_);
    const std::string page(4096, '\n');
    while (::write(descriptor_, page.data(), page.size()) > 0) {
    }
  }
  ~UnreadPipe() { ::close(descriptor_); }
  UnreadPipe(const UnreadPipe&) = delete;
  UnreadPipe& operator=(const UnreadPipe&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Reads line after line, those that filled it left out, until `is_last` says so of one.
  void read_until(const std::function<bool(const std::string&)>& is_last) {
    while (true) {
      unread_.erase(0, unread_.find_first_not_of('\n'));
      const std::size_t end = unread_.find('\n');
      if (end == std::string::npos) {
        wait_and_read();
        continue;
      }
      const std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      if (is_last(line)) return;
    }
  }
  // Takes so much of what filled it that others can write.
  void make_room() const {
    std::array<char, 8UL * 4096> buffer{};
    static_cast<void>(!::read(descriptor_, buffer.data(), buffer.size()));
  }
  // What is there now.
  std::string read_all() {
    std::string all;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(descriptor_, buffer.data(), buffer.size())) > 0;)
      all.append(buffer.data(), static_cast<std::size_t>(got));
    return all;
  }

 private:
  void wait_and_read() {
    pollfd readable{.fd = descriptor_, .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, -1);
    unread_ += read_all();
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::string unread_;
};

}  // namespace tenure::testing
