#pragma once

#include "journal_file.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

// A journal is replayed: a dispatcher that remembers what a snapshot says is told what happened then, and must want what was wanted
// then, byte for byte. At each further snapshot it must remember the same.
namespace tenure::daemon::journal {

// Where a replay parts from what was recorded.
struct Difference {
  std::uint64_t event = 0;  // by its number since the daemon started, from 1
  Now now;
  std::string happened;                    // the event
  std::optional<std::size_t> action = {};  // which, from 1; nothing: what is remembered before that event
  std::string recorded;
  std::string came;
};

struct Replay {
  std::uint64_t first_event = 0;  // 0: there was none
  std::uint64_t events = 0;
  std::uint64_t actions = 0;
  std::uint64_t snapshots = 0;
  Now begun;
  Now ended;
  // The last event has no actions: the daemon ended with it.
  bool ended_within = false;
  std::optional<Difference> difference;
};

struct ReplayOptions {
  // From the last snapshot that lies before this event, or else from the first one.
  std::uint64_t from = 0;
  // Told of each event from that one on, before it is decided about: where this process does not survive it, it was the last one told.
  std::function<void(std::uint64_t number, Now now, const Event& event)> on_event = {};
  // Then of what was recorded for it.
  std::function<void(const Actions& recorded)> on_recorded = {};
  // Told of the event with which the daemon ended, from whatever event on, before it is decided about.
  std::function<void(std::uint64_t number, Now now, const Event& event)> on_last = {};
};

// BadPayload: a record says nothing that this program understands, or events are missing. Of a program whose values are laid out otherwise
// the same, with both versions. An invariant that was broken then is broken again, and ends this process.
[[nodiscard]] Replay replay(const JournalFile& file, const std::string& program_version,
                            const ReplayOptions& options = {});

[[nodiscard]] std::string text_of(const Event& event);
[[nodiscard]] std::string text_of(const Action& action);

}  // namespace tenure::daemon::journal
