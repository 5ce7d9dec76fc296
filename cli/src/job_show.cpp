#include "job.hpp"
#include "masking.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/tenancy/global_id.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

using queue::AttemptRecord;
using queue::JobRecord;

constexpr std::size_t kArgumentsShown = 4096;  // bytes of arguments on a terminal; --json has all
constexpr std::size_t kErrorShownMax = 500;

struct WholeJob {
  JobRecord record;
  std::vector<AttemptRecord> attempts;
  std::string arguments;  // masked JSON; empty where the payload is none
  std::string global_id;
};

WholeJob find(Session& session, queue::JobId id) {
  std::optional<WholeJob> job;
  const std::string& application = session.settings().application.name;
  session.store().read([&](queue::JobReader& reader) {
    auto record = reader.find_job(id);
    if (!record) return;
    const auto envelope = reader.envelope(record->seq);
    job = WholeJob{*record, reader.attempts(record->seq),
                   masked_json(queue::arguments_of(envelope.value_or(""))),
                   GlobalId(application, "tenure.job", id.text(), record->tenant).text()};
  });
  if (!job) raise(ErrorCode::job_not_found, fmt::format("there is no job {}", id.text()));
  return std::move(*job);
}

// Of a job that has ended none are left, however many it needed.
std::string attempts_left_text(const JobRecord& job) {
  return job.finished ? "" : fmt::format("; {} left", std::max(0, job.attempts_max - job.failures));
}

std::string attempt_lines(const WholeJob& job, const ShowStyle& style) {
  std::vector<std::vector<std::string>> rows;
  for (const AttemptRecord& attempt : job.attempts) {
    std::string error = attempt.error_code ? std::string(name_of(*attempt.error_code)) : "";
    if (!attempt.error.empty()) error += (error.empty() ? "" : ": ") + escaped(attempt.error, kErrorShownMax);
    rows.push_back({"", std::to_string(attempt.number), time_text(attempt.started, style),
                    fmt::format("process {}", attempt.process.value),
                    attempt.started ? seconds_text(attempt.finished - *attempt.started) : "-",
                    std::string(name_of(attempt.outcome)), std::move(error)});
  }
  const std::string table =
      table_text({{"", false}, {"", true}, {""}, {""}, {"", true}, {""}, {""}}, rows, {});
  return table.substr(table.find('\n') + 1);  // these rows explain themselves
}

std::string arguments_text(const WholeJob& job) {
  if (job.arguments.empty())
    return fmt::format("are no JSON and not shown, since nothing in them could be masked ({} bytes)",
                       job.record.size_bytes);
  return escaped(json::printable(job.arguments), kArgumentsShown);
}

std::string text_of(const WholeJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<11}{}\n", name, value);
  };
  const std::string waits = waits_for(r, style);
  std::string out = line("id", job.global_id);
  out += line("kind", escaped(r.kind));
  out += line("queue", fmt::format("{}, priority {}", escaped(r.queue), r.priority.value));
  out += line("tenant", r.tenant ? fmt::format("{}, generation {}, {}", r.tenant->text(), r.generation.value,
                                               name_of(r.tenant_state))
                                 : "none");
  out += line("state", std::string(name_of(r.state)) + (waits.empty() ? "" : ", " + waits));
  out += line("enqueued", full_time_text(r.created, style));
  out += line("due", full_time_text(r.due, style));
  if (r.started) out += line("started", full_time_text(r.started, style));
  if (r.finished) out += line("finished", full_time_text(r.finished, style));
  out += line("size", fmt::format("{} bytes, envelope {}, not sealed", number_text(r.size_bytes, style),
                                  queue::kEnvelopeVersion));
  out += line("attempts", fmt::format("{} failed, {} released (costs no attempt), {} crashes{}", r.failures,
                                      r.releases, r.crashes, attempts_left_text(r)));
  out += attempt_lines(job, style);
  return out + line("arguments", arguments_text(job));
}

void write_attempt(json::Writer& writer, const AttemptRecord& attempt) {
  writer.begin_object()
      .key("number")
      .integer(attempt.number)
      .key("outcome")
      .string(name_of(attempt.outcome))
      .key("code");
  if (attempt.error_code) writer.string(name_of(*attempt.error_code));
  else writer.null();
  write_text(writer, "error", attempt.error);
  write_time(writer, "started", attempt.started);
  write_time(writer, "finished", attempt.finished);
  writer.key("process").integer(attempt.process.value).end_object();
}

std::string json_of(const WholeJob& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.show/1").key("item").begin_object();
  writer.key("global_id").string(job.global_id);
  write_job_members(writer, job.record);
  writer.key("attempts").begin_array();
  for (const AttemptRecord& attempt : job.attempts) write_attempt(writer, attempt);
  writer.end_array().key("arguments");
  if (job.arguments.empty()) writer.null();
  else writer.raw(job.arguments);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode job_show(Session& session) {
  const WholeJob job = find(session, job_id(session.words().front()));
  if (session.json()) session.print_json(json_of(job));
  else session.print(text_of(job, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
