#include "log_output.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log_descriptor.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/text.hpp>

#include <climits>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::log {

namespace {

std::atomic<int> descriptor_in_place_of_standard_error{STDERR_FILENO};

void make_folders_of_log(const std::string& file) {
  try {
    make_folders(std::filesystem::path{file}.parent_path());
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the open that follows says it better
  }
}

}  // namespace

int standard_error() { return descriptor_in_place_of_standard_error; }

void use_as_standard_error(int descriptor) { descriptor_in_place_of_standard_error = descriptor; }

Output::Output(std::string file) : file_(std::move(file)) { open(); }

void Output::open() {
  if (file_.empty()) {
    open_standard_error();
  } else {
    open_file();
  }
  number_ = own_.is_open() ? own_.number() : standard_error();
  identity_ = identity_of_descriptor(number_);
}

// Errors of jobs may quote what only tenants should read.
void Output::open_file() {
  constexpr mode_t kUserAndGroup = 0640;
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  make_folders_of_log(file_);
  own_ = Descriptor{::open(file_.c_str(), kFlags | O_CREAT | O_EXCL, kUserAndGroup)};
  if (own_.is_open()) {
    give_to_owner_of_folder(file_);
  } else if (errno == EEXIST) {
    own_ = Descriptor{::open(file_.c_str(), kFlags)};
  }
  if (!own_.is_open())
    raise(ErrorCode::disk, "the log file cannot be opened: " + system_text(errno), {}, escaped(file_));
}

// O_NONBLOCK is of the open file, which standard error shares with whoever started the program: a pipe or a terminal is opened
// once more. Without permission for that, poll() tells whether a pipe takes PIPE_BUF bytes, unless another process is quicker.
void Output::open_standard_error() {
  own_ = Descriptor{};
  way_ = Way::write;
  struct stat status {};
  if (::fstat(standard_error(), &status) != 0) return;
  if (S_ISSOCK(status.st_mode)) way_ = Way::send;
  if (!S_ISFIFO(status.st_mode) && ::isatty(standard_error()) != 1) return;
  const std::string name = "/proc/self/fd/" + std::to_string(standard_error());
  own_ = Descriptor{::open(name.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (!own_.is_open()) way_ = Way::look_and_write;
}

bool Output::is_in_place() const {
  if (!identity_ || identity_of_descriptor(number_) != identity_) return false;
  return !file_.empty() || !own_.is_open() || identity_of_descriptor(standard_error()) == identity_;
}

ssize_t Output::write(std::string_view bytes) {
  if (!is_in_place()) {
    if (identity_of_descriptor(own_.number()) != identity_) static_cast<void>(own_.release());
    open();
  }
  ssize_t size = -1;
  do {
    if (way_ == Way::send) {
      size = ::send(number_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      if (way_ == Way::look_and_write) {
        if (!takes_bytes(number_, std::chrono::milliseconds{0})) return errno = EAGAIN, -1;
        bytes = bytes.substr(0, PIPE_BUF);
      }
      size = ::write(number_, bytes.data(), bytes.size());
    }
  } while (size < 0 && errno == EINTR);
  return size;
}

void Output::await_room(std::chrono::milliseconds at_most) const {
  static_cast<void>(takes_bytes(number_, at_most));
}

bool Backlog::add(std::string line) {
  if (!has_room_for(line.size())) {
    drop();
    return false;
  }
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  return true;
}

Backlog::End Backlog::write_to(Output& output) {
  while (!lines_.empty()) {
    const std::string_view rest = std::string_view{lines_.front()}.substr(written_);
    const ssize_t taken = output.write(rest);
    if (taken < 0) return errno == EAGAIN ? End::reader_waited_for : End::failed;
    written_ += static_cast<std::size_t>(taken);
    if (written_ < lines_.front().size()) continue;
    written_ = 0;
    bytes_ -= lines_.front().size();
    lines_.pop_front();
  }
  return End::all_written;
}

void Backlog::clear() { *this = Backlog{}; }

}  // namespace tenure::log
