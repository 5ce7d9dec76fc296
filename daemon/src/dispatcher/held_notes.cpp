#include "held_notes.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tenure::daemon {

using queue::JobReason;

namespace {

Note without_pool(const std::string& queue, std::string message) {
  return {.level = Note::Level::warning,
          .event = "queue.without_pool",
          .message = std::move(message),
          .pool = {},
          .process = {},
          .kind = {},
          .queue = queue};
}

}  // namespace

// A program that was started by hand knows of the other pools of its configuration nothing.
std::string_view HeldNotes::who_does_not_list_it() const {
  if (settings_.can_end_processes) return "no pool lists it";
  return "the first pool, the only one that a program started by hand serves, does not list it";
}

Note HeldNotes::note_of(const HeldLane& lane) const {
  if (lane.reason == JobReason::queue_without_pool)
    return without_pool(
        lane.queue,
        fmt::format("Jobs in queue {} are held: {}. See tenure job list reason=queue_without_pool",
                    escaped(lane.queue), who_does_not_list_it()));
  if (lane.reason == JobReason::tenant_without_pool)
    return {.level = Note::Level::warning,
            .event = "tenant.without_pool",
            .message = fmt::format("Jobs in queue {} are held: every pool that lists it leaves their tenants "
                                   "out. See tenure job list reason=tenant_without_pool",
                                   escaped(lane.queue)),
            .pool = {},
            .process = {},
            .kind = {},
            .queue = lane.queue};
  if (lane.reason == JobReason::schema_behind)
    return {.level = Note::Level::warning,
            .event = "kind.schema_behind",
            .message = fmt::format("Jobs of kind {} are held: worker processes want migrations that some "
                                   "tenants' databases have not had. See tenure doctor tenants",
                                   escaped(lane.kind)),
            .pool = {},
            .process = {},
            .kind = lane.kind,
            .queue = lane.queue};
  return {
      .level = Note::Level::warning,
      .event = "kind.unknown",
      .message = fmt::format("Jobs of kind {} are held: no worker process of the pools that list queue {} "
                             "has a handler for it. See tenure job list reason=kind_unknown",
                             escaped(lane.kind), escaped(lane.queue)),
      .pool = {},
      .process = {},
      .kind = lane.kind,
      .queue = lane.queue};
}

void HeldNotes::came(const std::vector<std::string>& default_queues, const Lanes& lanes, Actions& actions) {
  std::size_t queues = 0;
  for (const std::string& queue : default_queues) {
    if (lanes.is_listed(queue) || !told_defaults_.insert(queue).second || ++queues > kHeldNotesMax) continue;
    actions.emplace_back(without_pool(
        queue,
        fmt::format("A kind of the worker program sends its jobs to queue {}, and {}: they will be held",
                    escaped(queue), who_does_not_list_it())));
  }
  if (queues > kHeldNotesMax)
    actions.emplace_back(without_pool(
        {}, fmt::format("Kinds of the worker program send jobs to {} more queues that nobody here performs. "
                        "tenure config check names all that no pool lists",
                        queues - kHeldNotesMax)));
}

void HeldNotes::tick(Lanes& lanes, Instant now, Actions& actions) {
  if (!look_at_ && lanes.may_hold()) look_at_ = now + kHeldLook;
  if (!look_at_ || now < *look_at_) return;
  const std::vector<HeldLane> held = lanes.held();
  look(held, now, actions);
  look_at_.reset();
  if (!held.empty()) look_at_ = now + kHeldLook;
}

void HeldNotes::look(const std::vector<HeldLane>& held, Instant now, Actions& actions) {
  std::map<Key, const HeldLane*> found;
  for (const HeldLane& lane : held) {
    if (lane.reason == JobReason::kind_unknown) found.try_emplace({lane.reason, lane.kind}, &lane);
    if (lane.reason == JobReason::schema_behind) found.try_emplace({lane.reason, lane.kind}, &lane);
    if (lane.reason == JobReason::tenant_without_pool) found.try_emplace({lane.reason, lane.queue}, &lane);
    if (lane.reason == JobReason::queue_without_pool) found.try_emplace({lane.reason, lane.queue}, &lane);
  }
  forget(found, now);
  std::size_t notes = 0;
  for (const auto& [key, lane] : found) {
    Entry& entry = entries_[key];
    if (!entry.since) entry.since = now;
    const bool is_due = now - *entry.since >= kHeldToldAfter;
    if (!is_due || notes == kHeldNotesMax || (entry.told && now - *entry.told < kHeldNotePause)) continue;
    entry.told = now;
    ++notes;
    actions.emplace_back(note_of(*lane));
  }
}

// One that is not held now may be again within the hour.
void HeldNotes::forget(const std::map<Key, const HeldLane*>& held, Instant now) {
  for (auto& [key, entry] : entries_)
    if (!held.contains(key)) entry.since.reset();
  std::erase_if(entries_, [&](const auto& each) {
    const Entry& entry = each.second;
    return !entry.since && (!entry.told || now - *entry.told >= kHeldNotePause);
  });
}

}  // namespace tenure::daemon
