#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

// A pipe with a name, through which a job or another process says one number at a time. Threads: one at a time.
namespace tenure::bench {

class NamedPipe {
 public:
  // Throws where it cannot be made. Open for writing too, so that it never ends.
  explicit NamedPipe(std::filesystem::path path);
  // One that another process has made.
  [[nodiscard]] static NamedPipe there(std::filesystem::path path);
  ~NamedPipe();
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Throws where no word comes in that time.
  [[nodiscard]] std::int64_t read(std::chrono::milliseconds wait_max = std::chrono::seconds{10});
  void write(std::int64_t value);

 private:
  NamedPipe(std::filesystem::path path, int descriptor);

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace tenure::bench
