#pragma once

#include <tenure/queue/store.hpp>

#include <concepts>
#include <cstdint>
#include <optional>

// What a part of a round is: one thing that the dispatcher asks of the store, in one type that says
//
//   Ask          what is asked, a plain value
//   Answer       what comes back, a plain value
//   ask          whether this round asks it, from what the dispatcher knows; nothing where there is nothing to ask
//   carry_out    how the store does it, inside the round's one commit
//   absorb       what the answer changes in what the dispatcher knows
//   undo         what becomes of the ask where the round has failed: nothing of it has happened
//   kDurability  of the commit that carries it
//   kAskedBy     whether a round of nothing else may be left out where nobody has written
//
// A part that lacks one of them does not compile. Emptiness, durability, absorbing and undoing of a whole round follow from the
// list of parts (round.hpp), and so does the order: parts are asked, carried out and absorbed in the order of the list.
//
// To add a part: write tenure/daemon/rounds/NAME.hpp and src/rounds/NAME.cpp, which is all of it, and add its type to RoundParts
// where it belongs in the order. What it must remember between rounds is a member of the class that it belongs to (arrivals.hpp,
// endings.hpp), or a class of its own in DispatcherState.
//
// Threads: carry_out is called on the store's thread and sees only its arguments; ask, absorb and undo on the dispatcher's.
namespace tenure::daemon {

// What the dispatcher decides from; its own (src/dispatcher/state.hpp).
struct DispatcherState;

// Why a part is in a round.
enum class AskedBy : std::uint8_t {
  need,  // there is something to do, whether or not anybody has written
  look,  // only to see what others have written
};

template <class Part>
concept HasRoundValues = requires {
  requires std::movable<typename Part::Ask>;
  requires std::movable<typename Part::Answer>;
};
template <class Part>
concept HasRoundTraits = requires {
  { Part::kDurability } -> std::convertible_to<queue::Durability>;
  { Part::kAskedBy } -> std::convertible_to<AskedBy>;
};
template <class Part>
concept CanAsk = requires(DispatcherState& state) {
  { Part::ask(state) } -> std::same_as<std::optional<typename Part::Ask>>;
};
template <class Part>
concept CanCarryOut = requires(queue::StoreWriter& writer, const typename Part::Ask& ask, WallTime now) {
  { Part::carry_out(writer, ask, now) } -> std::same_as<typename Part::Answer>;
};
template <class Part>
concept CanAbsorb = requires(DispatcherState& state, const typename Part::Ask& ask,
                             typename Part::Answer& answer) {
  { Part::absorb(state, ask, answer) } -> std::same_as<void>;
};
template <class Part>
concept CanUndo = requires(DispatcherState& state, const typename Part::Ask& ask) {
  { Part::undo(state, ask) } -> std::same_as<void>;
};

// Instantiated for each part of the list: says in words what is missing.
template <class Part>
struct CheckedPart {
  static_assert(HasRoundValues<Part>, "tenure: a part of a round needs the types Ask and Answer");
  static_assert(HasRoundTraits<Part>, "tenure: a part of a round needs kDurability and kAskedBy");
  static_assert(CanAsk<Part>, "tenure: a part of a round needs ask(DispatcherState&) -> optional<Ask>");
  static_assert(CanCarryOut<Part>,
                "tenure: a part of a round needs carry_out(StoreWriter&, Ask, now) -> Answer");
  static_assert(CanAbsorb<Part>, "tenure: a part of a round needs absorb(DispatcherState&, Ask, Answer&)");
  static_assert(CanUndo<Part>, "tenure: a part of a round needs undo(DispatcherState&, Ask)");
  static constexpr bool kIsWhole = true;
};

}  // namespace tenure::daemon
