#include "old_receipts.hpp"

#include <tenure/base/log.hpp>
#include <tenure/queue/receipt_time.hpp>

#include <string>

namespace tenure::detail {

void OldReceipts::horizon_is(const queue::OutboxOwner& owner, queue::JobId horizon) {
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.steady();
  leaps_.saw(clock_.wall(), now);
  if (files_.size() == kFilesMax) files_.clear();
  File& file = files_[{owner.tenant, owner.generation}];
  file.horizon = horizon;
  file.told = now;
}

std::optional<OldReceipts::File> OldReceipts::file_to_walk(const queue::OutboxOwner& owner, WallTime wall) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find({owner.tenant, owner.generation});
  if (found == files_.end()) return std::nullopt;
  const Instant now = clock_.steady();
  leaps_.saw(wall, now);
  const bool is_usable = found->second.rests_until <= now && now - found->second.told < kHorizonUsedFor &&
                         !leaps_.has_leapt_within(queue::kReceiptsKeptFor, now);
  return is_usable ? std::optional{found->second} : std::nullopt;
}

std::optional<OldReceipts::Step> OldReceipts::forget_some(TenantTransaction& transaction,
                                                          const queue::OutboxOwner& owner) {
  const WallTime wall = clock_.wall();
  const auto file = file_to_walk(owner, wall);
  if (!file) return std::nullopt;
  const WallTime written_before = wall - queue::kReceiptsKeptFor;
  Step step{.from = file->at,
            .until = place_behind(
                transaction, file->at, file->horizon,
                {.count = kPerCommit, .bytes = kBytesPerCommit, .written_before = written_before})};
  step.forgotten = forget_receipts(transaction, step.from, step.until.value_or(ReceiptPlace{file->horizon}),
                                   written_before);
  return step;
}

void OldReceipts::committed(const queue::OutboxOwner& owner, const Step& step) {
  std::int64_t forgotten = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find({owner.tenant, owner.generation});
    // Another run has gone on from there meanwhile.
    if (found == files_.end() || found->second.at != step.from) return;
    File& file = found->second;
    file.forgotten += step.forgotten;
    file.at = step.until.value_or(ReceiptPlace{});
    if (step.until) return;
    file.rests_until = clock_.steady() + kAgainAfter;
    forgotten = std::exchange(file.forgotten, 0);
  }
  if (forgotten > 0)
    log::write(log::Level::debug, "receipts.forgotten",
               std::to_string(forgotten) + " receipts of jobs that run no more were deleted");
}

}  // namespace tenure::detail
