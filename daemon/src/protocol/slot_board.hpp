#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/run.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

// Memory that a worker process shares with the daemon, 64 bytes for each of its threads that perform: what they do, and which of them met a
// signal; and as many for each of the jobs that have ended last, whose ends may not have left the process. It is for after the process's
// end, when nobody can be asked: who died by what, which jobs had begun, and how they had ended.
// The format is part of the worker protocol (docs/formats/worker-protocol.md).
namespace tenure::daemon {

// One thread writes it, that which performs, and its signal handler; read when the process is dead.
struct alignas(64) BoardSlot {
  enum class Phase : std::uint32_t { unused = 0, performing = 1, ended = 2 };
  std::atomic<Phase> phase;          // written last: what stands below it is whole then
  std::atomic<std::int32_t> signal;  // 0: none
  std::atomic<std::int64_t> seq;
  std::atomic<std::int64_t> incarnation;
  std::atomic<std::int64_t> counter;
  std::atomic<std::int64_t> started_us;  // since 1970
  std::atomic<std::int64_t> unused[3];
};
static_assert(sizeof(BoardSlot) == 64 && std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<BoardSlot::Phase>::is_always_lock_free);

// One job that has ended. Written by one thread at a time; nothing that is half written, or that a wild pointer has changed, fits its check.
struct alignas(64) BoardEnd {
  std::atomic<std::int64_t> check;  // written last; 0: none
  std::atomic<std::int64_t> seq;
  std::atomic<std::int64_t> incarnation;
  std::atomic<std::int64_t> counter;
  std::atomic<std::int64_t> result;  // a RunResult
  std::atomic<std::int64_t> run_time_us;
  std::atomic<std::int64_t> unused[2];
};
static_assert(sizeof(BoardEnd) == sizeof(BoardSlot));

// So many more than there are threads are kept: as many as the daemon may have assigned ahead, and so all that it has not heard of.
inline constexpr std::size_t kBoardEndsMore = 512;

// For its life, the slot says that this job is performed; afterwards that it has ended. nullptr: nobody keeps a board.
class PerformedInSlot {
 public:
  PerformedInSlot(BoardSlot* slot, const queue::ClaimRef& claim, WallTime now);
  ~PerformedInSlot();
  PerformedInSlot(const PerformedInSlot&) = delete;
  PerformedInSlot& operator=(const PerformedInSlot&) = delete;

 private:
  BoardSlot* slot_;
};

// The worker process's end. Threads: slot() any; note_end() one at a time.
class SlotBoard {
 public:
  // None: no slot is there, and nothing is noted.
  SlotBoard() = default;
  // Maps what the descriptor has open, which may be closed then, and says so in it. Throws where it is no board.
  explicit SlotBoard(int descriptor);
  ~SlotBoard();
  SlotBoard(const SlotBoard&) = delete;
  SlotBoard& operator=(const SlotBoard&) = delete;

  // nullptr where there are no more.
  [[nodiscard]] BoardSlot* slot(std::size_t number) const;
  // It has ended, and will be told: in the order in which the daemon is told.
  void note_end(const queue::AttemptEnd& end);

 private:
  BoardSlot* slots_ = nullptr;  // the first is the head
  std::size_t count_ = 0;       // of units
  std::size_t threads_ = 0;
  BoardEnd* ends_ = nullptr;
  std::size_t next_end_ = 0;
};

// The daemon's end: makes one for so many threads, all zero, whose size nobody can change.
[[nodiscard]] Result<Descriptor> make_board(std::size_t threads);
// After the end of its process. Nothing where the process did not keep it.
[[nodiscard]] std::optional<LastSlots> read_board(int descriptor, const queue::ProcessExit& exit);

}  // namespace tenure::daemon
