#pragma once

#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <unordered_set>

namespace tenure::reliability {

// What the processes of a run tell of what they try ("+ID") and were promised ("=ID"): a file beside what is under test, one
// write() a line, so that a process that is killed has told all that it did.
class Record {
 public:
  explicit Record(const char* file)
      : descriptor_(::open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {}
  // Ends the process where the record cannot be kept: what it does then would be unknown.
  void tell(char sign, std::string_view id) const {
    // It begins a line as well: the process before may have been killed in the middle of its own.
    const std::string line = std::string{'\n', sign} + std::string{id} + '\n';
    if (::write(descriptor_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
  }

 private:
  int descriptor_;
};

struct Recorded {
  std::unordered_set<std::string> attempted;
  std::unordered_set<std::string> acknowledged;
  std::int64_t checkpoints = 0;  // "c"
  std::int64_t bookkeeping = 0;  // "b": absorbed or settled

  explicit Recorded(const char* file) {
    std::ifstream lines{file};
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) continue;
      if (line[0] == '+') attempted.insert(line.substr(1));
      if (line[0] == '=') acknowledged.insert(line.substr(1));
      if (line[0] == 'c') ++checkpoints;
      if (line[0] == 'b') ++bookkeeping;
    }
  }
};

}  // namespace tenure::reliability
