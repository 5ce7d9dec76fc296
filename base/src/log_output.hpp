#pragma once

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace tenure::log {

// The descriptor for lines without a file: 2, unless somebody has named another one.
[[nodiscard]] int standard_error();

// The file, pipe, socket or terminal to which lines go. Writing never waits for whoever reads it; a disk may take its time.
// Threads: one at a time; await_room() also beside a write.
class Output {
 public:
  // An empty name is standard error. DiskError where the file cannot be opened.
  explicit Output(std::string file);

  // How much of it was taken, or -1 with errno: EAGAIN where whoever reads takes no more. Where the descriptor is not what was
  // opened, the name is opened again first: a handler has closed it, and by now its number may be a database's.
  [[nodiscard]] ssize_t write(std::string_view bytes);
  // Until it takes more, or so long.
  void await_room(std::chrono::milliseconds at_most) const;

 private:
  enum class Way : std::uint8_t {
    write,  // to a file, or to an open file of our own that does not block
    send,
    look_and_write,  // where others may have a hand on the same open file
  };
  void open();
  void open_file();
  void open_standard_error();
  [[nodiscard]] bool is_in_place() const;

  std::string file_;
  Descriptor own_;  // none: standard error's
  std::atomic<int> number_{-1};
  Way way_ = Way::write;
  std::optional<DescriptorIdentity> identity_;
};

// Lines that were not taken yet, in order and within a bound.
class Backlog {
 public:
  // False where it is full: then the line is dropped and counted.
  [[nodiscard]] bool add(std::string line);
  enum class End : std::uint8_t {
    all_written,
    reader_waited_for,
    failed,  // errno says why; the lines stay
  };
  [[nodiscard]] End write_to(Output& output);
  // The next output gets a line that was begun from its first byte on.
  void begin_line_anew() { written_ = 0; }
  void clear();

  [[nodiscard]] bool has_room_for(std::size_t size) const { return bytes_ + size <= kWaitingMax; }
  void drop() { ++dropped_; }
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }
  void forget_dropped() { dropped_ = 0; }

 private:
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  std::size_t written_ = 0;  // of the first line
  std::int64_t dropped_ = 0;
};

}  // namespace tenure::log
