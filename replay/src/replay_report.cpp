#include <tenure/base/error_names.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/replay/replay_report.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace tenure::replay {
namespace {

constexpr std::string_view kReportSchema = "tenure.replay.report/1";
constexpr json::ReadLimits kReportLimits{.bytes_max = 256UL << 20U, .depth_max = 8};

constexpr std::array kStages{
    std::pair{Stage::hello, std::string_view{"hello"}},
    std::pair{Stage::performing, std::string_view{"performing"}},
    std::pair{Stage::refused, std::string_view{"refused"}},
    std::pair{Stage::done, std::string_view{"done"}},
};
constexpr std::array kWheres{Difference::In::calls, Difference::In::outcome, Difference::In::jobs,
                             Difference::In::rows};

std::string_view word_of(Stage stage) {
  for (const auto& [each, word] : kStages)
    if (each == stage) return word;
  invariant_broken("unknown stage", __FILE__, __LINE__);
}

void write_error(json::Writer& writer, std::string_view key, ErrorCode code, std::string_view message,
                 std::string_view where = {}) {
  writer.key(key).begin_object().key("code").string(name_of(code));
  writer.key("message").string(to_utf8(message)).key("where").string(to_utf8(where)).end_object();
}

void write_difference(json::Writer& writer, const Difference& difference) {
  writer.key("difference").begin_object().key("in").string(name_of(difference.in));
  writer.key("at").string(to_utf8(difference.at));
  writer.key("recorded").string(to_utf8(difference.recorded));
  writer.key("replayed").string(to_utf8(difference.replayed)).end_object();
}

// Members as far as they are there: what is missing is as in a report that has none.
std::string report_member(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found ? std::string(found->string().value_or("")) : "";
}

std::size_t report_count(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found ? found->unsigned_integer().value_or(0) : 0;
}

std::optional<json::Value> report_object(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found && found->type() == json::Type::object ? found : std::nullopt;
}

ErrorCode report_code(const json::Value& error) {
  return error_named(report_member(error, "code")).value_or(ErrorCode::internal);
}

std::optional<Difference> report_difference(const json::Value& root) {
  const auto found = report_object(root, "difference");
  if (!found) return std::nullopt;
  Difference difference{.at = report_member(*found, "at"),
                        .recorded = report_member(*found, "recorded"),
                        .replayed = report_member(*found, "replayed")};
  for (const Difference::In each : kWheres)
    if (name_of(each) == report_member(*found, "in")) difference.in = each;
  return difference;
}

}  // namespace

Failure refusal_of(const Failure& why) {
  if (why.code == ErrorCode::unknown_kind || exit_code_of(why.code) != ExitCode::refused) return why;
  return {ErrorCode::interrupted, "the replay has no verdict: " + why.text()};
}

std::string report_text(const ReplayReport& report) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(kReportSchema).key("stage").string(word_of(report.stage));
  writer.key("program_version").string(to_utf8(report.program_version));
  if (report.refusal)
    write_error(writer, "refusal", report.refusal->code, report.refusal->message, report.refusal->where);
  if (report.failure) write_error(writer, "failure", report.failure->code, report.failure->error);
  writer.key("calls").unsigned_integer(report.calls).key("jobs").unsigned_integer(report.jobs);
  writer.key("rows").unsigned_integer(report.rows).key("steps").begin_array();
  for (const std::string& step : report.steps) writer.string(to_utf8(step));
  writer.end_array();
  if (report.difference) write_difference(writer, *report.difference);
  writer.end_object();
  return out;
}

Result<ReplayReport> read_report(std::string_view text) {
  const auto document = json::Document::parse(text, kReportLimits);
  if (!document) return tl::unexpected(document.error());
  const json::Value root = document->root();
  if (const std::string schema = report_member(root, "schema"); schema != kReportSchema)
    return fail(ErrorCode::bad_payload,
                fmt::format("the worker program reports as {}, and this tenure reads {}: both must be of one "
                            "version of Tenure",
                            schema.empty() ? "nobody does" : escaped(schema), kReportSchema));
  ReplayReport report{.program_version = report_member(root, "program_version"),
                      .calls = report_count(root, "calls"),
                      .jobs = report_count(root, "jobs"),
                      .rows = report_count(root, "rows"),
                      .difference = report_difference(root)};
  for (const auto& [stage, word] : kStages)
    if (word == report_member(root, "stage")) report.stage = stage;
  if (const auto refusal = report_object(root, "refusal"))
    report.refusal = {
        report_code(*refusal), report_member(*refusal, "message"), {}, report_member(*refusal, "where")};
  if (const auto failure = report_object(root, "failure"))
    report.failure = {report_code(*failure), report_member(*failure, "message")};
  if (const auto steps = root.member("steps"))
    steps->each_element([&](json::Value step) {
      report.steps.emplace_back(step.string().value_or(""));
      return true;
    });
  return report;
}

}  // namespace tenure::replay
