#pragma once

#include "record.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

// Records in a memory of fixed size, of which the oldest make room for new ones. Each lies in one piece.
// Threads: one at a time.
namespace tenure::daemon::journal {

class MemoryRing {
 public:
  // The memory is asked for at once, and taken from the machine as it is filled.
  explicit MemoryRing(std::size_t bytes);
  ~MemoryRing();
  MemoryRing(const MemoryRing&) = delete;
  MemoryRing& operator=(const MemoryRing&) = delete;

  // False where it is larger than the ring; then nothing was changed.
  bool put(RecordKind kind, std::string_view payload);
  [[nodiscard]] std::size_t size() const { return capacity_; }
  // Where it is all there, in the order of these: the second may be empty. Safe in a signal handler of the same thread.
  [[nodiscard]] std::array<std::string_view, 2> pieces() const;
  // Whether something has made room.
  [[nodiscard]] bool has_lost_any() const { return has_lost_any_; }

 private:
  void make_room(std::size_t bytes);
  void lose_first();

  std::size_t capacity_;
  char* memory_;
  std::size_t first_ = 0;  // of the oldest record
  std::size_t next_ = 0;   // where the next one goes
  std::size_t count_ = 0;
  std::optional<std::size_t>
      turn_;  // behind the last record before the one at 0, while older ones lie before it
  bool has_lost_any_ = false;
};

}  // namespace tenure::daemon::journal
