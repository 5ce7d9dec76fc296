#pragma once

#include <tenure/queue/batch_id.hpp>
#include <tenure/queue/job_keys.hpp>
#include <tenure/queue/types.hpp>

#include <optional>
#include <string>

namespace tenure::queue {

// A job on its way in. Names are interned by the store.
struct NewJob {
  JobId id;
  std::optional<TenantName> tenant;  // nothing: untenanted, on purpose
  Generation generation;             // 0: whatever is live now
  std::string queue;
  std::string kind;
  Priority priority;
  WallTime due{};  // at most `now`: ready; later: scheduled
  int attempts_max = 0;
  std::string arguments;  // the store writes the envelope, since it knows the generation
  std::optional<WallTime> start_before = std::nullopt;  // see start_before.hpp
  std::optional<ConcurrencyKey> concurrency = {};
  std::optional<UniqueKey> unique = {};
  std::optional<BatchId> batch = {};  // of which it is a member; see batch.hpp
};

}  // namespace tenure::queue
