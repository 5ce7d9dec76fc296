#include "explained_job_text.hpp"

#include "captures.hpp"
#include "job.hpp"
#include "key_text.hpp"
#include "limit_text.hpp"
#include "pauses.hpp"
#include "reason_words.hpp"
#include "tenant_migrations.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/lane_gate.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;
using queue::ShownState;
using queue::WaitReason;

std::string slots_text(const queue::PoolSlots& pool) {
  if (pool.slots == 0) return "";
  std::string kept;
  for (const queue::KeptSlots& each : pool.kept)
    kept +=
        fmt::format(", {} kept for priority {} or better", each.reserved.slots, each.reserved.priority.value);
  return fmt::format(" ({} of {} slots free{})", std::max<std::int64_t>(0, pool.slots - pool.taken),
                     pool.slots, kept);
}

void write_kept(json::Writer& writer, const queue::PoolSlots& pool) {
  writer.key("reserved").begin_array();
  for (const queue::KeptSlots& each : pool.kept)
    writer.begin_object()
        .key("priority")
        .integer(each.reserved.priority.value)
        .key("slots")
        .integer(each.reserved.slots)
        .end_object();
  writer.end_array();
}

// What does not stand in its way.
std::vector<std::string> open_texts(const ExplainedJob& job) {
  const JobRecord& r = job.record;
  std::vector<std::string> open;
  if (r.tenant && queue::tenant_gate(job.lane.tenant) == JobReason::none)
    open.push_back("tenant " + escaped(r.tenant->text()));
  if (job.lane.has_dispatcher && job.holder)
    open.push_back(fmt::format("dispatcher pid {} on {}", job.holder->pid, escaped(job.holder->node)));
  if (job.lane.pools && !job.is_quiet && queue::lane_gate(*job.lane.pools) == JobReason::none)
    for (const queue::PoolSlots& pool : job.pools)
      open.push_back(fmt::format("queue {} and kind {} in pool {}{}", escaped(r.queue), escaped(r.kind),
                                 escaped(pool.name), slots_text(pool)));
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

std::string quiet_lines(const ExplainedJob& job) {
  std::string out;
  if (job.is_quiet) {
    out += labelled("waits for", fmt::format("{} ({})", kPoolQuietText, kPoolQuiet));
    out += labelled("until", kPoolQuietUntil);
  }
  for (const QuietPool& pool : job.quiet) out += labelled("quiet", text_of(pool));
  return out + (job.is_quiet ? labelled("change", command_of(job.quiet.front())) : "");
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
    if (each.reason == JobReason::schema_behind && job.lane.behind)
      out += labelled("found", fmt::format("{}: {}", full_time_text(job.lane.behind->since, style),
                                           escaped(job.lane.behind->told)));
    if (each.reason == JobReason::schema_behind && job.migrates)
      out += labelled("migrates",
                      fmt::format("job {}, {}", job.migrates->id.text(), name_of(job.migrates->state)));
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

std::string obstacle_lines(const ExplainedJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  std::string out;
  for (const queue::PauseRecord& pause : job.pauses)
    out += labelled("paused", fmt::format("{} {}", name_of(pause.scope), pause_text(pause, style)));
  if (r.reason == JobReason::limit_key)
    for (const std::string& text : holder_texts(job.keys, style)) out += labelled("key", text);
  if (r.reason == JobReason::limit_key && !job.keys.limit.empty())
    out += labelled("change",
                    fmt::format("tenure limit set {} {}", escaped(job.keys.limit), job.keys.running_max + 1));
  for (const queue::LimitStanding& limit : job.limits) {
    for (const std::string& text : limit_texts(limit, style)) out += labelled("limit", text);
    out += labelled("change",
                    fmt::format("tenure limit set {} {}", escaped(limit.limit.name), more_text(limit)));
  }
  if (job.behind) {
    out += labelled("failed", text_of(*job.behind));
    out += labelled("change", change_of_behind(*r.tenant));
  } else if (job.failed_by) {
    out += labelled("failed", text_of_failed(*job.failed_by));
    out += labelled("change", change_of_failed(*r.tenant));
  }
  if (job.released)
    out += labelled("released", full_time_text(job.released->at, style) + ": " + job.released->error);
  return out;
}

std::string place_lines(const ExplainedJob& job, const ShowStyle& style) {
  std::string out;
  for (const std::string& open : open_texts(job)) out += labelled("open", open);
  if (job.ahead) out += labelled("ahead", ahead_text(*job.ahead, style));
  if (job.turn)
    for (const std::string& line : turn_texts(*job.turn, style)) out += labelled("turn", line);
  if (!job.lane.has_dispatcher && job.lane.pools)
    out += labelled("", "Of queues and kinds this is what the last dispatcher has told.");
  return out;
}

std::string wait_lines(const ExplainedJob& job, const ShowStyle& style) {
  std::string out = reason_lines(job, style) + quiet_lines(job);
  if (job.record.start_before)
    out += labelled("expires",
                    full_time_text(job.record.start_before, style) + ", when it is discarded, not started");
  return out + obstacle_lines(job, style) + place_lines(job, style);
}

std::string state_lines(const ExplainedJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  const std::string head = labelled(
      "job", fmt::format("{}, {} of {} in queue {}", name_of(r.state), escaped(r.kind),
                         r.tenant ? "tenant " + escaped(r.tenant->text()) : "no tenant", escaped(r.queue)));
  if (r.state == ShownState::running) return head + run_lines(job, style);
  if (r.finished) return head + end_lines(job, style);
  return head + wait_lines(job, style);
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

void write_quiet_reason(json::Writer& writer, const ExplainedJob& job) {
  writer.begin_object().key("reason").string(kPoolQuiet).key("waits_for").string(kPoolQuietText);
  writer.key("since").string(to_utf8(job.quiet.front().since)).key("until").null();
  writer.key("until_text").string(kPoolQuietUntil);
  write_text(writer, "change", command_of(job.quiet.front()));
  writer.end_object();
}

void write_tenant_facts(json::Writer& writer, const ExplainedJob& job) {
  writer.key("released");
  if (job.released) {
    writer.begin_object();
    write_time(writer, "at", job.released->at);
    write_text(writer, "error", job.released->error);
    writer.end_object();
  } else {
    writer.null();
  }
  writer.key("tenant_failed");
  if (job.behind) writer.string(kFileBehind);
  else if (job.failed_by) writer.string(kMigrationFailed);
  else writer.null();
  writer.key("migration_job");
  if (job.migrates) writer.string(job.migrates->id.text());
  else writer.null();
}

void write_operators_marks(json::Writer& writer, const ExplainedJob& job) {
  writer.key("captures").begin_array();
  for (const queue::CaptureRecord& request : job.captures) write_request(writer, request);
  writer.end_array();
  writer.key("pauses").begin_array();
  for (const queue::PauseRecord& pause : job.pauses) write_pause(writer, pause);
  writer.end_array().key("quiet").begin_array();
  for (const QuietPool& pool : job.quiet) {
    writer.begin_object();
    write_text(writer, "pool", pool.name);
    write_text(writer, "since", pool.since);
    writer.key("uid").integer(pool.uid).end_object();
  }
  writer.end_array();
}

void write_decision(json::Writer& writer, const JobRecord& job) {
  writer.key("decided_by");
  if (job.finished) writer.string(to_utf8(reason_text(job.reason, job)));
  else writer.null();
  writer.key("change");
  if (job.finished) writer.string(to_utf8(change_text(job.reason, job)));
  else writer.null();
}

void write_pools(json::Writer& writer, const ExplainedJob& job) {
  writer.key("open").begin_array();
  if (!job.reasons.empty() || job.is_quiet)
    for (const std::string& open : open_texts(job)) writer.string(to_utf8(open));
  writer.end_array().key("pools").begin_array();
  for (const queue::PoolSlots& pool : job.pools) {
    writer.begin_object();
    write_text(writer, "name", pool.name);
    writer.key("slots").integer(pool.slots).key("taken").integer(pool.taken);
    write_kept(writer, pool);
    writer.end_object();
  }
  writer.end_array();
}

void write_place(json::Writer& writer, const ExplainedJob& job) {
  writer.key("turn");
  if (job.turn) write_turn(writer, *job.turn);
  else writer.null();
  writer.key("ahead");
  if (!job.ahead) {
    writer.null();
    return;
  }
  writer.begin_object().key("jobs").integer(job.ahead->jobs);
  writer.key("tenants").integer(job.ahead->tenants).key("capped").boolean(job.ahead->capped);
  writer.end_object();
}

}  // namespace

std::string explained_text(const ExplainedJob& job, const ShowStyle& style) {
  std::string out = state_lines(job, style);
  for (const queue::CaptureRecord& request : job.captures)
    out += labelled("capture", request_text(request, style));
  return out;
}

std::string explained_json(const ExplainedJob& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.why/1").key("item").begin_object();
  write_job_members(writer, job.record);
  writer.key("has_dispatcher").boolean(job.lane.has_dispatcher).key("reasons").begin_array();
  if (job.is_quiet) write_quiet_reason(writer, job);
  for (const WaitReason& each : job.reasons) write_reason(writer, each, job.record);
  writer.end_array();
  write_decision(writer, job.record);
  write_tenant_facts(writer, job);
  write_operators_marks(writer, job);
  write_keys(writer, job.keys);
  writer.key("limits").begin_array();
  for (const queue::LimitStanding& limit : job.limits) write_standing(writer, limit);
  writer.end_array();
  write_pools(writer, job);
  write_place(writer, job);
  writer.end_object().end_object();
  return out;
}

}  // namespace tenure::cli
