#include "captures.hpp"
#include "doctor_checks.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <chrono>
#include <vector>

namespace tenure::cli {
namespace {

// What failed before has been seen, or never will be.
constexpr std::chrono::hours kLookedBack{24};

struct Captures {
  std::size_t open = 0;
  std::vector<queue::CapsuleNote> failed;  // the newest first
};

Captures captures_of(queue::JobReader& reader, WallTime now) {
  Captures found{.open = open_captures(reader, now).size(), .failed = {}};
  for (queue::CapsuleNote& note : reader.capsules(std::nullopt))
    if (note.file.empty() && now - note.at < kLookedBack) found.failed.push_back(std::move(note));
  return found;
}

}  // namespace

void check_captures(Examination& examination) {
  const ShowStyle& style = examination.style();
  const WallTime now = examination.session().now();
  const Captures found = examination.ask([&](queue::JobReader& reader) { return captures_of(reader, now); });
  const std::string missed = counted(std::ssize(found.failed), "run", style) +
                             " that should have been captured in the last 24 h could not be";
  if (found.failed.empty())
    return examination.add(
        FindingLevel::ok, "captures",
        fmt::format("{}, and no capture has failed in the last 24 h",
                    found.open == 1 ? "1 request for capsules is open"
                                    : fmt::format("{} requests for capsules are open", found.open)));
  const queue::CapsuleNote& last = found.failed.front();
  examination.add(FindingLevel::warn, "captures",
                  fmt::format("{}, the last one {}", missed, capsule_text(last, style)),
                  last.job ? "tenure job show " + last.job->text() : "tenure replay list");
}

}  // namespace tenure::cli
