#pragma once

#include <tenure/base/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

// What the operating system hands out: file descriptors, the numbers of its errors, kinds of file systems. Threads: any; one
// Descriptor belongs to one thread at a time.
namespace tenure {

// Owns an open file descriptor and closes it; -1 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  // The caller closes it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

// Which file a descriptor has open: the same for each copy of it. Nothing for one that is closed.
struct DescriptorIdentity {
  dev_t device = 0;
  ino_t number = 0;
  mode_t type = 0;
  friend bool operator==(const DescriptorIdentity&, const DescriptorIdentity&) = default;
};
[[nodiscard]] std::optional<DescriptorIdentity> identity_of_descriptor(int descriptor);

// Opens what is closed of the descriptors 0 to 2 on /dev/null, so that no file, socket or database of ours gets a number that
// others print to. Standard output is given what cannot be written, and so the loss is noticed. Before anything is opened.
void fill_standard_streams();

// "No such file or directory", for a value of errno.
[[nodiscard]] std::string system_text(int error);

// AccessRefused where permission is missing or a link is not followed, HandleBudgetExhausted where no descriptor is left, else
// DiskError.
[[nodiscard]] ErrorCode error_code_of_system(int error);

// "`what`: the text of `error`" with `file` for its where; of the error's own code, or of the one that is named.
[[noreturn]] void raise_system(int error, std::string_view what, const std::filesystem::path& file);
[[noreturn]] void raise_system(ErrorCode code, int error, std::string_view what,
                               const std::filesystem::path& file);

// All of it, however often a signal interrupts. False with errno where that cannot be.
[[nodiscard]] bool write_all(int descriptor, std::string_view bytes);

// Whether a pipe, socket or terminal takes some bytes, within that time. Safe in a signal handler.
[[nodiscard]] bool takes_bytes(int descriptor, std::chrono::milliseconds within);

// To standard error, as far as it takes each PIPE_BUF bytes within `moment`: for what a program says before it ends, and for who may
// not wait. Safe in a signal handler.
void write_last_words(std::string_view text,
                      std::chrono::milliseconds moment = std::chrono::milliseconds{100}) noexcept;

// What there is to read, at most so many bytes. Nothing with errno where that cannot be.
[[nodiscard]] std::optional<std::string> read_up_to(int descriptor, std::size_t bytes_max);

// 0 once this process alone has the lock of an open file (flock), EWOULDBLOCK where another process has it and nobody is to wait,
// else errno. A wait has no bound.
enum class WhenLocked : std::uint8_t { give_up, wait };
[[nodiscard]] int lock_file(int descriptor, WhenLocked when_locked);

// The network file system on which a folder lies ("NFS"), empty for a local one. They keep neither the locks nor the shared
// memory of SQLite's. Nothing where the folder cannot be looked at.
[[nodiscard]] std::optional<std::string_view> network_file_system_below(const std::filesystem::path& folder);

// The same for statfs().f_type.
[[nodiscard]] std::string_view network_file_system_of(std::int64_t type);

// Whether it lies in memory, and so is gone when the machine starts again; false where it cannot be looked at.
[[nodiscard]] bool lies_in_memory(const std::filesystem::path& folder);

}  // namespace tenure
