#include "terminal_program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tenure::testing {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// The first terminal that a leader of a session opens is its controlling one.
pid_t start(const std::vector<std::string>& command, const char* terminal) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> variables{"TERM=xterm"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool is_other = !text.starts_with("TENURE_") && !text.starts_with("TERM=") &&
                          !text.starts_with("NO_COLOR=") && !text.starts_with("COLUMNS=");
    if (is_other) variables.emplace_back(text);
  }
  std::vector<char*> pointers;
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0);
  for (const int number : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, number);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), pointers.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.at(0));
  return pid;
}

}  // namespace

TerminalProgram::TerminalProgram(const std::vector<std::string>& command, int columns, int rows)
    : ours_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
  if (ours_ < 0 || ::grantpt(ours_) != 0 || ::unlockpt(ours_) != 0) fail("posix_openpt");
  std::array<char, 64> name{};
  if (::ptsname_r(ours_, name.data(), name.size()) != 0) fail("ptsname_r");
  theirs_ = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (theirs_ < 0) fail(name.data());
  resize(columns, rows);
  mode_before_ = mode();
  pid_ = start(command, name.data());
}

TerminalProgram::~TerminalProgram() {
  if (!has_ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(theirs_);
  ::close(ours_);
}

void TerminalProgram::type(std::string_view keys) const {
  if (::write(ours_, keys.data(), keys.size()) < 0) fail("a key cannot be typed");
}

void TerminalProgram::resize(int columns, int rows) const {
  const winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
  if (::ioctl(theirs_, TIOCSWINSZ, &size) != 0) fail("TIOCSWINSZ");
}

void TerminalProgram::signal(int number) const {
  if (!has_ended_) ::kill(pid_, number);
}

void TerminalProgram::take_nothing() const {
  if (::tcflow(theirs_, TCOOFF) != 0) fail("TCOOFF");
}

void TerminalProgram::take_again() const {
  if (::tcflow(theirs_, TCOON) != 0) fail("TCOON");
}

bool TerminalProgram::shows(const std::string& text) {
  std::size_t at = std::string::npos;
  const bool is_there = wait_until([&] {
    read_what_is_there();
    at = written_.find(text, seen_);
    return at != std::string::npos;
  });
  if (is_there) seen_ = at + text.size();
  return is_there;
}

const std::string& TerminalProgram::screen() {
  read_what_is_there();
  return written_;
}

void TerminalProgram::read_what_is_there() {
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t size = ::read(ours_, bytes.data(), bytes.size());
    if (size <= 0) return;
    written_.append(bytes.data(), static_cast<std::size_t>(size));
  }
}

termios TerminalProgram::mode() const {
  termios mode{};
  if (::tcgetattr(theirs_, &mode) != 0) fail("tcgetattr");
  return mode;
}

std::optional<std::string> TerminalProgram::wait() {
  std::optional<std::string> end;
  const bool has_come = wait_until([&] {
    read_what_is_there();  // whoever writes to a terminal that nobody reads waits
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG | WUNTRACED) != pid_) return false;
    has_ended_ = !WIFSTOPPED(status);
    end = WIFSTOPPED(status)  ? "stopped"
          : WIFEXITED(status) ? "exit " + std::to_string(WEXITSTATUS(status))
                              : "signal " + std::to_string(WTERMSIG(status));
    return true;
  });
  return has_come ? end : std::nullopt;
}

}  // namespace tenure::testing
