#include "memory_ring.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace tenure::daemon::journal {

MemoryRing::MemoryRing(std::size_t bytes) : capacity_(bytes) {
  void* const memory =
      ::mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)  // NOLINT: the system's
    raise(ErrorCode::out_of_memory, "there is no memory for the dispatcher's journal: " + system_text(errno));
  memory_ = static_cast<char*>(memory);
}

MemoryRing::~MemoryRing() { ::munmap(memory_, capacity_); }

bool MemoryRing::put(RecordKind kind, std::string_view payload) {
  const std::size_t bytes = kRecordFront + payload.size();
  if (bytes > capacity_ || payload.size() > UINT32_MAX) return false;
  make_room(bytes);
  const auto size = static_cast<std::uint32_t>(payload.size());
  char* const at = memory_ + next_;
  std::memcpy(at, &size, sizeof size);
  at[sizeof size] = static_cast<char>(kind);
  std::memcpy(at + kRecordFront, payload.data(), payload.size());
  // A signal handler sees it whole or not at all.
  std::atomic_signal_fence(std::memory_order_release);
  next_ += bytes;
  ++count_;
  return true;
}

void MemoryRing::make_room(std::size_t bytes) {
  if (capacity_ - next_ < bytes) {
    while (count_ > 0 && first_ >= next_) lose_first();
    turn_ = next_;
    next_ = 0;
    if (count_ == 0) turn_.reset();
  }
  while (count_ > 0 && first_ >= next_ && first_ < next_ + bytes) lose_first();
  if (count_ == 0) first_ = next_;
}

void MemoryRing::lose_first() {
  std::uint32_t size = 0;
  std::memcpy(&size, memory_ + first_, sizeof size);
  first_ += kRecordFront + size;
  --count_;
  has_lost_any_ = true;
  if (turn_ && first_ == *turn_) {
    first_ = 0;
    turn_.reset();
  }
}

std::array<std::string_view, 2> MemoryRing::pieces() const {
  if (count_ == 0) return {};
  if (!turn_) return {std::string_view{memory_ + first_, next_ - first_}, {}};
  return {std::string_view{memory_ + first_, *turn_ - first_}, std::string_view{memory_, next_}};
}

}  // namespace tenure::daemon::journal
