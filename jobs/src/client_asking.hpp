#pragma once

#include <tenure/jobs/found_job.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <string>

namespace tenure::detail {

// Whose jobs a call is about.
struct Whose {
  std::optional<TenantName> tenant;  // nothing: untenanted
  Generation generation = {};        // of the scope; 0: whichever is the newest
};
[[nodiscard]] Whose whose(const JobsOf& jobs);
[[nodiscard]] bool is_of(const queue::JobOwner& owner, const Whose& whose);

[[nodiscard]] Failure not_found(queue::JobId id, const Whose& whose);

// Nothing: there is none that is theirs.
[[nodiscard]] std::optional<FoundJob> find_job(queue::JobReader& reader, queue::JobId id, const Whose& whose,
                                               const queue::Mask& mask, WallTime now);

}  // namespace tenure::detail
