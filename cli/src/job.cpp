#include "job.hpp"

#include "nouns.hpp"
#include "reason_words.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/job_global_id.hpp>
#include <tenure/queue/job_owner.hpp>
#include <tenure/tenancy/global_id.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;
using queue::ShownState;

constexpr std::size_t kErrorInListMax = 60;  // bytes of an error in a list
// A cursor is opaque to users; the letter keeps it apart from every other number.
constexpr char kCursorFront = 'j';

std::string error_head(std::string_view error) {
  const std::string_view line = error.substr(0, error.find('\n'));
  return escaped(line, kErrorInListMax);
}

bool is_job_there(Session& session, const GlobalId& global_id, queue::JobId id) {
  if (global_id.application() != session.settings().application.name) return false;
  std::optional<queue::JobOwner> owner;
  session.readable_store().read([&](queue::JobReader& reader) { owner = reader.owner_of_job(id); });
  return owner && owner->tenant == global_id.tenant();
}

std::string reason_and_error(const JobRecord& job) {
  std::string text = job.reason == JobReason::none ? "" : std::string(name_of(job.reason));
  if (!job.error.empty()) text += (text.empty() ? "" : ": ") + error_head(job.error);
  return text;
}

std::string state_text(const JobRecord& job, const ShowStyle&) { return std::string(name_of(job.state)); }

std::string tenant_text(const JobRecord& job, const ShowStyle&) {
  return job.tenant ? escaped(job.tenant->text()) : "none";
}

// The one that succeeded or is under way is a try too, and no failure.
std::string tries_text(const JobRecord& job, const ShowStyle&) {
  const bool has_one_more = job.state == ShownState::succeeded || job.state == ShownState::running;
  return fmt::format("{}/{}", job.failures + (has_one_more ? 1 : 0), job.attempts_max);
}

// "40 of 100: importing"
std::string progress_text(const JobRecord& job, const ShowStyle& style) {
  if (!job.progress) return "";
  const auto& [done, total, text] = job.progress->progress;
  std::string shown = number_text(done, style);
  if (total > 0) shown += " of " + number_text(total, style);
  return text.empty() ? shown : shown + ": " + escaped(text);
}

// How long it runs, how far it has come, and since when it should stop.
std::string running_text(const JobRecord& job, const ShowStyle& style) {
  std::string text = "since " + (style.terminal && job.started ? duration_text(style.now - *job.started)
                                                               : time_text(job.started, style));
  if (job.progress) text += "; " + progress_text(job, style);
  if (job.cancel_asked) text += "; cancel requested " + time_text(job.cancel_asked, style);
  return text;
}

// On a narrow terminal goes first what tells least.
constexpr std::array kJobColumns{
    ListColumn<JobRecord>{"id", "ID", [](const JobRecord& j, const ShowStyle&) { return j.id.text(); }, false,
                          true},
    ListColumn<JobRecord>{.name = "state", .title = "STATE", .text = state_text, .rank = 0},
    ListColumn<JobRecord>{.name = "tenant", .title = "TENANT", .text = tenant_text, .rank = 3},
    ListColumn<JobRecord>{.name = "kind",
                          .title = "KIND",
                          .text = [](const JobRecord& j, const ShowStyle&) { return escaped(j.kind); },
                          .rank = 1},
    ListColumn<JobRecord>{.name = "queue",
                          .title = "QUEUE",
                          .text = [](const JobRecord& j, const ShowStyle&) { return escaped(j.queue); },
                          .rank = 6},
    ListColumn<JobRecord>{
        .name = "created",
        .title = "CREATED",
        .text = [](const JobRecord& j, const ShowStyle& s) { return time_text(j.created, s); },
        .rank = 5},
    ListColumn<JobRecord>{.name = "try", .title = "TRY", .text = tries_text, .right = true, .rank = 2},
    ListColumn<JobRecord>{
        .name = "waits_for", .title = "WAITS FOR", .text = waits_for, .cut = true, .rank = 4},
    ListColumn<JobRecord>{
        "priority", "PRIORITY",
        [](const JobRecord& j, const ShowStyle&) { return std::to_string(j.priority.value); }, true, false,
        false},
    ListColumn<JobRecord>{
        "generation", "GEN",
        [](const JobRecord& j, const ShowStyle&) { return std::to_string(j.generation.value); }, true, false,
        false},
    ListColumn<JobRecord>{"crashes", "CRASHES",
                          [](const JobRecord& j, const ShowStyle&) { return std::to_string(j.crashes); },
                          true, false, false},
    ListColumn<JobRecord>{"size", "SIZE",
                          [](const JobRecord& j, const ShowStyle& s) { return bytes_text(j.size_bytes, s); },
                          true, false, false},
    ListColumn<JobRecord>{"due", "DUE",
                          [](const JobRecord& j, const ShowStyle& s) { return time_text(j.due, s); }, false,
                          false, false},
    ListColumn<JobRecord>{"started", "STARTED",
                          [](const JobRecord& j, const ShowStyle& s) { return time_text(j.started, s); },
                          false, false, false},
    ListColumn<JobRecord>{"finished", "FINISHED",
                          [](const JobRecord& j, const ShowStyle& s) { return time_text(j.finished, s); },
                          false, false, false},
    ListColumn<JobRecord>{"progress", "PROGRESS", progress_text, false, false, false, true},
    ListColumn<JobRecord>{"reason", "REASON",
                          [](const JobRecord& j, const ShowStyle&) { return std::string(name_of(j.reason)); },
                          false, false, false},
    ListColumn<JobRecord>{
        "batch", "BATCH",
        [](const JobRecord& j, const ShowStyle&) { return j.batch ? j.batch->text() : std::string{}; }, false,
        false, false},
    ListColumn<JobRecord>{"error", "ERROR",
                          [](const JobRecord& j, const ShowStyle&) { return error_head(j.error); }, false,
                          false, false, true},
};

constexpr std::array<std::string_view, 1> kJobSortFields{"created"};

void write_job(json::Writer& writer, const JobRecord& job, WallTime) {
  writer.begin_object();
  write_job_members(writer, job);
  writer.end_object();
}

void add_count(ListTotal& total, queue::JobReader& reader, const queue::Filter& filter,
               queue::ListOptions options, WallTime now) {
  options.limit = static_cast<std::size_t>(kCountMax) + 1;
  const std::int64_t count = reader.count_jobs(filter, options, now).count;
  total.count = std::min(count, kCountMax);
  total.capped = count > kCountMax;
}

}  // namespace

std::span<const ListColumn<JobRecord>> job_columns() { return kJobColumns; }
ListWords filter_words() { return {queue::job_filter_fields(), {}, {}}; }
ListWords job_words() { return {queue::job_filter_fields(), kJobSortFields, column_names(job_columns())}; }

std::string waits_for(const JobRecord& job, const ShowStyle& style) {
  const auto head = [&] { return job.error.empty() ? std::string() : " (" + error_head(job.error) + ")"; };
  if (!job.refused.empty()) return reason_text(JobReason::row_refused, job);
  switch (job.state) {
    case ShownState::scheduled:
      if (job.reason == JobReason::retry_wait) return "retry " + time_text(job.due, style) + head();
      if (job.reason == JobReason::put_off) return "put off until " + time_text(job.due, style) + head();
      return "due " + time_text(job.due, style);
    case ShownState::running:
      return running_text(job, style);
    case ShownState::held:
      if (!job.held_by.empty()) return "limit " + escaped(job.held_by);
      return fmt::format("{} ({})", reason_text(job.reason, job), name_of(job.reason));
    case ShownState::blocked:
    case ShownState::dead:
    case ShownState::discarded:
    case ShownState::cancelled:
      return reason_and_error(job);
    case ShownState::ready:
    case ShownState::succeeded:
      return "";
  }
  return "";
}

void write_job_members(json::Writer& writer, const JobRecord& job) {
  writer.key("id").string(job.id.text());
  writer.key("state").string(name_of(job.state)).key("reason").string(name_of(job.reason));
  if (job.tenant) write_text(writer, "tenant", job.tenant->text());
  else writer.key("tenant").null();
  writer.key("generation").integer(job.generation.value).key("tenant_state");
  if (job.tenant) writer.string(name_of(job.tenant_state));
  else writer.null();
  write_text(writer, "queue", job.queue);
  write_text(writer, "kind", job.kind);
  writer.key("priority").integer(job.priority.value);
  write_time(writer, "created", job.created);
  write_time(writer, "due", job.due);
  if (job.start_before) write_time(writer, "start_before", job.start_before);
  write_time(writer, "started", job.started);
  write_time(writer, "finished", job.finished);
  writer.key("attempts_max").integer(job.attempts_max).key("failures").integer(job.failures);
  writer.key("crashes").integer(job.crashes).key("releases").integer(job.releases);
  writer.key("size_bytes").integer(job.size_bytes).key("process");
  if (job.process) writer.integer(job.process->value);
  else writer.null();
  if (job.progress) {
    const auto& [done, total, text] = job.progress->progress;
    writer.key("progress").begin_object().key("done").integer(done).key("total").integer(total);
    write_text(writer, "text", text);
    write_time(writer, "told", job.progress->told);
    writer.end_object();
  }
  if (job.cancel_asked) write_time(writer, "cancel_requested", job.cancel_asked);
  if (job.batch) writer.key("batch").string(job.batch->text());
  write_text(writer, "error", job.error);
  if (!job.held_by.empty()) write_text(writer, "held_by", job.held_by);
  if (!job.refused.empty()) write_text(writer, "refused", job.refused);
}

bool names_states(const queue::Filter& filter) {
  return std::ranges::any_of(filter.terms, [](const queue::FilterTerm& term) {
    return term.field == queue::FilterField::state || term.field == queue::FilterField::id ||
           term.field == queue::FilterField::reason || term.field == queue::FilterField::batch;
  });
}

queue::Filter without_succeeded(queue::Filter filter) {
  if (!names_states(filter))
    filter.terms.push_back({queue::FilterField::state, true, {queue::Glob{"succeeded", true}}});
  return filter;
}

std::int64_t looks_max(const Session& session) {
  constexpr std::int64_t kMost = 1'000'000'000;
  return session.has("scan") ? value_or_raise(whole_number("scan", session.option("scan"), 1, kMost))
                             : kLooksMaxDefault;
}

std::string cursor_of(queue::JobSeq seq) { return kCursorFront + std::to_string(seq.value); }

queue::JobSeq parse_cursor(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + (text.empty() ? 0 : 1), end, number);
  if (text.empty() || text.front() != kCursorFront || error != std::errc{} || rest != end || number < 0)
    raise(ErrorCode::bad_options,
          fmt::format("--after {} is no cursor that a list of jobs printed", escaped(text, 64)));
  return queue::JobSeq{number};
}

queue::JobId job_id(Session& session, std::string_view word) {
  const auto global_id =
      is_global_id(word) ? std::optional{value_or_raise(GlobalId::parse(word))} : std::nullopt;
  const bool is_of_job = !global_id || global_id->model() == queue::kJobModel;
  const auto uuid = is_of_job ? Uuid::parse(global_id ? global_id->id() : word) : std::nullopt;
  if (!uuid)
    raise(ErrorCode::bad_options,
          fmt::format("'{}' is no job id, which has the form {}", escaped(word, 64), kJobIdExample));
  const queue::JobId id{*uuid};
  if (global_id && !is_job_there(session, *global_id, id))
    raise(ErrorCode::job_not_found, fmt::format("there is no job {}", escaped(word, 200)));
  return id;
}

ExitCode job_list(Session& session) {
  const queue::Filter filter = session.filter(queue::job_filter_fields());
  const auto order = sort_order(session, kJobSortFields);
  queue::ListOptions options{.limit = session.limit() + 1, .looks_max = looks_max(session)};
  if (order && !order->descending) options.order = queue::ListOrder::oldest_first;
  if (session.has("after")) options.after = parse_cursor(session.option("after"));
  queue::JobPage page;
  session.readable_store().read(
      [&](queue::JobReader& reader) { page = reader.list_jobs(filter, options, session.now()); });
  std::vector<JobRecord>& jobs = page.jobs;
  const bool is_whole = jobs.size() <= session.limit() && !options.after;
  ListTotal total;
  if (jobs.size() > session.limit()) {
    jobs.resize(session.limit());
    total.next = cursor_of(jobs.back().seq);
  }
  // In a snapshot of its own: the page is not kept back for it.
  const auto counted = [&] {
    if (!is_whole)
      session.readable_store().read(
          [&](queue::JobReader& reader) { add_count(total, reader, filter, options, session.now()); });
    total.count = std::max(total.count, std::ssize(jobs));
    if (page.left_out) total.looked_at = options.looks_max;
    return total;
  };
  return print_counted_list<JobRecord>(session, "tenure.job.list/1", {"job", "jobs"}, kJobColumns, jobs,
                                       counted, write_job);
}

ExitCode job_count(Session& session) {
  const queue::Filter filter = session.filter(queue::job_filter_fields());
  const queue::ListOptions options{.limit = static_cast<std::size_t>(kCountMax) + 1,
                                   .looks_max = looks_max(session)};
  ListTotal total;
  session.readable_store().read([&](queue::JobReader& reader) {
    const queue::JobCount counted = reader.count_jobs(filter, options, session.now());
    total.count = std::min(counted.count, kCountMax);
    total.capped = counted.count > kCountMax;
    if (counted.left_out) total.looked_at = options.looks_max;
  });
  if (session.json()) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.job.count/1").key("count").integer(total.count);
    writer.key("capped").boolean(total.capped);
    if (total.looked_at) writer.key("looked_at").integer(*total.looked_at);
    writer.end_object();
    session.print_json(std::move(out));
  } else {
    session.print(count_text(total.count, total.capped, session.style()) + '\n');
    note_scan(session, total);
  }
  return session.has("fail-if-any") && total.count > 0 ? ExitCode::refused : ExitCode::done;
}

}  // namespace tenure::cli
