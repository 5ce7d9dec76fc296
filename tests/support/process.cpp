#include "process.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tenure::testing {
namespace {

struct Status {
  char state = '?';
  pid_t parent = 0;
};

// The second field of /proc/PID/stat is a name in parentheses that may hold anything; the rest follows the last one.
std::optional<Status> status_of(pid_t pid) {
  // One that is gone meanwhile is an error of reading, for which a stream's buffer throws, and a stream itself does not.
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  const auto end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(end + 1));
  Status status;
  rest >> status.state >> status.parent;
  return status;
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds bound) {
  constexpr int kLookMs = 5;
  const auto looks = bound.count() / kLookMs;
  for (std::int64_t look = 0; look < looks; ++look) {
    if (condition()) return true;
    ::poll(nullptr, 0, kLookMs);
  }
  return condition();
}

Process::Process(const std::vector<std::string>& command, const std::filesystem::path& output,
                 const std::vector<std::string>& environment)
    : output_(output) {
  std::vector<std::string> variables = environment;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view{*entry}.starts_with("TENURE_")) variables.emplace_back(*entry);
  std::vector<char*> arguments;
  std::vector<char*> pointers;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  for (const std::string& variable : variables) pointers.push_back(const_cast<char*>(variable.c_str()));
  arguments.push_back(nullptr);
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.at(0));
}

Process::~Process() {
  if (end_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (!end_) ::kill(pid_, number);
}

std::optional<std::string> Process::wait(std::chrono::milliseconds bound) {
  const auto ended = [&] {
    int status = 0;
    if (!end_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
      end_ = WIFEXITED(status) ? "exit " + std::to_string(WEXITSTATUS(status))
                               : "signal " + std::to_string(WTERMSIG(status));
    return end_.has_value();
  };
  static_cast<void>(wait_until(ended, bound));
  return end_;
}

std::string Process::output() const {
  std::ifstream file(output_);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    const auto status = status_of(pid);
    if (status && status->parent == parent && status->state != 'Z') children.push_back(pid);
  }
  return children;
}

bool is_alive(pid_t pid) {
  const auto status = status_of(pid);
  return status && status->state != 'Z';
}

bool is_stopped(pid_t pid) {
  const auto status = status_of(pid);
  return status && status->state == 'T';
}

}  // namespace tenure::testing
