#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

// Another process of a benchmark, started by exec. Threads: one at a time.
namespace tenure::bench {

class Child {
 public:
  // `arguments` begins with the program's path. What it writes goes to `log`.
  Child(const std::vector<std::string>& arguments, std::filesystem::path log);
  // Kills what still runs.
  ~Child();
  Child(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child& operator=(Child&& other) noexcept;

  [[nodiscard]] pid_t pid() const { return process_; }
  void signal(int number) const;
  // SIGKILL, and waits for its end. Nothing for one that has ended.
  void kill();
  // Throws, with the end of the log, unless it exits with 0.
  void wait();
  // Throws if it has ended already: whoever waits for something of it would wait for ever.
  void require_running();

 private:
  [[noreturn]] void complain(int status) const;

  pid_t process_ = -1;  // -1: it was waited for
  std::string program_;
  std::filesystem::path log_;
};

// The path of the program that runs.
[[nodiscard]] std::string own_program();

}  // namespace tenure::bench
