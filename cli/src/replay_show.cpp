#include "capsule_files.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/replay/capsule.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

// What one capsule holds.
namespace tenure::cli {
namespace {

using replay::RowChange;

constexpr std::size_t kValueShown = 500;  // bytes of a value on a terminal; --json has all
constexpr std::size_t kLinesShown = 50;   // of calls, of jobs and of rows
constexpr json::ReadLimits kShownJson{.bytes_max = limits::kPayloadMax, .depth_max = limits::kDepthMax};

struct ShownCapsule {
  std::filesystem::path file;
  replay::CapsuleHead head;
  replay::RunRecord run;
  std::string arguments;  // JSON; empty where the envelope is none
};

// Masked when it was captured, and once more by what the mask says here.
ShownCapsule read(Session& session) {
  ShownCapsule shown{
      .file = capsule_named(session, session.words().front()), .head = {}, .run = {}, .arguments = {}};
  replay::Capsule capsule = replay::read_capsule(shown.file);
  const queue::Mask mask = session.mask();
  shown.head = std::move(capsule.head);
  shown.run = replay::redacted(std::move(capsule.run), mask);
  if (const auto envelope = queue::read_envelope(shown.head.job.envelope))
    shown.arguments = mask.shown(envelope->arguments);
  return shown;
}

std::string_view name_of(RowChange::Kind kind) {
  switch (kind) {
    case RowChange::Kind::inserted:
      return "inserted";
    case RowChange::Kind::updated:
      return "updated";
    case RowChange::Kind::deleted:
      return "deleted";
  }
  return "unknown";
}

std::string value_text(std::string_view value) { return escaped(value, kValueShown); }

std::string line_of(std::string_view name, std::string_view value) {
  return fmt::format("{:<11}{}\n", name, value);
}

std::string outcome_text(const replay::RunRecord& run) {
  if (!run.failure) return "succeeded";
  return fmt::format("failed: {}: {}", tenure::name_of(run.failure->code), value_text(run.failure->error));
}

std::string call_text(const replay::RecordedCall& call) {
  return fmt::format("{}: {}", value_text(call.name),
                     call.failure ? "threw " + value_text(call.failure->text()) : value_text(call.value));
}

std::string job_text(const replay::EnqueuedJob& job) {
  return fmt::format("{} {} in queue {}: {}", job.id.text(), value_text(job.kind), value_text(job.queue),
                     value_text(job.arguments));
}

std::string change_text(const RowChange& change) {
  const std::string row =
      fmt::format("{} {} {}", value_text(change.table), name_of(change.kind), value_text(change.key));
  if (change.before.empty()) return fmt::format("{}: {}", row, value_text(change.after));
  if (change.after.empty()) return fmt::format("{}: {}", row, value_text(change.before));
  return fmt::format("{} from {} to {}", row, value_text(change.before), value_text(change.after));
}

// Under one title, and how many more there are.
template <class Entry>
std::string lines_of(std::string_view title, const std::vector<Entry>& entries,
                     std::string (*text)(const Entry&)) {
  std::string out = line_of(title, std::to_string(entries.size()));
  for (std::size_t each = 0; each < std::min(entries.size(), kLinesShown); ++each)
    out += fmt::format("  {}\n", text(entries[each]));
  if (entries.size() > kLinesShown)
    out += fmt::format("  and {} more; --json has all\n", entries.size() - kLinesShown);
  return out;
}

std::string text_of(const ShownCapsule& shown, const ShowStyle& style) {
  const queue::AssignedJob& job = shown.head.job;
  std::string out = line_of("capsule", escaped(shown.file.string()));
  out += line_of("job", job.id.text());
  out += line_of("kind", value_text(job.kind));
  out += line_of("tenant", job.tenant ? fmt::format("{}, generation {}", escaped(job.tenant->text()),
                                                    job.generation.value)
                                      : "none");
  out += line_of("attempt", fmt::format("{} of {}, released {} times before", job.attempt, job.attempts_max,
                                        job.releases));
  out += line_of("started", full_time_text(shown.head.started, style));
  out +=
      line_of("program",
              fmt::format("version {} of application {}, Tenure {}", value_text(shown.head.program_version),
                          value_text(shown.head.application), value_text(shown.head.tenure_version)));
  out += line_of("outcome", outcome_text(shown.run));
  if (shown.run.returned) out += line_of("returned", escaped(json::printable(*shown.run.returned), 4096));
  out += line_of("arguments",
                 shown.arguments.empty() ? "are not shown" : escaped(json::printable(shown.arguments), 4096));
  out += lines_of("calls", shown.run.calls, call_text);
  out += lines_of("jobs", shown.run.jobs, job_text);
  out += lines_of("rows", shown.run.changes, change_text);
  if (!shown.run.tables_not_recorded.empty())
    out +=
        line_of("", fmt::format("rows of these tables are not recorded: {}",
                                escaped(fmt::format("{}", fmt::join(shown.run.tables_not_recorded, ", ")))));
  return out;
}

// JSON as it is; what is none, as a text.
void write_json(json::Writer& writer, std::string_view key, const std::string& value) {
  writer.key(key);
  if (value.empty()) writer.null();
  else if (json::Document::parse(value, kShownJson)) writer.raw(value);
  else writer.string(to_utf8(value));
}

void write_failure(json::Writer& writer, const std::optional<Failure>& failure) {
  writer.key("code");
  if (failure) writer.string(tenure::name_of(failure->code));
  else writer.null();
  write_text(writer, "error", failure ? failure->message : "");
}

void write_given(json::Writer& writer, const ShownCapsule& shown) {
  const queue::AssignedJob& job = shown.head.job;
  write_text(writer, "file", shown.file.string());
  writer.key("job").string(job.id.text());
  write_text(writer, "kind", job.kind);
  write_text(writer, "tenant", job.tenant ? job.tenant->text() : std::string_view{"none"});
  writer.key("generation").integer(job.generation.value).key("attempt").integer(job.attempt);
  writer.key("attempts_max").integer(job.attempts_max).key("releases").integer(job.releases);
  write_time(writer, "started", shown.head.started);
  write_text(writer, "application", shown.head.application);
  write_text(writer, "program_version", shown.head.program_version);
  write_text(writer, "tenure_version", shown.head.tenure_version);
  write_json(writer, "arguments", shown.arguments);
}

void write_done(json::Writer& writer, const replay::RunRecord& run) {
  writer.key("outcome").string(run.failure ? "failed" : "succeeded");
  write_failure(writer,
                run.failure ? std::optional{Failure{run.failure->code, run.failure->error}} : std::nullopt);
  write_json(writer, "returned", run.returned.value_or(""));
  writer.key("calls").begin_array();
  for (const replay::RecordedCall& call : run.calls) {
    writer.begin_object();
    write_text(writer, "name", call.name);
    write_json(writer, "value", call.value);
    write_failure(writer, call.failure);
    writer.end_object();
  }
  writer.end_array().key("jobs").begin_array();
  for (const replay::EnqueuedJob& job : run.jobs) {
    writer.begin_object().key("id").string(job.id.text());
    write_text(writer, "kind", job.kind);
    write_text(writer, "queue", job.queue);
    writer.key("priority").integer(job.priority);
    write_time(writer, "due", job.due);
    writer.key("attempts_max").integer(job.attempts_max);
    write_json(writer, "arguments", job.arguments);
    write_json(writer, "keys", job.keys);
    write_time(writer, "start_before", job.start_before);
    writer.end_object();
  }
  writer.end_array().key("rows").begin_array();
  for (const RowChange& change : run.changes) {
    writer.begin_object();
    write_text(writer, "table", change.table);
    writer.key("change").string(name_of(change.kind));
    write_json(writer, "key", change.key);
    write_json(writer, "before", change.before);
    write_json(writer, "after", change.after);
    writer.end_object();
  }
  writer.end_array().key("tables_not_recorded").begin_array();
  for (const std::string& table : run.tables_not_recorded) writer.string(to_utf8(table));
  writer.end_array();
}

std::string json_of(const ShownCapsule& shown) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.replay.show/1").key("item").begin_object();
  write_given(writer, shown);
  write_done(writer, shown.run);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode replay_show(Session& session) {
  const ShownCapsule shown = read(session);
  if (session.json()) session.print_json(json_of(shown));
  else session.print(text_of(shown, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
