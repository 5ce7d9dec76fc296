#include <tenure/base/sha256.hpp>
#include <tenure/queue/batch.hpp>

#include <fmt/format.h>

namespace tenure::queue {

std::string_view name_of(BatchMoment moment) {
  switch (moment) {
    case BatchMoment::complete:
      return "complete";
    case BatchMoment::success:
      return "success";
  }
  return "unknown";
}

std::string_view name_of(BatchState state) {
  switch (state) {
    case BatchState::open:
      return "open";
    case BatchState::closed:
      return "closed";
    case BatchState::complete:
      return "complete";
  }
  return "unknown";
}

// With the batch's time in front, as ids of version 7 have it.
JobId job_id_of_callback(BatchId batch, BatchMoment moment) {
  const auto digest = sha256(fmt::format("tenure batch/1\n{}\n{}", batch.text(), name_of(moment)));
  constexpr std::size_t kTimeBytes = 6;
  Uuid::Bytes bytes = batch.uuid.bytes();
  for (std::size_t place = kTimeBytes; place < bytes.size(); ++place)
    bytes.at(place) = std::to_integer<std::uint8_t>(digest.at(place));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  return JobId{Uuid{bytes}};
}

}  // namespace tenure::queue
