#include "journal.hpp"

#include "../dispatcher/machine.hpp"
#include "layout.hpp"

#include <tuple>

namespace tenure::daemon::journal {
namespace {

// What the encoder keeps between two events; a snapshot may have needed much more.
constexpr std::size_t kEncoderMax = 1UL << 20U;

}  // namespace

Journal::Journal(std::size_t bytes) {
  if (bytes > 0) ring_.emplace(bytes);
}

void Journal::happened(const Dispatcher& dispatcher, const Event& event, Now now) {
  if (!ring_) return;
  if (!next_snapshot_ || now.steady >= *next_snapshot_ || since_snapshot_ > ring_->size() / kRingPerSnapshot)
    keep_snapshot(dispatcher, now);
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
}

void Journal::keep_snapshot(const Dispatcher& dispatcher, Now now) {
  next_snapshot_ = now.steady + kSnapshotEach;
  put_snapshot(encoder_, events_, dispatcher.machine());
  const std::size_t bytes = encoder_.bytes().size();
  if (bytes > ring_->size() / kRingPerSnapshot) {
    too_large_ = bytes;
    encoder_.clear();
  } else {
    too_large_.reset();
    put(RecordKind::snapshot);
  }
  encoder_.shrink(kEncoderMax);
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
