#include "derived_job_id.hpp"

#include <tenure/base/sha256.hpp>
#include <tenure/base/uuid.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tenure::queue {

JobId derived_job_id(std::string_view text, WallTime time) {
  const auto digest = sha256(text);
  // Milliseconds in front, as of every other job.
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_us(time) / 1000));
  Uuid::Bytes bytes;
  for (std::size_t place = 0; place < bytes.size(); ++place)
    bytes.at(place) = place < 6 ? static_cast<std::uint8_t>(ms >> (8 * (5 - place)))
                                : std::to_integer<std::uint8_t>(digest.at(place));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  return JobId{Uuid{bytes}};
}

}  // namespace tenure::queue
