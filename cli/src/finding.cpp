#include "finding.hpp"

#include "listing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tenure::cli {
namespace {

// The one that an eye must not miss.
std::string_view shown(FindingLevel level) { return level == FindingLevel::fail ? "FAIL" : name_of(level); }

std::int64_t count_of(std::span<const Finding> findings, FindingLevel level) {
  return std::ranges::count(findings, level, &Finding::level);
}

std::string findings_json(std::string_view schema, std::span<const Finding> findings,
                          const std::vector<Mended>* mended) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(schema).key("items").begin_array();
  for (const Finding& finding : findings) {
    writer.begin_object().key("level").string(name_of(finding.level)).key("check").string(finding.check);
    write_text(writer, "text", finding.text);
    write_text(writer, "command", finding.command);
    writer.end_object();
  }
  writer.end_array();
  if (mended != nullptr) {
    writer.key("mended").begin_array();
    for (const auto& [defect, count] : *mended)
      writer.begin_object().key("defect").string(defect).key("count").integer(count).end_object();
    writer.end_array();
  }
  writer.key("faults").integer(count_of(findings, FindingLevel::fail));
  writer.key("warnings").integer(count_of(findings, FindingLevel::warn)).end_object();
  return out;
}

}  // namespace

std::string_view name_of(FindingLevel level) {
  switch (level) {
    case FindingLevel::ok:
      return "ok";
    case FindingLevel::warn:
      return "warn";
    case FindingLevel::fail:
      return "fail";
  }
  return "unknown";
}

ExitCode print_findings(Session& session, std::string_view schema, std::span<const Finding> findings,
                        const std::vector<Mended>* mended) {
  const std::int64_t faults = count_of(findings, FindingLevel::fail);
  if (session.json()) {
    session.print_json(findings_json(schema, findings, mended));
  } else {
    for (const Finding& finding : findings)
      session.print(fmt::format("{:<5} {:<9} {}{}{}\n", shown(finding.level), finding.check, finding.text,
                                finding.command.empty() ? "" : "  -> ", finding.command));
    session.note(fmt::format("{}, {}", counted(faults, "fault", session.style()),
                             counted(count_of(findings, FindingLevel::warn), "warning", session.style())));
  }
  return faults > 0 ? ExitCode::refused : ExitCode::done;
}

}  // namespace tenure::cli
