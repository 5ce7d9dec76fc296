#include "outbox_sweep.hpp"

#include <tenure/base/error.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {
namespace {

using queue::RelayStep;

// Of whoever has a file to himself: it is looked at again, and others wait behind it.
constexpr std::chrono::milliseconds kLockWaitMax{50};

struct GivenUp {};

bool is_of_store(RelayStep step) { return step == RelayStep::take_over || step == RelayStep::unmark; }

}  // namespace

OutboxSweep::OutboxSweep(queue::Store& store, const Clock& clock, TenantFiles files,
                         OutboxSweepOptions options, std::function<void()> on_ready)
    : store_(store),
      clock_(clock),
      files_(std::move(files)),
      options_(std::move(options)),
      on_ready_(std::move(on_ready)),
      handles_(make_cache()) {}

std::unique_ptr<HandleCache> OutboxSweep::make_cache() const {
  return std::make_unique<HandleCache>(files_, HandleCacheOptions{.descriptors_max = options_.descriptors_max,
                                                                  .wait_max = std::chrono::milliseconds{0},
                                                                  .write_wait_max = kLockWaitMax,
                                                                  .lock_wait_max = kLockWaitMax,
                                                                  .application = options_.application});
}

std::chrono::microseconds OutboxSweep::pass() {
  std::chrono::microseconds rest = kPeriod;
  try {
    read_marks();
    for (int files = 0; files < kFilesPerPass && !is_given_up_; ++files) {
      const auto look = plan_.next(clock_.steady());
      if (!look) break;
      if (!look_at(*look)) return rest;
    }
    if (const auto next = plan_.next_at())
      rest =
          std::clamp<std::chrono::microseconds>(*next - clock_.steady(), std::chrono::microseconds{0}, rest);
  } catch (const std::exception& error) {  // of the thread: the next pass tries again
    if (const auto left_out = unread_lines_.pass(clock_.steady()))
      log::write(log::Level::warning, "outbox.marks_unread",
                 "it could not be read which tenants' outboxes hold jobs" + left_out_text(*left_out),
                 {.error = error.what()});
  }
  take_stock();
  return rest;
}

void OutboxSweep::read_marks() {
  const std::int64_t counter = store_.change_counter();
  if (counter == change_counter_) return;
  std::vector<queue::OutboxMark> marks;
  do {
    store_.read(
        [&](queue::JobReader& reader) { marks = reader.outbox_marks(plan_.read_until(), kMarksPerPage); });
    plan_.marked(marks, when_, clock_.steady());
  } while (marks.size() == kMarksPerPage && !is_given_up_);
  change_counter_ = counter;
  when_ = SweepPlan::Mark::later;
}

bool OutboxSweep::look_at(const SweepLook& look) {
  const log::Context context(look.owner.tenant.text(), look.owner.generation.value, "");
  const Looked looked = relay(look);
  const bool is_news = plan_.looked(look, looked.outcome, {clock_.wall(), clock_.steady()});
  if (handles_->sync_failed()) leave_unsynced(look.owner);
  else if (is_news && tell(*looked.trouble)) plan_.told(look.owner);
  // Whoever replaces or moves a file that is not marked finds it open nowhere here.
  if (plan_.marks_of(look.owner).empty()) handles_->close(look.owner.tenant);
  return !looked.outcome.is_of_store;
}

OutboxSweep::Looked OutboxSweep::relay(const SweepLook& look) {
  RelayStep at = RelayStep::read;
  Failure failure;
  try {
    const TenantScope scope(look.owner.tenant, look.owner.generation);
    auto lease = handles_->acquire(look.owner.tenant, look.owner.generation);
    if (lease) return relay_leased(look, **lease, at);
    if (has_dropped_outlived(look)) return {};
    failure = std::move(lease.error());
  } catch (const GivenUp&) {  // between two pages: nothing more is looked at
    return {};
  } catch (const Error& error) {  // of one file of many
    failure = error.failure();
  }
  Looked looked{.outcome = {.is_of_store = is_of_store(at)}, .trouble = {}};
  looked.trouble = Trouble{.event = "outbox.unreachable",
                           .message = "jobs may wait in a tenant's database that cannot be used now",
                           .error = failure.text()};
  looked.outcome.trouble = looked.trouble->error;
  return looked;
}

OutboxSweep::Looked OutboxSweep::relay_leased(const SweepLook& look, TenantHandle& handle, RelayStep& at) {
  const auto enter = [&](RelayStep step) {
    at = step;
    if (step == RelayStep::read && is_given_up_) throw GivenUp{};
  };
  return looked_at(queue::sweep_file(store_, handle, look.ending, clock_,
                                     {.on_taken_over = [this](const queue::Relayed& page) { note(page); },
                                      .on_step = enter,
                                      .pages_max = kPagesPerLook}));
}

void OutboxSweep::note(const queue::Relayed& page) {
  figures_.rows_taken_over += page.inserted;
  if (page.has_ready) on_ready_();
  if (page.missing > 0) note_missing(page.missing);
}

OutboxSweep::Looked OutboxSweep::looked_at(const queue::RelayedFile& relayed) {
  Looked looked{.outcome = {.watermark = relayed.watermark,
                            .is_empty = relayed.is_empty,
                            .has_ended_marks = relayed.has_ended_marks},
                .trouble = {}};
  if (relayed.is_file_behind)
    looked.trouble = Trouble{
        .level = log::Level::error,
        .event = "outbox.file_behind",
        .message =
            "a tenant's database is an older copy: jobs with later numbers have come out of "
            "it, and the next ones would be taken for them",
        .error = fmt::format("the last one that was taken over has the number {}", relayed.watermark.value)};
  else if (relayed.refused)
    looked.trouble = Trouble{.event = "outbox.refused",
                             .message = fmt::format("row {} of a tenant's outbox cannot become a job, and "
                                                    "those behind it wait",
                                                    relayed.refused->seq.value),
                             .error = relayed.refused->failure.text()};
  else if (relayed.not_written)
    looked.trouble = Trouble{.event = "outbox.not_written",
                             .message =
                                 "rows of a tenant's outbox that are jobs already stay in its "
                                 "database, and its mark does",
                             .error = relayed.not_written->text()};
  if (looked.trouble) looked.outcome.trouble = looked.trouble->message + looked.trouble->error;
  return looked;
}

void OutboxSweep::note_missing(std::int64_t rows) {
  figures_.rows_missing += rows;
  if (const auto left_out = missing_lines_.pass(clock_.steady()))
    log::write(log::Level::warning, "outbox.rows_missing",
               fmt::format("{} number{} of a tenant's outbox {} neither in its database nor taken over: one "
                           "of the two databases was put back{}",
                           rows, rows == 1 ? "" : "s", rows == 1 ? "is" : "are", left_out_text(*left_out)));
}

// Left out, it is told at a later look.
bool OutboxSweep::tell(const Trouble& trouble) {
  const auto left_out = trouble_lines_.pass(clock_.steady());
  if (left_out)
    log::write(trouble.level, trouble.event, trouble.message + left_out_text(*left_out),
               {.error = trouble.error});
  return left_out.has_value();
}

bool OutboxSweep::has_dropped_outlived(const SweepLook& look) {
  const auto newest = store_.registry().find(look.owner.tenant);
  if (!newest || newest->generation <= look.owner.generation) return false;
  std::vector<queue::OutboxMarkNumber> numbers;
  for (const queue::OutboxMark& mark : plan_.marks_of(look.owner)) numbers.push_back(mark.number);
  store_.write(queue::Durability::ordered,
               [&](queue::StoreWriter& writer) { writer.unmark_outbox(numbers); });
  plan_.drop(look.owner);
  if (const auto left_out = outlived_lines_.pass(clock_.steady()))
    log::write(log::Level::warning, "outbox.outlived",
               fmt::format("jobs may have been on their way out of a tenant's database of a generation that "
                           "is gone; it is at generation {}{}",
                           newest->generation.value, left_out_text(*left_out)));
  return true;
}

// The kernel calls the lost pages clean now, and the next sync would say yes: nothing here rests on that file any more, and of the others'
// files nothing is known that were not synced with it.
void OutboxSweep::leave_unsynced(const queue::OutboxOwner& owner) {
  plan_.leave(owner);
  handles_ = make_cache();
  log::write(
      log::Level::error, "outbox.sync_failed",
      "a tenant's database could not be synced to disk; its outbox is left alone until the next start");
}

void OutboxSweep::take_stock() {
  figures_.marked_files = static_cast<std::int64_t>(plan_.files());
  if (clock_.steady() < stock_at_) return;
  stock_at_ = clock_.steady() + kStockEvery;
  figures_.files_in_trouble = static_cast<std::int64_t>(plan_.files_in_trouble());
  figures_.oldest_wait = plan_.oldest_wait();
}

}  // namespace tenure::daemon
