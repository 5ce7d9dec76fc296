#include "slot_board.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
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

std::vector<ReadSlot> slots_in(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return {};
  std::vector<ReadSlot> slots(static_cast<std::size_t>(status.st_size) / sizeof(ReadSlot));
  const std::size_t bytes = slots.size() * sizeof(ReadSlot);
  if (::pread(descriptor, slots.data(), bytes, 0) != static_cast<ssize_t>(bytes)) return {};
  return slots;
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
  if (size < sizeof(BoardSlot))
    raise(ErrorCode::bad_configuration, "the slot board that tenured gave is empty");
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) raise_system(errno, "cannot map the slot board", {});
  slots_ = static_cast<BoardSlot*>(memory);
  count_ = size / sizeof(BoardSlot);
  slots_->seq.store(kKept, std::memory_order_release);
}

SlotBoard::~SlotBoard() {
  if (slots_ != nullptr) ::munmap(slots_, count_ * sizeof(BoardSlot));
}

BoardSlot* SlotBoard::slot(std::size_t number) const {
  return number + 1 < count_ ? slots_ + number + 1 : nullptr;
}

// Sealed: a worker process that cuts it off would have the daemon read past its end.
Result<Descriptor> make_board(std::size_t threads) {
  Descriptor board{::memfd_create("tenure-slots", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  const auto size = static_cast<off_t>((threads + 1) * sizeof(BoardSlot));
  if (!board.is_open() || ::ftruncate(board.number(), size) != 0 ||
      ::fcntl(board.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail(error_code_of_system(errno), "cannot make a slot board: " + system_text(errno));
  return board;
}

std::optional<LastSlots> read_board(int descriptor, const queue::ProcessExit& exit) {
  const std::vector<ReadSlot> slots = slots_in(descriptor);
  if (slots.empty() || slots.front().seq != kKept) return std::nullopt;
  LastSlots last;
  std::size_t noted = 0;
  for (std::size_t number = 1; number < slots.size(); ++number) {
    const ReadSlot& slot = slots[number];
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
