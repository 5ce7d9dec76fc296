#pragma once

#include <tenure/base/error.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/replay/compare.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How `tenure replay run` and the worker program that it starts understand each other: variables there, a file back. Both are of
// this machine and this moment; a program that knows another version says so in its report.
namespace tenure::replay {

// Beside these the program gets a worker's socket (TENURE_WORKER_FD) that is none, so that one of a Tenure without replays ends at
// once and does not begin to dispatch.
inline constexpr std::string_view kCapsuleVariable = "TENURE_WORKER_REPLAY_CAPSULE";  // an absolute path
inline constexpr std::string_view kScratchVariable = "TENURE_WORKER_REPLAY_SCRATCH";  // an empty folder
inline constexpr std::string_view kReportVariable = "TENURE_WORKER_REPLAY_REPORT";    // a file to be
inline constexpr std::string_view kFromVariable = "TENURE_WORKER_REPLAY_FROM";        // a step, or not set

// How far the program had come when it wrote.
enum class Stage : std::uint8_t {
  hello = 1,       // it knows replays
  performing = 2,  // the capsule is read and its tenant in place
  refused = 3,     // there is no replay: `refusal`
  done = 4,
};

struct ReplayReport {
  Stage stage = Stage::hello;
  std::string program_version = {};
  std::optional<Failure> refusal = std::nullopt;
  std::optional<queue::AttemptFailure> failure = std::nullopt;  // of the replay; nothing: it succeeded
  std::size_t calls = 0;                                        // of JobContext::recorded
  std::size_t jobs = 0;                                         // enqueued
  std::size_t rows = 0;                                         // changed
  std::vector<std::string> steps = {};                          // of `once`, as they began
  std::optional<Difference> difference = std::nullopt;          // nothing: as expected
};

// Why there is no verdict. A number that says "it differs" says nothing else, so whatever would end a program with it is Interrupted here and
// names what it was; but UnknownKind, which is the program's.
[[nodiscard]] Failure refusal_of(const Failure& why);

[[nodiscard]] std::string report_text(const ReplayReport& report);
// BadPayload: what is none, or one of another version.
[[nodiscard]] Result<ReplayReport> read_report(std::string_view text);

}  // namespace tenure::replay
