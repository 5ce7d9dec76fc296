#include "closing_outbox.hpp"

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

class RowCloser {
 public:
  RowCloser(const OutboxOwner& owner, const KeyRing& keys,
            FunctionRef<Result<Enqueued>(const NewJob&)> enqueue, FunctionRef<Result<void>(JobId)> cancel)
      : owner_(owner), keys_(keys), enqueue_(enqueue), cancel_(cancel) {}

  // Keys that are not the caller's say nothing of the row, which another caller may bring in.
  Result<void> close(const OutboxRow& row, CancelledOutbox& done) const {
    Result<bool> is_new = end(row);
    if (is_new) {
      ++(*is_new ? done.cancelled : done.existed);
      return {};
    }
    if (is_new.error().code == ErrorCode::bad_configuration) return tl::unexpected(std::move(is_new.error()));
    done.refused.push_back({row.seq, std::move(is_new.error())});
    return {};
  }

 private:
  [[nodiscard]] Result<bool> end(const OutboxRow& row) const {
    const auto job = read_outbox_row(row.text, owner_, keys_);
    if (!job) return tl::unexpected(job.error());
    const auto enqueued = enqueue_(*job);
    if (!enqueued) return tl::unexpected(enqueued.error());
    if (enqueued->existed) return false;
    if (auto cancelled = cancel_(enqueued->id); !cancelled)
      return tl::unexpected(std::move(cancelled.error()));
    return true;
  }

  const OutboxOwner& owner_;
  const KeyRing& keys_;
  FunctionRef<Result<Enqueued>(const NewJob&)> enqueue_;
  FunctionRef<Result<void>(JobId)> cancel_;
};

}  // namespace

Result<ClosedRows> close_rows(OutboxSeq watermark, bool is_behind, const OutboxOwner& owner,
                              const OutboxRows& rows, const KeyRing& keys,
                              FunctionRef<Result<Enqueued>(const NewJob&)> enqueue,
                              FunctionRef<Result<void>(JobId)> cancel) {
  ClosedRows closed{.done = {}, .watermark = watermark};
  is_behind = is_behind || rows.newest < watermark;
  const RowCloser closer{owner, keys, enqueue, cancel};
  const auto raise_to = [&](OutboxSeq seq, std::int64_t own) {
    if (is_behind || seq <= closed.watermark) return;
    closed.done.lost += seq.value - closed.watermark.value - own;
    closed.watermark = seq;
  };
  for (const OutboxRow& row : rows.rows) {
    if (!is_behind && row.seq <= closed.watermark) continue;
    if (auto done = closer.close(row, closed.done); !done) return tl::unexpected(std::move(done.error()));
    raise_to(row.seq, 1);
  }
  if (rows.rows.empty()) raise_to(rows.newest, 0);
  return closed;
}

}  // namespace tenure::queue
