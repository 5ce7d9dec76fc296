#pragma once

#include <tenure/queue/types.hpp>
#include <tenure/tenancy/handle.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
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

// Where a receipt lies among those of its file, which are in the order of jobs and steps; the default is before all.
struct ReceiptPlace {
  queue::JobId job;
  std::string step = {};
  friend auto operator<=>(const ReceiptPlace&, const ReceiptPlace&) = default;
};

// What is looked at in one go: so many, and of those that were written before that time so many bytes of results, or a single one.
struct ReceiptBounds {
  std::size_t count = 0;
  std::int64_t bytes = 0;
  WallTime written_before{};
};
// The place of the first one, from `from` on, that is past the bounds; nothing where all of jobs below `horizon` are within. DatabaseDamaged
// where its row has no id of a job.
[[nodiscard]] std::optional<ReceiptPlace> place_behind(TenantTransaction& transaction,
                                                       const ReceiptPlace& from, queue::JobId horizon,
                                                       const ReceiptBounds& bounds);
// Of the receipts from `from` on and before `until` those that were written before that time. Returns how many.
std::int64_t forget_receipts(TenantTransaction& transaction, const ReceiptPlace& from,
                             const ReceiptPlace& until, WallTime written_before);

}  // namespace tenure
