#include "replay_verdict.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/replay/file_name.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tenure::cli {
namespace {

constexpr std::size_t kVerdictColumn = 10;
constexpr std::size_t kVerdictLineShown = 2000;  // bytes
constexpr std::string_view kEndOfProcess = "the process's end";

std::string outcome_text(const std::optional<queue::AttemptFailure>& failure) {
  return failure ? fmt::format("failed, {}: {}", name_of(failure->code), failure->error) : "succeeded";
}

// A value of several lines stays in its column.
std::string verdict_row(std::string_view name, std::string_view value) {
  std::string out;
  for (const std::string& line : split(value, '\n')) {
    out += fmt::format("{:<{}}{}\n", name, kVerdictColumn, escaped(line, kVerdictLineShown));
    name = "";
  }
  return out;
}

void write_outcome(json::Writer& writer, std::string_view key,
                   const std::optional<queue::AttemptFailure>& failure) {
  writer.key(key).begin_object().key("result").string(failure ? "failed" : "succeeded");
  if (failure)
    writer.key("error").string(name_of(failure->code)).key("message").string(to_utf8(failure->error));
  writer.end_object();
}

void write_difference(json::Writer& writer, const replay::Difference& difference) {
  writer.begin_object().key("in").string(name_of(difference.in)).key("at").string(to_utf8(difference.at));
  writer.key("recorded").string(to_utf8(difference.recorded));
  writer.key("replayed").string(to_utf8(difference.replayed)).end_object();
}

}  // namespace

replay::Difference ReplayVerdict::difference() const {
  if (report.difference) return *report.difference;
  return {.in = replay::Difference::In::outcome,
          .at = std::string(kEndOfProcess),
          .recorded = outcome_text(capsule.run.failure),
          .replayed = "the handler ended its process: " + ended};
}

std::string ReplayVerdict::text(const ShowStyle& style) const {
  if (is_as_expected()) {
    const bool is_same = expected.outcome == replay::Expectation::Outcome::as_recorded;
    return escaped(fmt::format("{}: {}; {}, {}, {}",
                               is_same ? "the same" : "as expected, it " + replay::text_of(expected),
                               outcome_text(report.failure),
                               counted(static_cast<std::int64_t>(report.calls), "recorded call", style),
                               counted(static_cast<std::int64_t>(report.jobs), "job", style),
                               counted(static_cast<std::int64_t>(report.rows), "row", style)),
                   kVerdictLineShown) +
           '\n';
  }
  const replay::Difference first = difference();
  return verdict_row("differs", fmt::format("in {}, first at {}", name_of(first.in), first.at)) +
         verdict_row("recorded", first.recorded) + verdict_row("replayed", first.replayed);
}

std::string ReplayVerdict::json(const std::filesystem::path& file, const std::filesystem::path& kept) const {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.replay.run/1").key("item").begin_object();
  writer.key("capsule").string(to_utf8(file.string())).key("kind").string(to_utf8(capsule.head.job.kind));
  writer.key("expected").string(replay::text_of(expected)).key("as_expected").boolean(is_as_expected());
  write_outcome(writer, "recorded", capsule.run.failure);
  writer.key("recorded_by").string(to_utf8(capsule.head.program_version));
  if (ended.empty()) write_outcome(writer, "replayed", report.failure);
  else
    writer.key("replayed")
        .begin_object()
        .key("result")
        .string("process_ended")
        .key("message")
        .string(ended)
        .end_object();
  writer.key("replayed_by").string(to_utf8(report.program_version));
  writer.key("calls").unsigned_integer(report.calls).key("jobs").unsigned_integer(report.jobs);
  writer.key("rows").unsigned_integer(report.rows).key("steps").begin_array();
  for (const std::string& step : report.steps) writer.string(to_utf8(step));
  writer.end_array().key("difference");
  if (is_as_expected()) writer.null();
  else write_difference(writer, difference());
  writer.key("kept");
  if (kept.empty()) writer.null();
  else writer.string(to_utf8(kept.string()));
  writer.end_object().end_object();
  return out;
}

std::string quoted_step(std::string_view step) { return fmt::format("\"{}\"", escaped(step)); }

std::string steps_text(const std::vector<std::string>& steps) {
  if (steps.empty()) return "and had none";
  std::vector<std::string> quoted;
  quoted.reserve(steps.size());
  for (const std::string& step : steps) quoted.push_back(quoted_step(step));
  return fmt::format("but {}", fmt::join(quoted, ", "));
}

}  // namespace tenure::cli
