// Each row is a part of a round that lacks something; ROW_none is the one that lacks nothing and must compile.
#include <tenure/daemon/round.hpp>

namespace tenure::daemon {

struct TestedPart {
#if !defined(ROW_values)
  struct Ask {};
  struct Answer {};
#endif
#if !defined(ROW_durability)
  static constexpr auto kDurability = queue::Durability::ordered;
#endif
#if !defined(ROW_asked_by)
  static constexpr auto kAskedBy = AskedBy::need;
#endif
#if defined(ROW_ask_of_another_type)
  static bool ask(DispatcherState& state);
#elif !defined(ROW_ask) && !defined(ROW_values)
  static std::optional<Ask> ask(DispatcherState& state);
#endif
#if !defined(ROW_carry_out) && !defined(ROW_values)
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
#endif
#if !defined(ROW_absorb) && !defined(ROW_values)
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
#endif
#if !defined(ROW_undo) && !defined(ROW_values)
  static void undo(DispatcherState& state, const Ask& ask);
#endif
};

using Tested = PartList<EndsPart, TestedPart>;
#if defined(ROW_not_in_the_list)
constexpr std::size_t kIndex = Tested::index<ClaimsPart>();
#else
constexpr std::size_t kIndex = Tested::index<TestedPart>();
#endif
static_assert(kIndex == 1);

}  // namespace tenure::daemon
