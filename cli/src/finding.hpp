#pragma once

#include "session.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::cli {

enum class FindingLevel : std::uint8_t { ok, warn, fail };
[[nodiscard]] std::string_view name_of(FindingLevel level);

// What a check has found, in one line.
struct Finding {
  FindingLevel level = FindingLevel::ok;
  std::string_view check;
  std::string text;     // printable
  std::string command;  // that mends it, or shows more of it; empty for none
};

struct Mended {
  std::string_view defect;
  std::int64_t count = 0;
};

// "FAIL  queues    3 jobs ...  -> tenure job list queue=exports", or the document `schema`; and how many are no ok. Refused where
// something fails. `mended` is for the document only, of a verb that can mend.
ExitCode print_findings(Session& session, std::string_view schema, std::span<const Finding> findings,
                        const std::vector<Mended>* mended = nullptr);

}  // namespace tenure::cli
