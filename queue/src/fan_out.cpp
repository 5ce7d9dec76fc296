#include <tenure/base/sha256.hpp>
#include <tenure/queue/fan_out.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace tenure::queue {
namespace {

// Moments within a tenant's part of the window.
constexpr std::int64_t kJitterSteps = 1024;

// So much later than the beginning of its part. Without the registry's order in it: who is next to whom is told by nobody.
std::int64_t jitter_of(BatchId fan_out, std::int64_t index) {
  const auto digest = sha256(fmt::format("tenure fan_out jitter/1\n{}\n{}", fan_out.text(), index));
  return (std::to_integer<std::int64_t>(digest.at(0)) * 256 + std::to_integer<std::int64_t>(digest.at(1))) %
         kJitterSteps;
}

// The window in as many equal parts as there are tenants, of which each has the one of its place.
WallTime moment_of(const OpenFanOut& fan_out, std::int64_t index) {
  if (fan_out.window.count() <= 0 || fan_out.tenants <= 0) return fan_out.started;
  const std::int64_t window = fan_out.window.count();
  const std::int64_t begin = window * index / fan_out.tenants;
  const std::int64_t part = window * (index + 1) / fan_out.tenants - begin;
  return fan_out.started +
         std::chrono::microseconds{begin + part * jitter_of(fan_out.id, index) / kJitterSteps};
}

}  // namespace

std::string_view name_of(FanOutSkip skip) {
  switch (skip) {
    case FanOutSkip::provisioning:
      return "provisioning";
    case FanOutSkip::paused:
      return "paused";
    case FanOutSkip::read_only:
      return "read_only";
    case FanOutSkip::failed:
      return "failed";
    case FanOutSkip::deleted:
      return "deleted";
    case FanOutSkip::gone:
      return "gone";
    case FanOutSkip::refused:
      return "refused";
  }
  return "unknown";
}

std::string_view name_of(FanOutState state) {
  switch (state) {
    case FanOutState::visiting:
      return "visiting";
    case FanOutState::cancelling:
      return "cancelling";
    case FanOutState::waiting:
      return "waiting";
    case FanOutState::complete:
      return "complete";
  }
  return "unknown";
}

// With the fan-out's time in front, as ids of version 7 have it.
JobId job_id_of_fan_out(BatchId fan_out, std::string_view tenant, Generation generation) {
  const auto digest =
      sha256(fmt::format("tenure fan_out/1\n{}\n{}\n{}", fan_out.text(), tenant, generation.value));
  constexpr std::size_t kTimeBytes = 6;
  Uuid::Bytes bytes = fan_out.uuid.bytes();
  for (std::size_t place = kTimeBytes; place < bytes.size(); ++place)
    bytes.at(place) = std::to_integer<std::uint8_t>(digest.at(place));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  return JobId{Uuid{bytes}};
}

WallTime next_visit_of(const OpenFanOut& fan_out) { return moment_of(fan_out, fan_out.visited); }

// Behind the last one there is the end, which a visit finds.
std::size_t visits_due(const OpenFanOut& fan_out, WallTime now, std::size_t limit) {
  if (fan_out.visited >= fan_out.tenants) return limit;
  std::size_t due = 0;
  for (std::int64_t index = fan_out.visited;
       due < limit && index < fan_out.tenants && moment_of(fan_out, index) <= now; ++index)
    ++due;
  return due;
}

}  // namespace tenure::queue
