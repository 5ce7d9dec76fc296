#pragma once

#include "encoder.hpp"
#include "journal_file.hpp"
#include "memory_ring.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The dispatcher's journal: what happened, what it decided, and now and then all that it remembers, so that a ring which has lost its
// beginning can still be replayed (replay.hpp). It only keeps; files are written by journal_file.hpp.
// Threads: the dispatcher's.
namespace tenure::daemon {
class Machine;
}

namespace tenure::daemon::journal {

// Between two snapshots at most so long, and at most this part of the ring; one that is larger than that part is left out.
inline constexpr std::chrono::minutes kSnapshotEach{1};
inline constexpr std::size_t kRingPerSnapshot = 3;

class Journal {
 public:
  using Pieces = std::array<std::string_view, 2>;

  // `bytes`: of the ring; 0: nothing is kept.
  explicit Journal(std::size_t bytes);

  // Before and after each step, from the first one on.
  void happened(const Dispatcher& dispatcher, const Event& event, Now now);
  void decided(const Actions& actions);

  [[nodiscard]] bool is_kept() const { return ring_.has_value(); }
  // In order; from the first snapshot on they can be replayed. Safe in a signal handler of the same thread.
  [[nodiscard]] Pieces records() const { return ring_ ? ring_->pieces() : Pieces{}; }
  // A snapshot was larger than its part of the ring, and nothing can be replayed until there is a smaller one.
  [[nodiscard]] bool is_too_large() const { return is_too_large_; }
  [[nodiscard]] std::size_t size() const { return ring_ ? ring_->size() : 0; }

 private:
  [[nodiscard]] std::size_t snapshot_max() const { return size() / kRingPerSnapshot; }
  void put(RecordKind kind);
  void keep_snapshot(const Dispatcher& dispatcher, Now now);

  std::optional<MemoryRing> ring_;
  Encoder encoder_;
  std::uint64_t events_ = 0;
  std::size_t since_snapshot_ = 0;  // bytes
  std::optional<Instant> next_snapshot_;
  bool is_too_large_ = false;
};

// What a snapshot holds.
void put_snapshot(Encoder& encoder, std::uint64_t events_before, const Machine& machine);

// Who keeps a journal, for a file of it.
[[nodiscard]] Head head_of_this_program(const std::string& program_version, const std::string& node,
                                        std::int64_t pid, Why why);

}  // namespace tenure::daemon::journal
