#include "outbox_after.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/scope.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace tenure {
namespace detail {
namespace {

// Inside a transaction that a handler has left open one would read what it has not committed.
TenantHandle& handle_without_transaction(JobRun& run) {
  if (run.lease && !run.lease->open_children().none()) run.lease.reset();
  if (!run.lease) run.lease = value_or_raise(run.handles.acquire(*run.job.tenant, run.job.generation));
  return **run.lease;
}

// Rows that somebody has put there past us may have any number and size: then the sweep looks, and says what is wrong.
bool can_be_told(const queue::OutboxRows& rows) {
  constexpr std::size_t kRowMax = queue::kEnvelopeMax + 512;  // with its first line
  return rows.rows.front().seq.value > 0 && rows.rows.back().seq <= rows.newest &&
         std::ranges::all_of(rows.rows,
                             [](const queue::OutboxRow& row) { return row.text.size() <= kRowMax; });
}

// Those behind the run's own last one are told by who has put them there, whose unfinished run or mark stands for them: told here they would
// cost a sync of their own.
void leave_rows_behind_own(queue::OutboxFront& front, const OutboxWriter& own) {
  std::vector<queue::OutboxRow>& rows = front.rows.rows;
  const auto behind =
      std::ranges::find_if(rows, [&](const queue::OutboxRow& row) { return row.seq.value > own.last_row(); });
  if (behind == rows.begin() || behind == rows.end() || own.has_unsure()) return;
  rows.erase(behind, rows.end());
  front.is_all = true;
}

}  // namespace

std::optional<queue::OutboxReport> outbox_after(JobRun& run, SeenOutboxes& seen) {
  if (!run.job.tenant) return std::nullopt;
  queue::OutboxReport report{.owner = {*run.job.tenant, run.job.generation}, .is_all = false};
  // A job that was refused before its handler touches no tenant's file.
  const bool is_first = (run.has_returned || run.lease) && !seen.has(report.owner);
  if (!run.outbox.has_added() && !is_first) return std::nullopt;
  // A job that does not use its tenant's database need not open it for this.
  if (!run.outbox.has_added() && !run.lease &&
      run.handles.was_outbox_empty(report.owner.tenant, report.owner.generation)) {
    seen.add(report.owner);
    return std::nullopt;
  }
  try {
    const TenantScope scope(*run.job.tenant, run.job.generation, AllowSwap{});
    TenantHandle& handle = handle_without_transaction(run);
    queue::OutboxFront front =
        handle.read([](TenantReader& reader) { return queue::read_outbox_front(reader); });
    if (is_first) seen.add(report.owner);
    if (front.rows.rows.empty()) return std::nullopt;
    if (!can_be_told(front.rows)) return report;
    if (!is_first) leave_rows_behind_own(front, run.outbox);
    // The run's own commit has synced what was committed before it.
    if (front.rows.rows.back().seq.value > run.outbox.last_row()) handle.sync();
    report.rows = std::move(front.rows);
    report.is_all = front.is_all;
  } catch (const std::exception& error) {  // of the run's end, which must be told all the same
    static LineLimit lines;
    if (const auto left_out = lines.pass())
      log::write(log::Level::warning, "outbox.unread",
                 "the jobs that a run has enqueued are not told with its end; tenured looks for them in the "
                 "tenant's database" +
                     left_out_text(*left_out),
                 {.error = error.what()});
  }
  return report;
}

}  // namespace detail

void Performer::clear_outbox(const queue::OutboxOwner& owner, queue::OutboxSeq watermark) noexcept {
  try {
    const TenantScope scope(owner.tenant, owner.generation);
    HandleLease lease = value_or_raise(handles_.acquire(owner.tenant, owner.generation));
    // On a thread that could perform a job, or answer the daemon: who finds another writer leaves the rows.
    lease.wait_for_writers(std::chrono::milliseconds{0});
    TenantTransaction transaction = lease->begin();
    tenure::clear_outbox(transaction, watermark.value);
    transaction.commit_ordered();
  } catch (const Error& error) {  // rows that stay are passed over
    log::write(log::Level::debug, "outbox.not_cleared", "rows of an outbox stay that are jobs already",
               {.error = error.what()});
  } catch (...) {
    return;
  }
}

}  // namespace tenure
