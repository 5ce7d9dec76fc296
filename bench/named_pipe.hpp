#pragma once

#include <cstdint>
#include <filesystem>

// A pipe with a name, through which a job or another process says one number at a time. Threads: one at a time.
namespace tenure::bench {

class NamedPipe {
 public:
  // Throws where it cannot be made. Open for writing too, so that it never ends.
  explicit NamedPipe(std::filesystem::path path);
  ~NamedPipe();
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Throws where no word comes within 10 s.
  [[nodiscard]] std::int64_t read();
  void write(std::int64_t value);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace tenure::bench
