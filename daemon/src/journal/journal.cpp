#include "journal.hpp"

#include "../dispatcher/machine.hpp"
#include "layout.hpp"

#include <tuple>

namespace tenure::daemon::journal {
Journal::Journal(std::size_t bytes) {
  if (bytes > 0) ring_.emplace(bytes);
}

void Journal::happened(const Dispatcher& dispatcher, const Event& event, Now now) {
  if (!ring_) return;
  // One that was too large is tried again after its time alone: it takes as long as one that is kept.
  const bool is_filled = !is_too_large_ && since_snapshot_ > snapshot_max();
  if (!next_snapshot_ || now.steady >= *next_snapshot_ || is_filled) keep_snapshot(dispatcher, now);
  encoder_.put(now);
  encoder_.put(event);
  put(RecordKind::event);
  ++events_;
}

void Journal::decided(const Actions& actions) {
  if (!ring_) return;
  encoder_.put(actions);
  put(RecordKind::actions);
}

void Journal::put(RecordKind kind) {
  // What fits into no ring is missing, and the replay says so.
  static_cast<void>(ring_->put(kind, encoder_.bytes()));
  since_snapshot_ += kRecordFront + encoder_.bytes().size();
  encoder_.clear();
  encoder_.shrink(snapshot_max());
}

void Journal::keep_snapshot(const Dispatcher& dispatcher, Now now) {
  next_snapshot_ = now.steady + kSnapshotEach;
  encoder_.limit(snapshot_max());
  try {
    put_snapshot(encoder_, events_, dispatcher.machine());
    is_too_large_ = false;
    put(RecordKind::snapshot);
  } catch (const Encoder::Full&) {
    is_too_large_ = true;
    encoder_.clear();
  }
  since_snapshot_ = 0;
}

void put_snapshot(Encoder& encoder, std::uint64_t events_before, const Machine& machine) {
  encoder.put(events_before);
  encoder.put(std::get<0>(Remembered::of(std::get<0>(Remembered::of(machine)))));
  encoder.put(machine);
}

Head head_of_this_program(const std::string& program_version, const std::string& node, std::int64_t pid,
                          Why why) {
  static const std::uint64_t digest = [] {
    Layout layout;
    layout.add<Now>();
    layout.add<Event>();
    layout.add<Actions>();
    layout.add<DispatcherSettings>();
    layout.add<Machine>();
    return layout.digest();
  }();
  return {.program_version = program_version, .layout = digest, .node = node, .pid = pid, .why = why};
}

}  // namespace tenure::daemon::journal
