#include "batch.hpp"
#include "captures.hpp"
#include "fan_out.hpp"
#include "job.hpp"
#include "key_text.hpp"
#include "nouns.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/job_global_id.hpp>
#include <tenure/queue/mask.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

using queue::AttemptRecord;
using queue::JobRecord;
using queue::ShownState;

constexpr std::size_t kArgumentsShown = 4096;  // bytes of arguments on a terminal; --json has all
constexpr std::size_t kErrorShownMax = 500;
constexpr json::ReadLimits kShownArguments{.bytes_max = limits::kPayloadMax, .depth_max = limits::kDepthMax};

struct WholeJob {
  JobRecord record;
  std::vector<AttemptRecord> attempts;
  std::string envelope_problem;   // why its arguments are not this job's to show; empty where they are
  std::string arguments;          // JSON; empty where the payload is none
  std::optional<bool> is_sealed;  // nothing where the envelope is not this job's
  std::string global_id;
  bool has_dispatcher = false;
  std::vector<queue::CaptureRecord> captures;  // requests that are of this job alone
  std::vector<queue::CapsuleNote> capsules;    // the newest first
  queue::JobKeys keys;
  std::optional<queue::TickRecord> tick;         // that has made it
  std::string schedule;                          // of the tick; empty: it has gone
  std::optional<queue::BatchRecord> batch;       // of which it is a member
  std::optional<queue::FanOutRecord> fan_out;    // that has made it
  std::optional<queue::CallbackOf> callback_of;  // the batch that has made it
  std::optional<queue::StoredResult> result;
};

std::string schedule_of(queue::JobReader& reader, queue::ScheduleNumber number) {
  for (const queue::ShownSchedule& schedule : reader.schedules().schedules())
    if (schedule.record.number == number) return schedule.record.entry.name;
  return {};
}

std::string tick_text(const WholeJob& job, const ShowStyle& style) {
  return fmt::format("{}, {} {}", job.schedule.empty() ? "one that has gone" : escaped(job.schedule),
                     job.tick->is_manual ? "run by an operator at" : "tick",
                     full_time_text(job.tick->tick, style));
}

std::string tenant_of(const std::optional<TenantName>& tenant) { return tenant ? tenant->text() : "none"; }

// What of an envelope says that it belongs to another job than the row.
std::string differences(const queue::Envelope& envelope, const JobRecord& row) {
  std::vector<std::string> found;
  if (envelope.id != row.id) found.push_back("id " + envelope.id.text());
  if (envelope.tenant != row.tenant) found.push_back("tenant " + tenant_of(envelope.tenant));
  else if (row.tenant && envelope.generation != row.generation)
    found.push_back(fmt::format("generation {}", envelope.generation.value));
  if (envelope.kind != row.kind) found.push_back("kind " + envelope.kind);
  return fmt::format("{}", fmt::join(found, ", "));
}

// Texts of runs before the mask was what it is now quote what it hides.
void hide_secrets(WholeJob& job, const queue::Mask& mask) {
  const queue::Secrets secrets(mask, job.arguments);
  for (AttemptRecord& attempt : job.attempts) attempt.error = secrets.hidden_in(attempt.error);
  job.record.error = secrets.hidden_in(job.record.error);
  for (queue::CapsuleNote& note : job.capsules)
    if (note.failure) note.failure->message = secrets.hidden_in(note.failure->message);
  if (auto& told = job.record.progress) told->progress.text = secrets.hidden_in(told->progress.text);
  job.arguments = mask.shown(job.arguments);
  if (job.result) job.result->text = mask.shown(job.result->text);
}

void read_arguments(WholeJob& job, std::string_view bytes) {
  const auto envelope = queue::read_envelope(bytes);
  if (!envelope) {
    job.envelope_problem = "the envelope cannot be read: " + envelope.error().message;
    return;
  }
  if (const std::string differs = differences(*envelope, job.record); !differs.empty()) {
    job.envelope_problem = "the envelope is another job's: it says " + differs;
    return;
  }
  job.is_sealed = envelope->seal.has_value();
  if (json::Document::parse(envelope->arguments, kShownArguments)) job.arguments = envelope->arguments;
}

// An id is made of no name that breaks the rules of names.
std::string global_id_of(const JobRecord& job, std::string_view application) {
  if (job.tenant && !job.tenant->keeps_rules()) return job.id.text();
  return queue::global_id_of(application, job.id, job.tenant).text();
}

WholeJob find(Session& session, queue::JobId id) {
  std::optional<WholeJob> job;
  const std::string& application = session.settings().application.name;
  session.readable_store().read([&](queue::JobReader& reader) {
    auto record = reader.find_job(id);
    if (!record) return;
    job = WholeJob{.record = *record,
                   .attempts = reader.attempts(record->seq),
                   .envelope_problem = {},
                   .arguments = {},
                   .is_sealed = {},
                   .global_id = global_id_of(*record, application),
                   .has_dispatcher = reader.has_dispatcher(),
                   .captures = captures_of(reader, id, session.now()),
                   .capsules = reader.capsules(id),
                   .keys = reader.job_keys(*record),
                   .tick = reader.schedules().tick_of(id),
                   .schedule = {},
                   .batch = {},
                   .fan_out = {},
                   .callback_of = reader.batches().callback_of(id),
                   .result = reader.result(record->seq, session.now())};
    if (record->batch) job->batch = reader.batches().batch(*record->batch);
    if (record->batch) job->fan_out = reader.fan_outs().fan_out(*record->batch);
    if (job->tick) job->schedule = schedule_of(reader, job->tick->schedule);
    if (job->result && !json::Document::parse(job->result->text, kShownArguments)) job->result->text.clear();
    read_arguments(*job, reader.envelope(record->seq).value_or(""));
  });
  if (!job) raise(ErrorCode::job_not_found, fmt::format("there is no job {}", id.text()));
  return std::move(*job);
}

// Of a job that has ended none are left, however many it needed.
std::string attempts_left_text(const JobRecord& job) {
  return job.finished ? "" : fmt::format("; {} left", std::max(0, job.attempts_max - job.failures));
}

// "app-1/general.0"; by the process's number where no more is known.
std::string performer_text(const AttemptRecord& attempt) {
  const std::string process = attempt.place.process.empty() ? fmt::format("process {}", attempt.process.value)
                                                            : escaped(attempt.place.process);
  return attempt.node.empty() ? process : fmt::format("{}/{}", escaped(attempt.node), process);
}

// It ended with its process, and is charged with that.
bool is_crash(const AttemptRecord& attempt) {
  return attempt.outcome == queue::AttemptOutcome::interrupted &&
         attempt.error_code == ErrorCode::worker_crashed;
}

std::string end_text(const AttemptRecord& attempt) {
  if (is_crash(attempt) && attempt.place.exit) return queue::text_of(*attempt.place.exit);
  std::string error = attempt.error_code ? std::string(name_of(*attempt.error_code)) : "";
  if (!attempt.error.empty()) error += (error.empty() ? "" : ": ") + escaped(attempt.error, kErrorShownMax);
  return error;
}

std::string attempt_lines(const WholeJob& job, const ShowStyle& style) {
  std::vector<std::vector<std::string>> rows;
  for (const AttemptRecord& attempt : job.attempts) {
    rows.push_back(
        {"", std::to_string(attempt.number), time_text(attempt.started, style), performer_text(attempt),
         attempt.started ? seconds_text(attempt.finished - *attempt.started) : "-",
         is_crash(attempt) ? "crashed" : std::string(name_of(attempt.outcome)), end_text(attempt)});
  }
  const std::string table =
      table_text({{"", false}, {"", true}, {""}, {""}, {"", true}, {""}, {""}}, rows, {});
  return table.substr(table.find('\n') + 1);  // these rows explain themselves
}

std::string size_text(const WholeJob& job, const ShowStyle& style) {
  const std::string bytes = number_text(job.record.size_bytes, style) + " bytes";
  if (!job.is_sealed) return bytes;
  return fmt::format("{}, envelope {}, {}", bytes, queue::kEnvelopeVersion,
                     *job.is_sealed ? "sealed" : "not sealed");
}

std::string arguments_text(const WholeJob& job) {
  if (!job.envelope_problem.empty()) return "are not shown: " + escaped(job.envelope_problem, kErrorShownMax);
  if (job.arguments.empty())
    return fmt::format("are no JSON and not shown, since nothing in them could be masked ({} bytes)",
                       job.record.size_bytes);
  return escaped(json::printable(job.arguments), kArgumentsShown);
}

std::string result_text(const queue::StoredResult& result, const ShowStyle& style) {
  if (result.text.empty()) return "is no JSON and not shown, since nothing in it could be masked";
  return fmt::format("{}, kept until {}", escaped(json::printable(result.text), kArgumentsShown),
                     full_time_text(result.keep_until, style));
}

std::string shown_text_of(const WholeJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<11}{}\n", name, value);
  };
  const bool lacks_dispatcher = r.state == ShownState::ready && !job.has_dispatcher;
  const std::string waits = lacks_dispatcher ? "no dispatcher is seen to run" : waits_for(r, style);
  std::string out = line("id", job.global_id);
  out += line("kind", escaped(r.kind));
  out += line("queue", fmt::format("{}, priority {}", escaped(r.queue), r.priority.value));
  out += line("tenant", r.tenant ? fmt::format("{}, generation {}, {}", escaped(r.tenant->text()),
                                               r.generation.value, name_of(r.tenant_state))
                                 : "none");
  out += line("state", std::string(name_of(r.state)) + (waits.empty() ? "" : ", " + waits));
  out += line("enqueued", full_time_text(r.created, style));
  out += line("due", full_time_text(r.due, style));
  if (r.start_before)
    out +=
        line("starts", fmt::format("before {}, or it is discarded", full_time_text(r.start_before, style)));
  if (r.started) out += line("started", full_time_text(r.started, style));
  if (r.cancel_asked) out += line("cancel", "requested " + full_time_text(r.cancel_asked, style));
  if (r.finished) out += line("finished", full_time_text(r.finished, style));
  if (r.cursor)
    out += line("cursor", fmt::format("{}, saved {}", counted(r.cursor->size_bytes, "byte", style),
                                      time_text(r.cursor->saved, style)));
  out += line("size", size_text(job, style));
  out += line("attempts", fmt::format("{} failed, {} released (costs no attempt), {} crashes{}", r.failures,
                                      r.releases, r.crashes, attempts_left_text(r)));
  out += attempt_lines(job, style);
  for (const auto& [name, text] : key_texts(job.keys)) out += line(name, text);
  if (job.tick) out += line("schedule", tick_text(job, style));
  if (job.fan_out) out += line("fan-out", fan_out_text(*job.fan_out, style));
  else if (job.batch) out += line("batch", member_text(*job.batch, style));
  if (job.callback_of)
    out += line("callback", fmt::format("of batch {}, for {}", job.callback_of->batch.text(),
                                        queue::name_of(job.callback_of->moment)));
  for (const queue::CaptureRecord& request : job.captures)
    out += line("capture", request_text(request, style));
  for (const queue::CapsuleNote& note : job.capsules) out += line("capsule", capsule_text(note, style));
  out += line("arguments", arguments_text(job));
  if (job.result) out += line("result", result_text(*job.result, style));
  return out;
}

void write_callback_of(json::Writer& writer, const queue::CallbackOf& callback) {
  writer.key("callback_of").begin_object().key("batch").string(callback.batch.text());
  writer.key("moment").string(queue::name_of(callback.moment)).end_object();
}

void write_exit(json::Writer& writer, const std::optional<queue::ProcessExit>& exit) {
  for (const auto& [key, by] : {std::pair{"exit_code", queue::ProcessExit::By::code},
                                std::pair{"signal", queue::ProcessExit::By::signal}}) {
    writer.key(key);
    if (exit && exit->by == by) writer.integer(exit->number);
    else writer.null();
  }
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
  writer.key("process").integer(attempt.process.value);
  write_text(writer, "node", attempt.node);
  write_text(writer, "performer", attempt.place.process);
  writer.key("pid");
  if (attempt.place.pid > 0) writer.integer(attempt.place.pid);
  else writer.null();
  write_exit(writer, attempt.place.exit);
  writer.end_object();
}

std::string json_of(const WholeJob& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.show/1").key("item").begin_object();
  writer.key("global_id").string(job.global_id);
  write_job_members(writer, job.record);
  writer.key("has_dispatcher").boolean(job.has_dispatcher);
  if (job.record.cursor) {
    writer.key("cursor").begin_object().key("bytes").integer(job.record.cursor->size_bytes);
    write_time(writer, "saved", job.record.cursor->saved);
    writer.end_object();
  }
  writer.key("attempts").begin_array();
  for (const AttemptRecord& attempt : job.attempts) write_attempt(writer, attempt);
  writer.end_array().key("captures").begin_array();
  for (const queue::CaptureRecord& request : job.captures) write_request(writer, request);
  writer.end_array().key("capsules").begin_array();
  for (const queue::CapsuleNote& note : job.capsules) write_capsule_note(writer, note);
  writer.end_array();
  write_keys(writer, job.keys);
  if (job.tick) {
    writer.key("schedule").begin_object();
    write_text(writer, "name", job.schedule);
    write_time(writer, "tick", job.tick->tick);
    writer.key("manual").boolean(job.tick->is_manual).end_object();
  }
  if (job.callback_of) write_callback_of(writer, *job.callback_of);
  writer.key("sealed");
  if (job.is_sealed) writer.boolean(*job.is_sealed);
  else writer.null();
  writer.key("arguments");
  if (job.arguments.empty()) writer.null();
  else writer.raw(job.arguments);
  if (!job.envelope_problem.empty()) write_text(writer, "envelope_problem", job.envelope_problem);
  writer.key("result");
  if (!job.result || job.result->text.empty()) writer.null();
  else writer.raw(job.result->text);
  if (job.result) write_time(writer, "result_kept_until", job.result->keep_until);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode job_show(Session& session) {
  const bool reveals = session.has("reveal");
  if (reveals && session.has("watch"))
    raise(ErrorCode::bad_options, "--reveal is recorded each time, so it does not go with --watch");
  WholeJob job = find(session, job_id(session, session.words().front()));
  // Recorded first: whoever sees them has left the record.
  if (reveals)
    session.change([&](queue::StoreWriter&) { return Changed{1, job.record.id.text() + ", revealed"}; });
  else hide_secrets(job, session.mask());
  if (session.json()) session.print_json(json_of(job));
  else session.print(shown_text_of(job, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
