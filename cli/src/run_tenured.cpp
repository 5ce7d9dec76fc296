#include "run_tenured.hpp"

#include <tenure/base/system.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tenure::cli {
namespace {

constexpr const char* kProgram = "tenured";
constexpr std::size_t kReadBytes = 64UL * 1024;
constexpr std::size_t kErrorsMax = 64UL * 1024;

struct Pipe {
  Descriptor read, write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) raise_system(errno, "a pipe cannot be made", {});
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

std::filesystem::path beside_this_program() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path{} : own.parent_path() / kProgram;
}

// What signals this program holds back its child shall not.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

pid_t start(const std::vector<std::string>& arguments, int output, int errors) {
  std::vector<char*> words{const_cast<char*>(kProgram)};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
  const Attributes attributes;
  const std::filesystem::path beside = beside_this_program();
  pid_t child = -1;
  int error = ::posix_spawn(&child, beside.c_str(), &files, attributes.get(), words.data(), environ);
  if (error == ENOENT || error == EACCES)
    error = ::posix_spawnp(&child, kProgram, &files, attributes.get(), words.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) raise_system(ErrorCode::disk, error, "tenured, which replays, cannot be started", kProgram);
  return child;
}

// Both at once, until both are closed: neither is to wait for the other.
void read_both(int output, int errors, FunctionRef<void(std::string_view)> on_output,
               FunctionRef<void(std::string_view)> on_errors) {
  std::array<pollfd, 2> ends{pollfd{output, POLLIN, 0}, pollfd{errors, POLLIN, 0}};
  std::array<char, kReadBytes> bytes{};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (::poll(ends.data(), ends.size(), -1) < 0) {
      if (errno == EINTR) continue;
      raise_system(errno, "tenured cannot be waited for", {});
    }
    for (std::size_t end = 0; end < ends.size(); ++end) {
      if (ends[end].fd < 0 || ends[end].revents == 0) continue;
      const ssize_t got = ::read(ends[end].fd, bytes.data(), bytes.size());
      if (got > 0) (end == 0 ? on_output : on_errors)({bytes.data(), static_cast<std::size_t>(got)});
      else if (got == 0 || errno != EINTR) ends[end].fd = -1;
    }
  }
}

// Where nobody reads any more it ends by that: the pipes are closed first.
int end_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) raise_system(errno, "tenured cannot be waited for", {});
  return status;
}

}  // namespace

ProgramAnswer run_tenured(const std::vector<std::string>& arguments,
                          FunctionRef<void(std::string_view)> on_output) {
  ProgramAnswer answer;
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  const pid_t child = start(arguments, output.write.number(), errors.write.number());
  output.write = Descriptor{};
  errors.write = Descriptor{};
  try {
    read_both(output.read.number(), errors.read.number(), on_output, [&](std::string_view text) {
      answer.errors += text.substr(0, kErrorsMax - answer.errors.size());
    });
  } catch (...) {
    output.read = Descriptor{};
    errors.read = Descriptor{};
    end_of(child);
    throw;
  }
  const int status = end_of(child);
  if (WIFSIGNALED(status)) answer.signal = WTERMSIG(status);
  else answer.exit_code = WEXITSTATUS(status);
  return answer;
}

}  // namespace tenure::cli
