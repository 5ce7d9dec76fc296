#include "doctor_checks.hpp"

#include <tenure/base/sqlite/known_faults.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

namespace tenure::cli {
namespace {

using queue::Defect;
using queue::DefectRecord;

constexpr std::int64_t kLongLog = 64LL << 20U;  // some five times what whoever writes lets it grow to
constexpr std::string_view kLibraryName = "SQLite ";
constexpr std::string_view kRemedyOfPages =
    "restore a backup; sqlite3 control.db .recover saves what can be read";

// Only checkpoints write to the file itself.
std::optional<WallTime> last_checkpoint(const queue::StoreSummary& store) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(store.path, error);
  if (error) return std::nullopt;
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::file_clock::to_sys(written));
}

std::string_view meaning_of(Defect defect) {
  switch (defect) {
    case Defect::damaged_page:
      return "damaged pages";
    case Defect::job_in_no_place:
      return "jobs that stand nowhere and will never start";
    case Defect::job_in_several_places:
      return "jobs that stand in several places and may start twice";
    case Defect::row_without_job:
      return "rows whose job is missing or has ended";
    case Defect::blocked_without_cause:
      return "jobs that are blocked for a reason that nothing lifts";
    case Defect::claim_without_holder:
      return "claims of a dispatcher that this store never had";
    case Defect::wrong_counter:
      return "counters beyond what is there";
    case Defect::wrong_range:
      return "summaries that hide jobs from lists of their tenant";
  }
  return "unknown defects";
}

// Claims of whomever are taken back by the next dispatcher.
std::string_view remedy_of(Defect defect) {
  if (can_be_mended(defect)) return "tenure doctor places --fix";
  return defect == Defect::claim_without_holder ? "systemctl restart tenured"
                                                : "restore a backup, or ask for help";
}

}  // namespace

const std::vector<DefectRecord>& Examination::defects(queue::PageCheck page_check) {
  if (!defects_) defects_ = ask([&](queue::JobReader& reader) { return reader.defects(page_check); });
  return *defects_;
}

bool can_be_mended(Defect defect) {
  return defect == Defect::row_without_job || defect == Defect::blocked_without_cause ||
         defect == Defect::wrong_range;
}

void check_file(Examination& examination) {
  const ShowStyle& style = examination.style();
  const auto& defects = examination.defects(queue::PageCheck::quick);
  const auto damaged = std::ranges::find(defects, Defect::damaged_page, &DefectRecord::defect);
  if (damaged != defects.end())
    return examination.add(FindingLevel::fail, "store",
                           fmt::format("{} found in its pages, the first: {}",
                                       counted(damaged->count, "fault", style), damaged->example),
                           std::string(kRemedyOfPages));
  const auto store = examination.ask([](queue::JobReader& reader) { return reader.summary(); });
  std::string text = fmt::format("schema {}, pages clean, size {}, WAL {}", store.schema_version,
                                 bytes_text(store.size_bytes, style), bytes_text(store.wal_bytes, style));
  if (const auto written = last_checkpoint(store); written && !examination.session().is_offline())
    text += ", last checkpoint " + time_text(written, style);
  if (store.wal_bytes <= kLongLog) return examination.add(FindingLevel::ok, "store", text);
  examination.add(FindingLevel::warn, "store",
                  text + "; something that reads for long keeps the log from ending");
}

void check_pages_of_older(Examination& examination) {
  const queue::SchemaState schema = examination.session().schema(queue::PageCheck::full);
  if (schema.page_problem)
    return examination.add(FindingLevel::fail, "store", "a fault in its pages: " + *schema.page_problem,
                           std::string(kRemedyOfPages));
  examination.add(
      FindingLevel::warn, "store",
      fmt::format("schema {}, and this program needs {}: pages clean, rows and audit records not looked at",
                  schema.version, schema.newest),
      "tenure store migrate");
}

void check_library(Examination& examination) {
  const std::string library =
      examination.ask([](queue::JobReader& reader) { return reader.summary().library; });
  if (!library.starts_with(kLibraryName)) return;
  const std::string version = library.substr(kLibraryName.size());
  if (!sqlite::has_wal_reset_fault(version))
    return examination.add(FindingLevel::ok, "sqlite", escaped(version));
  examination.add(FindingLevel::ok, "sqlite",
                  escaped(version) +
                      " has the WAL-reset bug, which Tenure works around: nobody else may write "
                      "to or checkpoint its databases");
}

void check_holder(Examination& examination) {
  struct Holder {
    bool is_seen = false;
    std::optional<queue::HolderRecord> last;
    queue::ClaimCensus claims;
  };
  const ShowStyle& style = examination.style();
  const auto holder = examination.ask([](queue::JobReader& reader) {
    return Holder{reader.has_dispatcher(), reader.summary().last_holder, reader.claims()};
  });
  const std::int64_t others = holder.claims.of_others;
  const std::int64_t all = holder.claims.of_newest_holder + others;
  const std::string claims = counted(all, "claim", style);
  if (examination.session().is_offline())
    return examination.add(FindingLevel::ok, "holder", claims + " when it was copied");
  if (!holder.is_seen && all > 0)
    return examination.add(
        FindingLevel::fail, "holder",
        claims + ", and nobody is seen to hold the lock: their jobs wait for the next dispatcher",
        "systemctl start tenured");
  if (!holder.is_seen)
    return examination.add(FindingLevel::warn, "holder", "no dispatcher is seen to run; 0 claims",
                           "systemctl start tenured");
  const std::string who =
      holder.last ? fmt::format("pid {} on {}, started {}; ", holder.last->pid, escaped(holder.last->node),
                                full_time_text(holder.last->started, style))
                  : "";
  if (others == 0)
    return examination.add(FindingLevel::ok, "holder", fmt::format("{}{}, all its own", who, claims));
  examination.add(FindingLevel::warn, "holder",
                  fmt::format("{}{}, {} of holders before it, which it takes back when it has started", who,
                              claims, number_text(others, style)));
}

void check_places(Examination& examination) {
  const std::size_t before = examination.findings().size();
  for (const DefectRecord& found : examination.defects(queue::PageCheck::none)) {
    if (found.defect == Defect::damaged_page)
      return examination.add(FindingLevel::fail, "places", "not looked at, since pages are damaged");
    examination.add(FindingLevel::fail, "places",
                    fmt::format("{}: {}, the first: {}", meaning_of(found.defect),
                                number_text(found.count, examination.style()), escaped(found.example)),
                    std::string(remedy_of(found.defect)));
  }
  if (examination.findings().size() == before)
    examination.add(FindingLevel::ok, "places", "each job stands in one place, and each place has its job");
}

void check_audit(Examination& examination) {
  const auto verdict =
      examination.ask([](queue::JobReader& reader) { return reader.check_audit(std::nullopt); });
  if (verdict.fault)
    return examination.add(FindingLevel::fail, "audit",
                           fmt::format("row {}: {}", verdict.fault->number, escaped(verdict.fault->text)),
                           "tenure store audit --verify");
  examination.add(FindingLevel::ok, "audit",
                  counted(verdict.records, "record", examination.style()) + ", each as it was made");
}

}  // namespace tenure::cli
