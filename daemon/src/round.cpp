#include <tenure/base/error.hpp>
#include <tenure/daemon/round.hpp>

#include <fmt/format.h>

namespace tenure::daemon {
namespace {

// The lock file may have been removed under its holder, and then the next dispatcher waits for nobody.
void require_newest(queue::StoreWriter& writer, queue::Incarnation own) {
  if (own.value == 0) return;
  const queue::Incarnation newest = writer.newest_incarnation();
  if (newest == own) return;
  raise(ErrorCode::claim_lost, fmt::format("a later dispatcher has taken this control database over (its "
                                           "incarnation is {}, ours {}); all claims are "
                                           "its own now",
                                           newest.value, own.value));
}

}  // namespace

bool RoundWork::is_empty() const {
  bool is_empty = true;
  RoundParts::for_each([&]<class Part>() { is_empty = is_empty && !ask<Part>(); });
  return is_empty;
}

queue::Durability RoundWork::durability() const {
  auto durability = queue::Durability::ordered;
  RoundParts::for_each([&]<class Part>() {
    if (ask<Part>() && Part::kDurability == queue::Durability::durable)
      durability = queue::Durability::durable;
  });
  return durability;
}

bool RoundWork::only_looks() const {
  bool only_looks = true;
  RoundParts::for_each(
      [&]<class Part>() { only_looks = only_looks && (!ask<Part>() || Part::kAskedBy == AskedBy::look); });
  return only_looks;
}

RoundReply run_round(queue::Store& store, const RoundWork& work, WallTime now) {
  RoundReply reply;
  if (work.change_check) {
    reply.change_counter = store.change_counter();
    reply.was_unchanged = work.change_check->unless_still == reply.change_counter;
    if (reply.was_unchanged) return reply;
  }
  store.write(work.durability(), [&](queue::StoreWriter& writer) {
    // One that throws may be called again by nobody, but what it has filled in must not survive it.
    reply.answers = {};
    require_newest(writer, work.incarnation);
    RoundParts::for_each([&]<class Part>() {
      if (const auto& ask = work.ask<Part>()) reply.answer<Part>() = Part::carry_out(writer, *ask, now);
    });
  });
  return reply;
}

}  // namespace tenure::daemon
