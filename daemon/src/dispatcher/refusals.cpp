#include "refusals.hpp"

#include <tenure/base/error.hpp>

namespace tenure::daemon {

bool Refusals::admit(Instant now) {
  if (!span_ || now >= *span_ + kRefusalSpan) {
    span_ = now;
    admitted_ = 0;
  }
  if (admitted_ == kRefusalRowsMax) return false;
  ++admitted_;
  return true;
}

void Refusals::counted(Instant now) {
  if (count_++ == 0) due_ = now + kRefusalSpan;
}

std::optional<std::int64_t> Refusals::due(Instant now, bool at_once) const {
  if (count_ == 0 || (now < due_ && !at_once)) return std::nullopt;
  return count_;
}

void Refusals::told(std::int64_t count, Instant now) {
  TENURE_INVARIANT(count <= count_);
  count_ -= count;
  due_ = now + kRefusalSpan;
}

std::optional<Instant> Refusals::next_at() const {
  if (count_ == 0) return std::nullopt;
  return due_;
}

}  // namespace tenure::daemon
