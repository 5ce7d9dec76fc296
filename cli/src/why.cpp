#include "filter_text.hpp"
#include "job.hpp"
#include "nouns.hpp"
#include "reason_words.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/why.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

// Why jobs do not run: every reason of one job, or the deciding reasons of many, counted.
namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;
using queue::ShownState;
using queue::WaitReason;

struct ExplainedJob {
  JobRecord record;
  std::vector<WaitReason> reasons;
  queue::LaneFacts lane;
  std::vector<std::string> pools;  // that perform it, where its lane has no gate
  std::optional<queue::HolderRecord> holder;
  std::optional<queue::WayAhead> ahead;  // of one that is in its lane
};

bool performs(const queue::PoolRecord& pool, const JobRecord& job) {
  return pool.workers > 0 && std::ranges::binary_search(pool.queues, job.queue) &&
         std::ranges::binary_search(pool.kinds, job.kind);
}

ExplainedJob explained(queue::JobReader& reader, const JobRecord& record, WallTime now) {
  ExplainedJob job{.record = record,
                   .reasons = {},
                   .lane = reader.lane_facts(record),
                   .pools = {},
                   .holder = reader.last_holder(),
                   .ahead = {}};
  const auto attempts = reader.attempts(record.seq);
  job.reasons = queue::wait_reasons(
      record, job.lane, attempts.empty() ? std::nullopt : std::optional{attempts.back().finished}, now);
  for (const queue::PoolRecord& pool : reader.pools())
    if (performs(pool, record)) job.pools.push_back(pool.name);
  if (record.state == ShownState::ready || record.state == ShownState::held)
    job.ahead = reader.way_ahead(record);
  return job;
}

ExplainedJob find_and_explain(Session& session, queue::JobId id) {
  std::optional<ExplainedJob> job;
  session.readable_store().read([&](queue::JobReader& reader) {
    if (const auto record = reader.find_job(id)) job = explained(reader, *record, session.now());
  });
  if (!job) raise(ErrorCode::job_not_found, fmt::format("there is no job {}", id.text()));
  return std::move(*job);
}

// What does not stand in its way.
std::vector<std::string> open_texts(const ExplainedJob& job) {
  const JobRecord& r = job.record;
  std::vector<std::string> open;
  if (r.tenant && queue::tenant_gate(job.lane.tenant) == JobReason::none)
    open.push_back("tenant " + escaped(r.tenant->text()));
  if (job.lane.has_dispatcher && job.holder)
    open.push_back(fmt::format("dispatcher pid {} on {}", job.holder->pid, escaped(job.holder->node)));
  if (job.lane.pools && queue::lane_gate(*job.lane.pools) == JobReason::none)
    for (const std::string& pool : job.pools)
      open.push_back(
          fmt::format("queue {} and kind {} in pool {}", escaped(r.queue), escaped(r.kind), escaped(pool)));
  return open;
}

std::string labelled(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("{:<11}{}\n", name, value);
}

std::string ahead_text(const queue::WayAhead& ahead, const ShowStyle& style) {
  return fmt::format("{} {} of its lane; {} {} ready jobs in its queue and priority",
                     count_text(ahead.jobs, ahead.capped, style), ahead.jobs == 1 ? "job" : "jobs",
                     count_text(ahead.tenants, ahead.capped, style),
                     ahead.tenants == 1 ? "other tenant has" : "other tenants have");
}

std::string reason_lines(const ExplainedJob& job, const ShowStyle& style) {
  std::string out;
  for (const WaitReason& each : job.reasons) {
    out += labelled(out.empty() ? "waits for" : "and for",
                    fmt::format("{} ({})", reason_text(each.reason, job.record), name_of(each.reason)));
    if (each.since) out += labelled("since", full_time_text(each.since, style));
    out += labelled("until",
                    each.until ? full_time_text(each.until, style) : until_text(each.reason, job.record));
    out += labelled("change", change_text(each.reason, job.record));
  }
  return out;
}

std::string run_lines(const ExplainedJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  const std::string holder =
      job.holder ? fmt::format(" of pid {} on {}", job.holder->pid, escaped(job.holder->node)) : "";
  return labelled("runs", fmt::format("attempt {} of {}, on process {}{}", r.failures + 1, r.attempts_max,
                                      r.process ? r.process->value : 0, holder)) +
         labelled("since", full_time_text(r.started, style)) +
         (r.cancel_asked ? labelled("cancelled", "requested " + full_time_text(r.cancel_asked, style))
                         : labelled("change", "tenure job cancel " + r.id.text()));
}

std::string end_lines(const ExplainedJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  std::string out = labelled("ended", full_time_text(r.finished, style));
  out += labelled("decided by", r.reason == JobReason::none
                                    ? reason_text(r.reason, r)
                                    : fmt::format("{} ({})", reason_text(r.reason, r), name_of(r.reason)));
  if (r.state != ShownState::succeeded) out += labelled("error", escaped(r.error));
  return out + labelled("change", change_text(r.reason, r));
}

std::string explained_text(const ExplainedJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  std::string out = labelled(
      "job", fmt::format("{}, {} of {} in queue {}", name_of(r.state), escaped(r.kind),
                         r.tenant ? "tenant " + escaped(r.tenant->text()) : "no tenant", escaped(r.queue)));
  if (r.state == ShownState::running) return out + run_lines(job, style);
  if (r.finished) return out + end_lines(job, style);
  out += reason_lines(job, style);
  for (const std::string& open : open_texts(job)) out += labelled("open", open);
  if (job.ahead) out += labelled("ahead", ahead_text(*job.ahead, style));
  if (!job.lane.has_dispatcher && job.lane.pools)
    out += labelled("", "Of queues and kinds this is what the last dispatcher has told.");
  return out;
}

void write_reason(json::Writer& writer, const WaitReason& each, const JobRecord& job) {
  writer.begin_object().key("reason").string(name_of(each.reason));
  write_text(writer, "waits_for", reason_text(each.reason, job));
  write_time(writer, "since", each.since);
  write_time(writer, "until", each.until);
  write_text(writer, "until_text", until_text(each.reason, job));
  write_text(writer, "change", change_text(each.reason, job));
  writer.end_object();
}

void write_decision(json::Writer& writer, const JobRecord& job) {
  writer.key("decided_by");
  if (job.finished) writer.string(to_utf8(reason_text(job.reason, job)));
  else writer.null();
  writer.key("change");
  if (job.finished) writer.string(to_utf8(change_text(job.reason, job)));
  else writer.null();
}

std::string explained_json(const ExplainedJob& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.why/1").key("item").begin_object();
  write_job_members(writer, job.record);
  writer.key("has_dispatcher").boolean(job.lane.has_dispatcher).key("reasons").begin_array();
  for (const WaitReason& each : job.reasons) write_reason(writer, each, job.record);
  writer.end_array();
  write_decision(writer, job.record);
  writer.key("open").begin_array();
  if (!job.reasons.empty())
    for (const std::string& open : open_texts(job)) writer.string(to_utf8(open));
  writer.end_array().key("ahead");
  if (job.ahead)
    writer.begin_object()
        .key("jobs")
        .integer(job.ahead->jobs)
        .key("tenants")
        .integer(job.ahead->tenants)
        .key("capped")
        .boolean(job.ahead->capped)
        .end_object();
  else writer.null();
  writer.end_object().end_object();
  return out;
}

// --- Of many jobs.

struct CountedReason {
  ShownState state = ShownState::ready;
  JobReason reason = JobReason::none;
  std::int64_t jobs = 0;
  WallTime first_due = WallTime::max();
  WallTime last_due = WallTime::min();
  std::string filter;  // that finds them
};

constexpr std::array kReasonColumns{
    ListColumn<CountedReason>{"reason", "REASON",
                              [](const CountedReason& r, const ShowStyle&) {
                                return r.reason == JobReason::none ? "-" : std::string(name_of(r.reason));
                              },
                              false, true},
    ListColumn<CountedReason>{
        "state", "STATE",
        [](const CountedReason& r, const ShowStyle&) { return std::string(name_of(r.state)); }},
    ListColumn<CountedReason>{
        "jobs", "JOBS", [](const CountedReason& r, const ShowStyle& s) { return number_text(r.jobs, s); },
        true},
    ListColumn<CountedReason>{
        "first_due", "FIRST DUE",
        [](const CountedReason& r, const ShowStyle& s) { return time_text(r.first_due, s); }},
    ListColumn<CountedReason>{
        "last_due", "LAST DUE",
        [](const CountedReason& r, const ShowStyle& s) { return time_text(r.last_due, s); }, false, false,
        false},
    ListColumn<CountedReason>{
        "filter", "FILTER", [](const CountedReason& r, const ShowStyle&) { return escaped(r.filter, 4096); }},
};

void write_counted(json::Writer& writer, const CountedReason& row, WallTime) {
  writer.begin_object().key("reason").string(name_of(row.reason));
  writer.key("state").string(name_of(row.state)).key("jobs").integer(row.jobs);
  write_time(writer, "first_due", row.first_due);
  write_time(writer, "last_due", row.last_due);
  write_text(writer, "filter", row.filter);
  writer.end_object();
}

// Jobs show a reason of their own, but for those that nothing holds.
std::string filter_of_reason(std::span<const std::string> words, const CountedReason& row) {
  std::vector<std::string> terms(words.begin(), words.end());
  terms.push_back(fmt::format("state={}", name_of(row.state)));
  const bool is_shown = row.reason != JobReason::no_dispatcher && row.reason != JobReason::tenant_turn;
  if (is_shown && row.reason != JobReason::none)
    terms.push_back(fmt::format("reason={}", name_of(row.reason)));
  return shell_text(terms);
}

ExitCode count_reasons(Session& session) {
  const queue::Filter filter = without_succeeded(session.filter(queue::job_filter_fields()));
  std::map<std::pair<JobReason, ShownState>, CountedReason> counted;
  const queue::ListOptions options{.limit = static_cast<std::size_t>(kCountMax) + 1,
                                   .looks_max = looks_max(session)};
  std::int64_t jobs = 0;
  ListTotal total;
  session.readable_store().read([&](queue::JobReader& reader) {
    const bool has_dispatcher = reader.has_dispatcher();
    const bool left_out = reader.visit_jobs(filter, options, session.now(), [&](const JobRecord& job) {
      total.capped = ++jobs > kCountMax;
      if (total.capped) return false;
      const JobReason reason = queue::deciding_reason(job, has_dispatcher, session.now());
      CountedReason& row = counted[{reason, job.state}];
      row.state = job.state;
      row.reason = reason;
      ++row.jobs;
      row.first_due = std::min(row.first_due, job.due);
      row.last_due = std::max(row.last_due, job.due);
      return true;
    });
    if (left_out) total.looked_at = options.looks_max;
  });
  std::vector<CountedReason> rows;
  for (auto& [key, row] : counted) {
    row.filter = filter_of_reason(session.words(), row);
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, &CountedReason::jobs);
  total.count = std::ssize(rows);
  return print_list<CountedReason>(session, "tenure.job.why.list/1", "reason", kReasonColumns, rows, total,
                                   write_counted);
}

}  // namespace

ListWords why_words() {
  return {queue::job_filter_fields(), {}, column_names<CountedReason>(kReasonColumns)};
}

ExitCode job_why(Session& session) {
  const auto words = session.words();
  if (words.size() != 1 || !Uuid::parse(words.front())) return count_reasons(session);
  for (const std::string_view option : {"columns", "scan", "fail-if-any"})
    if (session.has(option))
      raise(ErrorCode::bad_options, fmt::format("--{} is for a filter, and not for one job", option));
  const ExplainedJob job = find_and_explain(session, job_id(words.front()));
  if (session.json()) session.print_json(explained_json(job));
  else session.print(explained_text(job, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
