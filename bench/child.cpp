#include "child.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tenure::bench {

Child::Child(const std::vector<std::string>& arguments, std::filesystem::path log)
    : program_(arguments.at(0)), log_(std::move(log)) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int error = ::posix_spawn(&process_, program_.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw std::runtime_error(fmt::format("{} cannot be started: {}", program_, std::strerror(error)));
}

Child::Child(Child&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      program_(std::move(other.program_)),
      log_(std::move(other.log_)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(process_, other.process_);
  std::swap(program_, other.program_);
  std::swap(log_, other.log_);
  return *this;
}

Child::~Child() { kill(); }

void Child::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void Child::signal(int number) const { ::kill(process_, number); }

void Child::wait() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) continue;
  process_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) complain(status);
}

void Child::require_running() {
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) == 0) return;
  process_ = -1;
  complain(status);
}

void Child::complain(int status) const {
  std::ifstream log(log_);
  std::string text{std::istreambuf_iterator<char>(log), {}};
  constexpr std::size_t kShown = 2000;
  if (text.size() > kShown) text.erase(0, text.size() - kShown);
  throw std::runtime_error(fmt::format("{} ended with {}: {}", program_,
                                       WIFEXITED(status) ? fmt::format("exit {}", WEXITSTATUS(status))
                                                         : fmt::format("signal {}", WTERMSIG(status)),
                                       text));
}

std::string own_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

}  // namespace tenure::bench
