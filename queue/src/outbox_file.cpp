#include <tenure/queue/outbox_file.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace tenure::queue {
namespace {

OutboxOwner owner_of(const TenantHandle& handle) { return {handle.tenant(), handle.generation()}; }

class FileRelayer {
 public:
  FileRelayer(Store& store, TenantHandle& handle, const Clock& clock, const RelayOptions& options)
      : store_(store), handle_(handle), clock_(clock), options_(options) {}

  RelayedFile relay() {
    for (int pages = 0; pages < options_.pages_max && next_page(); ++pages) continue;
    return std::move(done_);
  }

  RelayedFile sweep(std::span<const OutboxMark> marks) {
    RelayedFile done = relay();
    // A mark without an epoch stands for rows that were there before it.
    const bool is_of_epoch =
        std::ranges::any_of(marks, [](const OutboxMark& mark) { return mark.epoch.has_value(); });
    done.has_ended_marks = done.is_empty && !marks.empty() && (!is_of_epoch || raise_epoch(done));
    if (done.has_ended_marks) unmark(marks);
    return done;
  }

 private:
  // Whether there may be more.
  bool next_page() {
    enter(RelayStep::read);
    const OutboxFront front = handle_.read([](TenantReader& reader) { return read_outbox_front(reader); });
    if (front.rows.rows.empty()) {
      done_.is_empty = !is_behind();
      if (done_.is_empty && front.rows.newest > done_.watermark) count_lost(front.rows.newest);
      return false;
    }
    enter(RelayStep::sync_file);
    handle_.sync();
    const Relayed relayed = take_over(front.rows);
    if (relayed.is_file_behind) return !is_behind();  // or others have gone on since it was read
    if (relayed.watermark >= front.rows.rows.front().seq && !clear(relayed.watermark)) return false;
    done_.is_empty = front.is_all && !relayed.refused;
    return !done_.is_empty && !relayed.refused;
  }

  // Asks the file after the watermark: whoever has raised that had read it there, so it says no less unless it is an older copy.
  bool is_behind() {
    std::optional<OutboxSeq> noted;
    store_.read([&](JobReader& reader) {
      done_.watermark = reader.outbox_watermark(owner_of(handle_));
      noted = reader.outbox_behind(owner_of(handle_));
    });
    const OutboxSeq newest{
        handle_.read([](TenantReader& reader) { return read_outbox(reader, 0, 0).newest; })};
    const bool has_less = newest < done_.watermark;
    if (has_less && noted != newest) note_older_copy(newest);
    done_.is_file_behind = has_less || noted.has_value();
    return done_.is_file_behind;
  }

  void note_older_copy(OutboxSeq newest) {
    store_.write(Durability::durable, [&](StoreWriter& writer) {
      writer.note_older_copy(owner_of(handle_), newest, done_.watermark, clock_.wall());
    });
  }

  // Rows go behind the commit that has taken them over, so a watermark that was read later and is lower is of an earlier control database.
  void count_lost(OutboxSeq newest) {
    enter(RelayStep::count_lost);
    handle_.sync();  // or a power cut brings them back, and they would be passed over
    Relayed lost{.watermark = newest};
    store_.write(Durability::durable, [&](StoreWriter& writer) {
      lost.missing = writer.note_lost_rows(owner_of(handle_), newest, clock_.wall());
    });
    note(lost);
  }

  // Of a commit that is durable.
  void note(const Relayed& relayed) {
    done_.watermark = std::max(done_.watermark, relayed.watermark);
    done_.inserted += relayed.inserted;
    done_.existed += relayed.existed;
    done_.lost += relayed.missing;
    if (options_.on_taken_over) options_.on_taken_over(relayed);
  }

  Relayed take_over(const OutboxRows& rows) {
    enter(RelayStep::take_over);
    Relayed relayed;
    store_.write(Durability::durable, [&](StoreWriter& writer) {
      relayed = writer.relay_outbox(owner_of(handle_), rows, clock_.wall());
    });
    done_.is_file_behind = relayed.is_file_behind;
    done_.refused = relayed.refused;
    note(relayed);
    return relayed;
  }

  bool clear(OutboxSeq up_to) {
    enter(RelayStep::clear);
    return written(done_, [&](TenantTransaction& transaction) {
      clear_outbox(transaction, up_to.value);
      transaction.commit_ordered();
      return true;
    });
  }

  bool raise_epoch(RelayedFile& done) {
    enter(RelayStep::raise_epoch);
    return written(done, [](TenantTransaction& transaction) {
      const bool is_empty = raise_outbox_epoch(transaction);
      if (is_empty) transaction.commit();
      return is_empty;
    });
  }

  // What has come over is there, whatever becomes of this: who tells of it must not lose it by an exception.
  bool written(RelayedFile& done, FunctionRef<bool(TenantTransaction&)> what) {
    try {
      TenantTransaction transaction = handle_.begin();
      return what(transaction);
    } catch (const Error& error) {  // rows that stay are passed over, marks that stay are one look more
      done.not_written = error.failure();
      return false;
    }
  }

  void unmark(std::span<const OutboxMark> marks) {
    enter(RelayStep::unmark);
    std::vector<OutboxMarkNumber> numbers;
    for (const OutboxMark& mark : marks) numbers.push_back(mark.number);
    store_.write(Durability::ordered, [&](StoreWriter& writer) { writer.unmark_outbox(numbers); });
  }

  void enter(RelayStep step) const {
    if (options_.on_step) options_.on_step(step);
  }

  Store& store_;
  TenantHandle& handle_;
  const Clock& clock_;
  const RelayOptions& options_;
  RelayedFile done_;
};

}  // namespace

std::string_view name_of(RelayStep step) {
  switch (step) {
    case RelayStep::read:
      return "read";
    case RelayStep::sync_file:
      return "sync_file";
    case RelayStep::take_over:
      return "take_over";
    case RelayStep::clear:
      return "clear";
    case RelayStep::raise_epoch:
      return "raise_epoch";
    case RelayStep::unmark:
      return "unmark";
    case RelayStep::count_lost:
      return "count_lost";
  }
  return "unknown";
}

OutboxState outbox_state_of(const TenantTransaction& transaction) {
  return {.epoch = transaction.stamp().outbox_epoch, .newest = OutboxSeq{newest_in_outbox(transaction)}};
}

OutboxFront read_outbox_front(const TenantReader& reader) {
  OutboxPage page = read_outbox(reader, kOutboxPageRows, kOutboxPageBytes);
  OutboxFront front{.rows = {.newest = OutboxSeq{page.newest}}, .is_all = page.is_all};
  front.rows.rows.reserve(page.entries.size());
  for (OutboxEntry& entry : page.entries)
    front.rows.rows.push_back({OutboxSeq{entry.seq}, std::move(entry.text)});
  return front;
}

RelayedFile relay_file(Store& store, TenantHandle& handle, const Clock& clock, const RelayOptions& options) {
  return FileRelayer{store, handle, clock, options}.relay();
}

RelayedFile sweep_file(Store& store, TenantHandle& handle, std::span<const OutboxMark> marks,
                       const Clock& clock, const RelayOptions& options) {
  return FileRelayer{store, handle, clock, options}.sweep(marks);
}

}  // namespace tenure::queue
