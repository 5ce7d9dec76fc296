#pragma once

#include "session.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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

// "FAIL  queues    3 jobs ...  -> tenure job list queue=exports", or the document `schema`; and how many are no ok. Refused where
// something fails.
ExitCode print_findings(Session& session, std::string_view schema, std::span<const Finding> findings);

}  // namespace tenure::cli
