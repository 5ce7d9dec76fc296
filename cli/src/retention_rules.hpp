#pragma once

#include <tenure/config/settings.hpp>
#include <tenure/queue/retention.hpp>

// How long jobs are kept, as it is configured.
namespace tenure::cli {

[[nodiscard]] inline queue::Retention rules_of(const config::RetentionSettings& settings) {
  return {.succeeded = settings.succeeded,
          .dead = settings.dead,
          .discarded = settings.discarded,
          .cancelled = settings.cancelled,
          .dead_max = settings.dead_max};
}

}  // namespace tenure::cli
