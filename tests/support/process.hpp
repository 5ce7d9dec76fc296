#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenure::testing {

// How long a test waits for something that must happen; it is a bound, and nobody waits that long for success.
inline constexpr std::chrono::seconds kPatience{60};

// Looks every few milliseconds until `condition` holds; false when it has not within the bound.
[[nodiscard]] bool wait_until(const std::function<bool()>& condition,
                              std::chrono::milliseconds bound = kPatience);

// A program started by a test, without a shell; its output goes to a file. Killed and reaped when the object ends.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::filesystem::path& output,
          const std::vector<std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // "exit 0", "signal 9"; nothing if it has not ended within the bound.
  [[nodiscard]] std::optional<std::string> wait(std::chrono::milliseconds bound = kPatience);
  [[nodiscard]] std::string output() const;

 private:
  std::filesystem::path output_;
  pid_t pid_ = 0;
  std::optional<std::string> end_;
};

// Live child processes of `parent` by /proc, zombies left out.
[[nodiscard]] std::vector<pid_t> children_of(pid_t parent);
// False also for a zombie.
[[nodiscard]] bool is_alive(pid_t pid);
// By SIGSTOP or its kin.
[[nodiscard]] bool is_stopped(pid_t pid);

}  // namespace tenure::testing
