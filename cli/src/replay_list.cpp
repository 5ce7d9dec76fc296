#include "capsule_files.hpp"
#include "captures.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <compare>

// The capsules of a folder, and which ones are asked for.
namespace tenure::cli {
namespace {

using queue::FilterField;

constexpr std::size_t kOutcomeShown = 200;

struct ListedCapsule {
  CapsuleFile file;
  queue::JobRecord job;  // its job as it was given to the run, for filters
};

std::string outcome_text(const ListedCapsule& capsule, const ShowStyle&) {
  if (!capsule.file.summary) return "unreadable: " + escaped(capsule.file.problem, kOutcomeShown);
  const auto& failure = capsule.file.summary->failure;
  if (!failure) return "succeeded";
  return fmt::format("failed: {}: {}", name_of(failure->code), escaped(failure->error, kOutcomeShown));
}

std::string job_text(const ListedCapsule& capsule, const ShowStyle&) {
  return capsule.file.summary ? capsule.job.id.text() : "-";
}

constexpr std::array kCapsuleColumns{
    ListColumn<ListedCapsule>{"file", "CAPSULE",
                              [](const ListedCapsule& c, const ShowStyle&) { return escaped(c.file.name); },
                              false, true},
    ListColumn<ListedCapsule>{"job", "JOB", job_text, false, false, false},
    ListColumn<ListedCapsule>{"kind", "KIND",
                              [](const ListedCapsule& c, const ShowStyle&) { return escaped(c.job.kind); }},
    ListColumn<ListedCapsule>{"tenant", "TENANT",
                              [](const ListedCapsule& c, const ShowStyle&) {
                                return c.job.tenant ? escaped(c.job.tenant->text()) : "-";
                              }},
    ListColumn<ListedCapsule>{
        "started", "STARTED",
        [](const ListedCapsule& c, const ShowStyle& s) { return time_text(c.job.started, s); }},
    ListColumn<ListedCapsule>{"attempt", "ATTEMPT",
                              [](const ListedCapsule& c, const ShowStyle&) {
                                return c.file.summary ? std::to_string(c.file.summary->head.job.attempt)
                                                      : "-";
                              },
                              true, false, false},
    ListColumn<ListedCapsule>{
        "size", "SIZE",
        [](const ListedCapsule& c, const ShowStyle& s) { return bytes_text(c.file.bytes, s); }, true},
    ListColumn<ListedCapsule>{"outcome", "OUTCOME", outcome_text, false, false, true, true},
};
constexpr std::array<std::string_view, 6> kCapsuleSortFields{"file",   "job",     "kind",
                                                             "tenant", "started", "size"};
constexpr std::array kCapsuleFilterFields{FilterField::id,      FilterField::kind,  FilterField::tenant,
                                          FilterField::started, FilterField::error, FilterField::generation};

ListedCapsule listed(CapsuleFile file) {
  ListedCapsule capsule{.file = std::move(file), .job = {}};
  if (!capsule.file.summary) return capsule;
  const replay::CapsuleHead& head = capsule.file.summary->head;
  capsule.job.id = head.job.id;
  capsule.job.kind = head.job.kind;
  capsule.job.tenant = head.job.tenant;
  capsule.job.generation = head.job.generation;
  capsule.job.started = head.started;
  if (const auto& failure = capsule.file.summary->failure)
    capsule.job.error = fmt::format("{}: {}", name_of(failure->code), failure->error);
  return capsule;
}

std::string_view job_tenant(const ListedCapsule& capsule) {
  return capsule.job.tenant ? capsule.job.tenant->text() : std::string_view{};
}

std::strong_ordering compared(const ListedCapsule& a, const ListedCapsule& b, std::string_view field) {
  if (field == "job") return a.job.id.text() <=> b.job.id.text();
  if (field == "kind") return a.job.kind <=> b.job.kind;
  if (field == "tenant") return job_tenant(a) <=> job_tenant(b);
  if (field == "started") return a.job.started.value_or(WallTime{}) <=> b.job.started.value_or(WallTime{});
  if (field == "size") return a.file.bytes <=> b.file.bytes;
  return a.file.name <=> b.file.name;
}

void sort(std::vector<ListedCapsule>& capsules, const SortOrder& order) {
  std::ranges::stable_sort(capsules, [&](const ListedCapsule& a, const ListedCapsule& b) {
    return (order.descending ? compared(b, a, order.field) : compared(a, b, order.field)) < 0;
  });
}

void write_capsule(json::Writer& writer, const ListedCapsule& capsule, WallTime) {
  writer.begin_object();
  write_text(writer, "file", capsule.file.name);
  writer.key("bytes").integer(capsule.file.bytes);
  if (!capsule.file.summary) {
    write_text(writer, "problem", capsule.file.problem);
    writer.end_object();
    return;
  }
  writer.key("job").string(capsule.job.id.text());
  write_text(writer, "kind", capsule.job.kind);
  write_text(writer, "tenant", job_tenant(capsule));
  writer.key("generation").integer(capsule.job.generation.value);
  writer.key("attempt").integer(capsule.file.summary->head.job.attempt);
  write_time(writer, "started", capsule.job.started);
  const auto& failure = capsule.file.summary->failure;
  writer.key("outcome").string(failure ? "failed" : "succeeded").key("code");
  if (failure) writer.string(name_of(failure->code));
  else writer.null();
  write_text(writer, "error", failure ? failure->error : "");
  writer.end_object();
}

// The folder is its owner's alone, and what is asked for is for all to see who read the control database.
std::vector<CapsuleFile> files_of(Session& session) {
  const std::filesystem::path folder = capsule_folder(session);
  if (session.has("folder")) return capsules_in(folder, true);
  try {
    return capsules_in(folder, false);
  } catch (const AccessRefused& error) {
    session.note(error.failure().text());
    return {};
  }
}

// Of a copy of the control database nobody knows where its capsules are.
std::vector<ListedCapsule> capsules_of(Session& session, const queue::Filter& filter) {
  std::vector<ListedCapsule> capsules;
  if (session.is_offline() && !session.has("folder")) return capsules;
  for (CapsuleFile& file : files_of(session)) capsules.push_back(listed(std::move(file)));
  std::erase_if(capsules, [&](const ListedCapsule& capsule) {
    return !filter.terms.empty() &&
           !(capsule.file.summary && queue::matches(filter, capsule.job, session.now()));
  });
  return capsules;
}

}  // namespace

ListWords replay_words() {
  return {kCapsuleFilterFields, kCapsuleSortFields, column_names<ListedCapsule>(kCapsuleColumns)};
}

ExitCode replay_list(Session& session) {
  const queue::Filter filter = session.filter(kCapsuleFilterFields);
  const auto order = sort_order(session, kCapsuleSortFields);
  const std::size_t limit = session.limit();
  std::vector<queue::CaptureRecord> requests;
  session.readable_store().read(
      [&](queue::JobReader& reader) { requests = open_captures(reader, session.now()); });
  std::vector<ListedCapsule> capsules = capsules_of(session, filter);
  sort(capsules, order.value_or(SortOrder{"started", true}));
  const ListTotal total = take_page(session, limit, "capsule", capsules,
                                    [](const ListedCapsule& capsule) { return capsule.file.name; });
  const ExitCode code =
      print_list<ListedCapsule>(session, "tenure.replay.list/1", {"capsule", "capsules"}, kCapsuleColumns,
                                capsules, total, write_capsule, [&](json::Writer& writer) {
                                  writer.key("requests").begin_array();
                                  for (const queue::CaptureRecord& request : requests)
                                    write_request(writer, request);
                                  writer.end_array();
                                });
  if (!session.json())
    for (const queue::CaptureRecord& request : requests)
      session.note("open: " + request_text(request, session.style()));
  return code;
}

}  // namespace tenure::cli
