#pragma once

#include "daemon_answer.hpp"
#include "show_text.hpp"

#include <tenure/queue/types.hpp>

#include <cstdint>
#include <string>
#include <vector>

// When a job's turn comes, as the dispatcher says, which alone knows the order between tenants.
namespace tenure::cli {

struct PoolTurn {
  std::string pool;
  std::int64_t slots = 0;  // of processes that perform its kind
  std::int64_t busy = 0;
  std::int64_t tenants_before = 0;
  bool is_capped = false;                   // there are more tenants
  std::optional<std::int64_t> expected_ms;  // until it starts
};

struct Turn {
  std::vector<PoolTurn> pools;  // where its lane is open
  std::string problem;          // why the dispatcher has not said it; empty where it has
};

// Of a job with `ahead` others before it in its lane.
[[nodiscard]] Turn ask_for_turn(Session& session, const queue::Lane& lane, std::int64_t ahead);

// A line for each pool; one where there is none.
[[nodiscard]] std::vector<std::string> turn_texts(const Turn& turn, const ShowStyle& style);
void write_turn(json::Writer& writer, const Turn& turn);

}  // namespace tenure::cli
