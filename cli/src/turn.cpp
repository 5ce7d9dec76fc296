#include "turn.hpp"

#include "listing.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

// It is no more than a word beside what the control database says.
constexpr std::chrono::seconds kTurnWaitMax{2};

std::string pool_text(const PoolTurn& turn, const ShowStyle& style) {
  const std::string before =
      turn.tenants_before == 0
          ? "its tenant is next"
          : fmt::format("after {}{} other {}", number_text(turn.tenants_before, style),
                        turn.is_capped ? "+" : "", turn.tenants_before == 1 ? "tenant" : "tenants");
  const std::string start =
      !turn.expected_ms
          ? "when it starts cannot be told"
          : fmt::format("starts in about {}", duration_text(std::chrono::milliseconds{*turn.expected_ms}));
  return fmt::format("{} in pool {}, of whose slots {} of {} perform; {}", before, escaped(turn.pool),
                     number_text(turn.busy, style), number_text(turn.slots, style), start);
}

}  // namespace

Turn ask_for_turn(Session& session, const queue::Lane& lane, std::int64_t ahead) {
  const auto answer = try_to_ask_daemon(session, {.path = "/turn",
                                                  .query = {{"queue", std::to_string(lane.queue.value)},
                                                            {"priority", std::to_string(lane.priority.value)},
                                                            {"tenant", std::to_string(lane.tenant.value)},
                                                            {"kind", std::to_string(lane.kind.value)},
                                                            {"ahead", std::to_string(ahead)}},
                                                  .wait_max = kTurnWaitMax});
  if (!answer) return {.pools = {}, .problem = answer.error().message};
  Turn turn;
  for (const json::Value& pool : elements_in(answer->body(), "pools"))
    turn.pools.push_back({.pool = text_in(pool, "name"),
                          .slots = number_in(pool, "slots"),
                          .busy = number_in(pool, "busy"),
                          .tenants_before = number_in(pool, "tenants_before"),
                          .is_capped = truth_in(pool, "capped"),
                          .expected_ms = number_if_in(pool, "expected_ms")});
  return turn;
}

std::vector<std::string> turn_texts(const Turn& turn, const ShowStyle& style) {
  if (!turn.problem.empty())
    return {fmt::format("not known: only the dispatcher knows the order between tenants, and {}",
                        escaped(turn.problem))};
  if (turn.pools.empty()) return {"the dispatcher claims nothing of its lane now"};
  std::vector<std::string> texts;
  for (const PoolTurn& pool : turn.pools) texts.push_back(pool_text(pool, style));
  return texts;
}

void write_turn(json::Writer& writer, const Turn& turn) {
  writer.begin_object().key("problem");
  if (turn.problem.empty()) writer.null();
  else writer.string(to_utf8(turn.problem));
  writer.key("pools").begin_array();
  for (const PoolTurn& pool : turn.pools) {
    writer.begin_object();
    write_text(writer, "name", pool.pool);
    writer.key("slots").integer(pool.slots).key("busy").integer(pool.busy).key("tenants_before");
    writer.integer(pool.tenants_before).key("capped").boolean(pool.is_capped).key("expected_ms");
    if (pool.expected_ms) writer.integer(*pool.expected_ms);
    else writer.null();
    writer.end_object();
  }
  writer.end_array().end_object();
}

}  // namespace tenure::cli
