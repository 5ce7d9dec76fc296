#pragma once

#include <tenure/queue/capture.hpp>

#include <optional>

// What a request for capsules names, by numbers. Internal.
namespace tenure::queue {

struct CaptureRow {
  std::optional<JobSeq> seq = std::nullopt;
  std::optional<TenantNumber> tenant = std::nullopt;
};

}  // namespace tenure::queue
