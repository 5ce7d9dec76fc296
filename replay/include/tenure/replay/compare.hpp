#pragma once

#include <tenure/replay/run_record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenure::replay {

// Where a replay first differs from what was recorded. Looked at in this order: calls of JobContext::recorded, the outcome, the jobs
// enqueued, the rows changed. Readings of the clock and the seed are given to a replay and not compared.
struct Difference {
  enum class In : std::uint8_t { calls = 1, outcome = 2, jobs = 3, rows = 4 };
  In in = In::calls;
  std::string at;        // which one: `call 3, "charge card"`; `row {"id":7} of table invoice`
  std::string recorded;  // as the capsule has it: a text of at most a few lines; "nothing" where it has none
  std::string replayed;
  // "rows differ at row {"id":7} of table invoice: recorded ..., replayed ..."; a few lines for a terminal.
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] std::string_view name_of(Difference::In in);

// What a replay must show to be good.
struct Expectation {
  enum class Outcome : std::uint8_t {
    as_recorded,  // the same run: calls, outcome, jobs and rows
    passes,       // succeeds, whatever was recorded: a bug that is mended
    fails,        // ends in a failure, of `error` where that is said
  };
  Outcome outcome = Outcome::as_recorded;
  std::optional<ErrorCode> error = std::nullopt;
};

// The first difference; nothing where the replay is as expected.
[[nodiscard]] std::optional<Difference> compare(const RunRecord& recorded, const RunRecord& replayed,
                                                const Expectation& expected = {});

}  // namespace tenure::replay
