#include "replay.hpp"

#include "../dispatcher/machine.hpp"
#include "decoder.hpp"
#include "encoder.hpp"
#include "journal.hpp"
#include "value_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace tenure::daemon::journal {
namespace {

struct Happened {
  Now now;
  Event event;
};

struct Snapshot {
  std::uint64_t events_before = 0;
  std::unique_ptr<Machine> machine;
};

// With which event a snapshot goes on, without reading the rest of it.
std::uint64_t events_before(const Record& snapshot) { return Decoder(snapshot.payload).get_unsigned(); }

void require_end(const Decoder& decoder) {
  if (!decoder.is_at_end()) throw Unreadable("it is longer than it says");
}

Snapshot read_snapshot(const Record& record) {
  Decoder decoder(record.payload);
  Snapshot snapshot{.events_before = decoder.get_unsigned(), .machine = {}};
  snapshot.machine = std::make_unique<Machine>(decoder.get<DispatcherSettings>());
  decoder.get_into(*snapshot.machine);
  require_end(decoder);
  return snapshot;
}

Happened read_event(const Record& record) {
  Decoder decoder(record.payload);
  Happened happened{.now = decoder.get<Now>(), .event = decoder.get<Event>()};
  require_end(decoder);
  return happened;
}

Actions read_actions(const Record& record) {
  Decoder decoder(record.payload);
  Actions actions = decoder.get<Actions>();
  require_end(decoder);
  return actions;
}

template <class T>
std::string bytes_of(const T& value) {
  Encoder encoder;
  encoder.put(value);
  return std::string(encoder.bytes());
}

constexpr std::string_view kNothing = "nothing";

// The first action that is not the same; past the last one of either there is nothing.
void find_action(Difference& difference, const Actions& recorded, const Actions& came) {
  std::size_t at = 0;
  while (at < recorded.size() && at < came.size() && bytes_of(recorded[at]) == bytes_of(came[at])) ++at;
  difference.action = at + 1;
  difference.recorded = at < recorded.size() ? text_of(recorded[at]) : std::string(kNothing);
  difference.came = at < came.size() ? text_of(came[at]) : std::string(kNothing);
}

// Which part of the dispatcher remembers something else.
std::string first_other_part(const Machine& recorded, const Machine& came) {
  std::string name;
  const auto compare = [&](const auto& one, const auto& other) {
    if (name.empty() && bytes_of(one) != bytes_of(other)) name = name_of_type(typeid(one));
  };
  const auto compare_all = [&](const auto& all, const auto& others) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      (compare(std::get<kIndex>(all), std::get<kIndex>(others)), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(all)>>>{});
  };
  const auto all = Remembered::of(recorded);
  const auto others = Remembered::of(came);
  compare_all(Remembered::of(std::get<0>(all)), Remembered::of(std::get<0>(others)));
  compare_all(all, others);
  return name;
}

class Replaying {
 public:
  Replaying(const JournalFile& file, const ReplayOptions& options) : file_(file), options_(options) {}

  Replay run() {
    for (at_ = first_record(); at_ < file_.records.size() && !replay_.difference; ++at_) {
      const Record& record = file_.records[at_];
      try {
        take(record);
      } catch (const Unreadable& why) {
        raise(ErrorCode::bad_payload,
              fmt::format("record {}, of event {}, cannot be read: {}", at_ + 2, number_, why.what()));
      }
    }
    replay_.ended_within = came_.has_value() && !replay_.difference;
    return std::move(replay_);
  }

 private:
  // The snapshot to begin with.
  std::size_t first_record() const {
    std::optional<std::size_t> first;
    for (std::size_t at = 0; at < file_.records.size(); ++at) {
      if (file_.records[at].kind != RecordKind::snapshot) continue;
      if (!first || events_before(file_.records[at]) < options_.from) first = at;
    }
    if (!first) raise(ErrorCode::bad_payload, "it has no snapshot to begin with");
    return *first;
  }
  void take(const Record& record) {
    switch (record.kind) {
      case RecordKind::snapshot:
        return take_snapshot(record);
      case RecordKind::event:
        return take_event(record);
      case RecordKind::actions:
        return take_actions(record);
      case RecordKind::head:
      case RecordKind::end:
        break;
    }
    throw Unreadable("it is of no kind");
  }
  void take_snapshot(const Record& record) {
    if (came_) throw Unreadable("the actions before it are missing");
    ++replay_.snapshots;
    if (machine_ == nullptr) {
      Snapshot snapshot = read_snapshot(record);
      machine_ = std::move(snapshot.machine);
      number_ = snapshot.events_before;
      return;
    }
    if (events_before(record) != number_) throw Unreadable("events before it are missing");
    encoder_.clear();
    put_snapshot(encoder_, number_, *machine_);
    if (encoder_.bytes() == record.payload) return;
    replay_.difference = Difference{
        .event = number_ + 1,
        .now = replay_.ended,
        .happened = "a snapshot was kept before it",
        .recorded = fmt::format("another {}", first_other_part(*read_snapshot(record).machine, *machine_)),
        .came = "what is remembered after the events before"};
  }
  void take_event(const Record& record) {
    if (came_) throw Unreadable("the actions of the event before it are missing");
    Happened happened = read_event(record);
    ++number_;
    if (replay_.first_event == 0) replay_.first_event = number_, replay_.begun = happened.now;
    ++replay_.events;
    replay_.ended = happened.now;
    event_ = happened.event;
    tell_event();
    came_ = machine_->step(std::move(happened.event), happened.now);
  }
  void take_actions(const Record& record) {
    if (!came_) throw Unreadable("there is no event for them");
    const Actions came = *std::exchange(came_, std::nullopt);
    replay_.actions += came.size();
    encoder_.clear();
    encoder_.put(came);
    const bool is_wanted = options_.on_recorded && number_ >= options_.from;
    if (encoder_.bytes() == record.payload && !is_wanted) return;
    const Actions recorded = read_actions(record);
    if (is_wanted) options_.on_recorded(recorded);
    if (encoder_.bytes() == record.payload) return;
    replay_.difference = Difference{
        .event = number_, .now = replay_.ended, .happened = text_of(event_), .recorded = {}, .came = {}};
    find_action(*replay_.difference, recorded, came);
  }
  // Nothing was recorded for the last one: the daemon ended with it.
  void tell_event() const {
    if (at_ + 1 == file_.records.size() && options_.on_last) options_.on_last(number_, replay_.ended, event_);
    if (options_.on_event && number_ >= options_.from) options_.on_event(number_, replay_.ended, event_);
  }

  const JournalFile& file_;
  const ReplayOptions& options_;
  Replay replay_;
  Encoder encoder_;
  std::unique_ptr<Machine> machine_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;  // of the last event
  Event event_;
  std::optional<Actions> came_;  // and not compared yet
};

template <class T>
std::string whole_text(const T& value) {
  ValueText text;
  text.add(value);
  return text.text();
}

}  // namespace

Replay replay(const JournalFile& file, const std::string& program_version, const ReplayOptions& options) {
  const Head own = head_of_this_program(program_version, {}, 0, file.head.why);
  if (file.head.layout != own.layout)
    raise(
        ErrorCode::bad_payload,
        fmt::format("tenured {} wrote it, and this is {}, whose dispatcher remembers other things: replay it "
                    "with the program that wrote it",
                    escaped(file.head.program_version, 64), program_version));
  return Replaying(file, options).run();
}

std::string text_of(const Event& event) { return whole_text(event); }
std::string text_of(const Action& action) { return whole_text(action); }

}  // namespace tenure::daemon::journal
