#include "slot_board.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tenure::daemon {

namespace {

using SlotPhase = BoardSlot::Phase;

// In the head's field `seq`, once a process keeps the board.
constexpr std::int64_t kKept = 0x3130'4452'414F'4254;  // "TBOARD01"

// As the bytes of a slot are read back, by nobody else any more.
struct ReadSlot {
  std::uint32_t phase = 0;
  std::int32_t signal = 0;
  std::int64_t seq = 0;
  std::int64_t incarnation = 0;
  std::int64_t counter = 0;
  std::int64_t started_us = 0;
  std::array<std::int64_t, 3> unused{};
};
static_assert(sizeof(ReadSlot) == sizeof(BoardSlot));

std::vector<ReadSlot> units_in(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return {};
  std::vector<ReadSlot> units(static_cast<std::size_t>(status.st_size) / sizeof(ReadSlot));
  const std::size_t bytes = units.size() * sizeof(ReadSlot);
  if (::pread(descriptor, units.data(), bytes, 0) != static_cast<ssize_t>(bytes)) return {};
  return units;
}

// A head, the slots, and the ends.
constexpr std::size_t units_for(std::size_t threads) { return 1 + threads + threads + kBoardEndsMore; }
constexpr std::size_t threads_of(std::size_t units) {
  return units > units_for(0) ? (units - units_for(0)) / 2 : 0;
}

struct ReadEnd {
  std::int64_t check = 0;
  std::int64_t seq = 0;
  std::int64_t incarnation = 0;
  std::int64_t counter = 0;
  std::int64_t result = 0;
  std::int64_t run_time_us = 0;
  std::array<std::int64_t, 2> unused{};
};
static_assert(sizeof(ReadEnd) == sizeof(BoardEnd) && sizeof(ReadEnd) == sizeof(ReadSlot));

// Never 0. Against what a job writes by mistake, not against one that means it.
std::int64_t check_of(const ReadEnd& end) {
  std::uint64_t check = 0xcbf2'9ce4'8422'2325;  // FNV-1a, a word at a time
  for (const std::int64_t word : {end.seq, end.incarnation, end.counter, end.result, end.run_time_us})
    check = (check ^ static_cast<std::uint64_t>(word)) * 0x100'0000'01b3;
  return static_cast<std::int64_t>(check | 1U);
}

queue::RunResult result_of(std::int64_t word) {
  for (const queue::RunResult result : {queue::RunResult::succeeded, queue::RunResult::expired})
    if (word == static_cast<std::int64_t>(result)) return result;
  return queue::RunResult::failed;
}

std::optional<queue::AttemptEnd> end_in(const ReadSlot& unit) {
  const auto end = std::bit_cast<ReadEnd>(unit);
  if (end.check != check_of(end)) return std::nullopt;
  return queue::AttemptEnd{
      .claim = {queue::JobSeq{end.seq}, {queue::Incarnation{end.incarnation}, end.counter}},
      .result = result_of(end.result),
      .run_time = std::chrono::microseconds{end.run_time_us},
      .failure = {}};
}

}  // namespace

PerformedInSlot::PerformedInSlot(BoardSlot* slot, const queue::ClaimRef& claim, WallTime now) : slot_(slot) {
  if (slot == nullptr) return;
  // What is half written names nobody.
  slot->phase.store(SlotPhase::unused, std::memory_order_release);
  slot->signal.store(0, std::memory_order_release);
  slot->seq.store(claim.seq.value, std::memory_order_release);
  slot->incarnation.store(claim.token.incarnation.value, std::memory_order_release);
  slot->counter.store(claim.token.counter, std::memory_order_release);
  slot->started_us.store(to_us(now), std::memory_order_release);
  slot->phase.store(SlotPhase::performing, std::memory_order_release);
}

PerformedInSlot::~PerformedInSlot() {
  if (slot_ != nullptr) slot_->phase.store(SlotPhase::ended, std::memory_order_release);
}

SlotBoard::SlotBoard(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) raise_system(errno, "cannot look at the slot board", {});
  const auto size = static_cast<std::size_t>(status.st_size);
  if (threads_of(size / sizeof(BoardSlot)) == 0)
    raise(ErrorCode::bad_configuration, "the slot board that tenured gave has no slot");
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) raise_system(errno, "cannot map the slot board", {});
  slots_ = static_cast<BoardSlot*>(memory);
  count_ = size / sizeof(BoardSlot);
  threads_ = threads_of(count_);
  ends_ = reinterpret_cast<BoardEnd*>(slots_ + 1 + threads_);
  slots_->seq.store(kKept, std::memory_order_release);
}

SlotBoard::~SlotBoard() {
  if (slots_ != nullptr) ::munmap(slots_, count_ * sizeof(BoardSlot));
}

BoardSlot* SlotBoard::slot(std::size_t number) const {
  return number < threads_ ? slots_ + number + 1 : nullptr;
}

void SlotBoard::note_end(const queue::AttemptEnd& ended) {
  if (ends_ == nullptr) return;
  const ReadEnd end{.seq = ended.claim.seq.value,
                    .incarnation = ended.claim.token.incarnation.value,
                    .counter = ended.claim.token.counter,
                    .result = static_cast<std::int64_t>(ended.result),
                    .run_time_us = ended.run_time.count()};
  BoardEnd& place = ends_[next_end_];
  next_end_ = (next_end_ + 1) % (threads_ + kBoardEndsMore);
  place.check.store(0, std::memory_order_release);
  place.seq.store(end.seq, std::memory_order_release);
  place.incarnation.store(end.incarnation, std::memory_order_release);
  place.counter.store(end.counter, std::memory_order_release);
  place.result.store(end.result, std::memory_order_release);
  place.run_time_us.store(end.run_time_us, std::memory_order_release);
  place.check.store(check_of(end), std::memory_order_release);
}

// Sealed: a worker process that cuts it off would have the daemon read past its end.
Result<Descriptor> make_board(std::size_t threads) {
  Descriptor board{::memfd_create("tenure-slots", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  const auto size = static_cast<off_t>(units_for(threads) * sizeof(BoardSlot));
  if (!board.is_open() || ::ftruncate(board.number(), size) != 0 ||
      ::fcntl(board.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail(error_code_of_system(errno), "cannot make a slot board: " + system_text(errno));
  return board;
}

std::optional<LastSlots> read_board(int descriptor, const queue::ProcessExit& exit) {
  const std::vector<ReadSlot> units = units_in(descriptor);
  if (units.empty() || units.front().seq != kKept) return std::nullopt;
  LastSlots last;
  std::size_t noted = 0;
  const std::size_t first_end = 1 + threads_of(units.size());
  for (std::size_t number = first_end; number < units.size(); ++number)
    if (const auto end = end_in(units[number])) last.ended.push_back(*end);
  for (std::size_t number = 1; number < first_end; ++number) {
    const ReadSlot& slot = units[number];
    if (slot.phase == static_cast<std::uint32_t>(SlotPhase::unused)) continue;
    const queue::ClaimRef claim{queue::JobSeq{slot.seq},
                                {queue::Incarnation{slot.incarnation}, slot.counter}};
    last.begun.push_back(claim);
    if (slot.signal == 0) continue;
    ++noted;
    // A signal that was noted, and survived, is not what ended the process.
    if (exit.by == queue::ProcessExit::By::signal && slot.signal == exit.number)
      last.crashed.push_back(claim);
  }
  // Any of them may have spoilt what the others met.
  if (noted > 1) last.crashed.clear();
  return last;
}

}  // namespace tenure::daemon
