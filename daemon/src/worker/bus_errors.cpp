#include "bus_errors.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/system.hpp>
#include <tenure/daemon/control_lock.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

// All of it runs inside a signal handler: no memory is taken, no lock, nothing of stdio.
namespace tenure::daemon {
namespace {

constexpr std::string_view kIndexSuffix = "-shm";

// Reads /proc/self/maps (proc(5)) line by line: `start-end perms offset dev inode path`.
class Maps {
 public:
  Maps() : descriptor_(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}
  ~Maps() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Maps(const Maps&) = delete;
  Maps& operator=(const Maps&) = delete;

  // Whether the address lies in a mapping whose file has that suffix.
  bool is_in_file_with(std::string_view suffix, std::uintptr_t address) {
    while (true) {
      const std::uintptr_t start = number();
      const std::uintptr_t end = number();
      const bool is_the_file = rest_ends_with(suffix);
      if (has_ended_) return false;
      if (start <= address && address < end) return is_the_file;
    }
  }

 private:
  // 0 at the end.
  char next() {
    if (at_ == size_) {
      const ssize_t got = descriptor_ < 0 ? 0 : ::read(descriptor_, buffer_.data(), buffer_.size());
      size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
      at_ = 0;
      has_ended_ = size_ == 0;
      if (has_ended_) return 0;
    }
    return buffer_[at_++];
  }
  // In hexadecimal, with the character behind it.
  std::uintptr_t number() {
    std::uintptr_t value = 0;
    for (char c = next();; c = next()) {
      if (c >= '0' && c <= '9') value = value * 16 + static_cast<std::uintptr_t>(c - '0');
      else if (c >= 'a' && c <= 'f') value = value * 16 + static_cast<std::uintptr_t>(c - 'a' + 10);
      else return value;
    }
  }
  bool rest_ends_with(std::string_view suffix) {
    std::size_t matched = 0;
    for (char c = next(); c != '\n' && c != 0; c = next()) {
      if (matched < suffix.size() && c == suffix[matched]) ++matched;
      else matched = c == suffix[0] ? 1 : 0;
    }
    return matched == suffix.size();
  }

  int descriptor_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  bool has_ended_ = false;
};

void on_bus_error(int number, siginfo_t* info, void*) {
  leave_if_index_of_database(*info);
  std::signal(number, SIG_DFL);  // the access is made again, and now ends the process
}

}  // namespace

void leave_if_index_of_database(const siginfo_t& bus_error) {
  const auto address = reinterpret_cast<std::uintptr_t>(bus_error.si_addr);
  if (bus_error.si_code <= 0 || !Maps{}.is_in_file_with(kIndexSuffix, address)) return;
  constexpr std::string_view kText =
      "tenure: no page for the -shm of a tenant's database: the disk is full or broken; leaving, no job is "
      "charged\n";
  ControlLock::note_leaving();
  write_last_words(kText);
  ::_exit(number_of(ExitCode::sync_failed));
}

void leave_on_bus_errors_of_databases() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace tenure::daemon
