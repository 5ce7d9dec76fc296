#pragma once

#include <tenure/queue/types.hpp>
#include <tenure/tenancy/handle.hpp>

#include <optional>
#include <string>
#include <string_view>

// The marks "this step of this job is done" inside the tenant's database.
namespace tenure {

// The stored result of the step, or nothing if it has not been done. ClaimLost where a run with a later claim of this job
// has left a receipt: then this run is a stale one and must not write.
[[nodiscard]] std::optional<std::string> find_receipt(TenantTransaction& transaction, queue::JobId job,
                                                      const queue::ClaimToken& token, std::string_view step);

void write_receipt(TenantTransaction& transaction, queue::JobId job, const queue::ClaimToken& token,
                   std::string_view step, std::string_view result, WallTime now);

}  // namespace tenure
