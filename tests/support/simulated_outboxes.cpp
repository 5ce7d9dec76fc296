#include "simulated_outboxes.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>

namespace tenure::simulation {

using queue::OutboxMark;
using queue::OutboxOwner;
using queue::OutboxRow;

bool SimulatedOutboxes::commit(const OutboxOwner& owner, queue::JobId job,
                               const std::vector<queue::NewJob>& children) {
  File& file = files_[key_of(owner)];
  if (!file.receipts.insert({job, file.outbox.newest}).second) return false;
  for (const queue::NewJob& child : children) {
    file.outbox.newest.value += 1;
    file.outbox.rows.push_back({file.outbox.newest, write_outbox_row(child, {})});
  }
  file.receipts[job] = file.outbox.newest;
  return true;
}

queue::OutboxReport SimulatedOutboxes::report(const OutboxOwner& owner, queue::JobId job) const {
  const File& file = files_.at(key_of(owner));
  queue::OutboxReport report{.owner = owner, .rows = file.outbox};
  const queue::OutboxSeq last = file.receipts.at(job);
  if (!report.rows.rows.empty() && report.rows.rows.front().seq <= last)
    std::erase_if(report.rows.rows, [&](const OutboxRow& row) { return row.seq > last; });
  report.is_all = report.rows.rows.size() <= kPageRows;
  if (!report.is_all) report.rows.rows.resize(kPageRows);
  return report;
}

void SimulatedOutboxes::clear(const OutboxOwner& owner, queue::OutboxSeq watermark) {
  std::erase_if(files_.at(key_of(owner)).outbox.rows,
                [&](const OutboxRow& row) { return row.seq <= watermark; });
}

void SimulatedOutboxes::sweep(queue::Store& store, WallTime now) {
  std::vector<OutboxMark> marks;
  store.read([&](queue::JobReader& reader) { marks = reader.outbox_marks({}, 1'000'000); });
  for (const OutboxMark& mark : marks) {
    File& file = files_[key_of(mark.owner)];
    queue::Relayed relayed;
    store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      relayed = writer.relay_outbox(mark.owner, file.outbox, now);
    });
    TENURE_INVARIANT(!relayed.refused && !relayed.is_file_behind && relayed.missing == 0);
    swept += relayed.inserted;
    clear(mark.owner, relayed.watermark);
    store.write(queue::Durability::ordered,
                [&](queue::StoreWriter& writer) { writer.unmark_outbox(std::vector{mark.number}); });
  }
}

std::int64_t SimulatedOutboxes::rows_left(queue::Store& store) const {
  std::int64_t rows = 0;
  store.read([&](queue::JobReader& reader) {
    for (const auto& [owner, file] : files_) {
      const auto watermark = reader.outbox_watermark({owner.first, owner.second});
      rows +=
          std::ranges::count_if(file.outbox.rows, [&](const OutboxRow& row) { return row.seq > watermark; });
    }
  });
  return rows;
}

}  // namespace tenure::simulation
