#include "fan_out.hpp"

#include "batch.hpp"
#include "job.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <limits>
#include <vector>

// Looking at fan-outs; what is done to them stands in fan_out_verbs.cpp.
namespace tenure::cli {
namespace {

using queue::BatchMoment;
using queue::FanOutRecord;
using queue::FanOutState;

constexpr std::size_t kFanOutsAtOnce = 500;
constexpr std::size_t kFailedShown = 5;

std::int64_t failed_jobs_of(const FanOutRecord& fan_out) {
  const queue::BatchCounts& counts = fan_out.batch.counts;
  return counts.dead + counts.discarded + counts.cancelled;
}

constexpr std::array<ListColumn<FanOutRecord>, 11> kFanOutColumns{
    ListColumn<FanOutRecord>{
        "id", "FAN-OUT",
        [](const FanOutRecord& fan_out, const ShowStyle&) { return fan_out.batch.id.text(); }, false, true},
    ListColumn<FanOutRecord>{
        "kind", "KIND", [](const FanOutRecord& fan_out, const ShowStyle&) { return escaped(fan_out.kind); }},
    ListColumn<FanOutRecord>{"state", "STATE",
                             [](const FanOutRecord& fan_out, const ShowStyle&) {
                               return std::string{queue::name_of(fan_out.state())};
                             }},
    ListColumn<FanOutRecord>{"tenants", "TENANTS",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return number_text(fan_out.tenants, style);
                             },
                             true},
    ListColumn<FanOutRecord>{"visited", "VISITED",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return number_text(fan_out.visited, style);
                             },
                             true},
    ListColumn<FanOutRecord>{"skipped", "SKIPPED",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return number_text(fan_out.skipped, style);
                             },
                             true},
    ListColumn<FanOutRecord>{"succeeded", "SUCCEEDED",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return number_text(fan_out.batch.counts.succeeded, style);
                             },
                             true},
    ListColumn<FanOutRecord>{"failed", "FAILED",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return number_text(failed_jobs_of(fan_out), style);
                             },
                             true},
    ListColumn<FanOutRecord>{"started", "STARTED",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return time_text(fan_out.batch.created, style);
                             },
                             true},
    ListColumn<FanOutRecord>{"finished", "FINISHED",
                             [](const FanOutRecord& fan_out, const ShowStyle& style) {
                               return time_text(fan_out.batch.completed, style);
                             },
                             true},
    ListColumn<FanOutRecord>{
        "name", "NAME",
        [](const FanOutRecord& fan_out, const ShowStyle&) { return escaped(fan_out.batch.name); }, false,
        false, true, true}};

// Inside an object that the caller opened.
void write_fan_out_members(json::Writer& writer, const FanOutRecord& fan_out) {
  const queue::BatchRecord& batch = fan_out.batch;
  writer.key("id").string(batch.id.text());
  write_text(writer, "name", batch.name);
  write_text(writer, "key", fan_out.key);
  write_text(writer, "kind", fan_out.kind);
  write_text(writer, "queue", fan_out.queue);
  write_text(writer, "state", queue::name_of(fan_out.state()));
  write_text(writer, "over", fan_out.window.count() > 0 ? duration_text(fan_out.window) : "");
  write_text(writer, "rate", fan_out.rate ? text_of(*fan_out.rate) : "");
  write_time(writer, "started", batch.created);
  write_time(writer, "finished", batch.completed);
  write_time(writer, "succeeded_at", batch.succeeded);
  write_time(writer, "cancelled_at", batch.cancelled);
  writer.key("tenants").integer(fan_out.tenants).key("visited").integer(fan_out.visited);
  writer.key("made").integer(fan_out.made).key("skipped").integer(fan_out.skipped);
  const queue::BatchCounts& counts = batch.counts;
  writer.key("unended").integer(counts.unended()).key("succeeded").integer(counts.succeeded);
  writer.key("dead").integer(counts.dead).key("discarded").integer(counts.discarded);
  writer.key("cancelled").integer(counts.cancelled);
  write_text(writer, "problem", fan_out.problem);
}

void write_fan_out(json::Writer& writer, const FanOutRecord& fan_out, WallTime) {
  writer.begin_object();
  write_fan_out_members(writer, fan_out);
  writer.end_object();
}

std::vector<FanOutRecord> matching_fan_outs(Session& session, const queue::Filter& filter) {
  std::vector<FanOutRecord> fan_outs;
  session.readable_store().read([&](queue::JobReader& reader) {
    std::optional<queue::BatchNumber> before;
    for (;;) {
      auto page = reader.fan_outs().fan_outs(before, kFanOutsAtOnce);
      if (page.empty()) return;
      before = page.back().batch.number;
      for (FanOutRecord& fan_out : page)
        if (matches(filter, fan_out, session.now())) fan_outs.push_back(std::move(fan_out));
    }
  });
  return fan_outs;
}

struct WholeFanOut {
  FanOutRecord record;
  std::vector<queue::FanOutJob> failed;  // the first of them
};

std::string fan_out_state_text(const FanOutRecord& fan_out, const ShowStyle& style) {
  std::string text{queue::name_of(fan_out.state())};
  const queue::BatchRecord& batch = fan_out.batch;
  if (batch.completed) text += ", " + full_time_text(batch.completed, style);
  if (batch.succeeded) text += "; every job had succeeded " + full_time_text(batch.succeeded, style);
  if (batch.cancelled) text += "; cancelled " + full_time_text(batch.cancelled, style);
  return text;
}

std::string skips_text(const FanOutRecord& fan_out, const ShowStyle& style) {
  if (fan_out.skipped == 0) return {};
  std::vector<std::string> parts;
  for (const auto& [skip, count] : fan_out.skips)
    parts.push_back(fmt::format("{} {}", number_text(count, style), queue::name_of(skip)));
  return fmt::format("{}: {}", number_text(fan_out.skipped, style), fmt::join(parts, ", "));
}

std::string jobs_of_text(const FanOutRecord& fan_out, const ShowStyle& style) {
  const queue::BatchCounts& counts = fan_out.batch.counts;
  return fmt::format("{}: {} succeeded, {} dead, {} discarded, {} cancelled, {} not ended",
                     number_text(fan_out.made, style), number_text(counts.succeeded, style),
                     number_text(counts.dead, style), number_text(counts.discarded, style),
                     number_text(counts.cancelled, style), number_text(counts.unended(), style));
}

std::string failed_line(const queue::FanOutJob& job) {
  return fmt::format("{} {}, {}", job.ended ? queue::name_of(*job.ended) : "", job.id.text(),
                     job.tenant ? "tenant " + escaped(job.tenant->text()) : "its tenant has gone");
}

std::string text_of_whole_fan_out(const WholeFanOut& whole, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return value.empty() ? std::string{} : fmt::format("{:<11}{}\n", name, value);
  };
  const FanOutRecord& r = whole.record;
  std::string out = line("fan-out", r.batch.id.text());
  out += line("name", escaped(r.batch.name));
  out += line("key", escaped(r.key));
  out += line("kind", fmt::format("{}, queue {}", escaped(r.kind), escaped(r.queue)));
  out += line("state", fan_out_state_text(r, style));
  out += line("started", full_time_text(r.batch.created, style));
  out += line("pace", fan_out_pace_text(r, style));
  out +=
      line("tenants", fmt::format("{}: {} visited, {} to come", number_text(r.tenants, style),
                                  number_text(r.visited, style), number_text(r.tenants - r.visited, style)));
  out += line("jobs", jobs_of_text(r, style));
  out += line("skipped", skips_text(r, style));
  out += line("problem", escaped(r.problem, 500));
  out += line("waits for", fan_out_waits_text(r, style));
  for (const queue::FanOutJob& job : whole.failed) out += line("failed", failed_line(job));
  out += line("complete", callback_text(r.batch, BatchMoment::complete, style));
  return out + line("success", callback_text(r.batch, BatchMoment::success, style));
}

std::string json_of_whole_fan_out(const WholeFanOut& whole, const ShowStyle& style) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.fan_out.show/1").key("item").begin_object();
  write_fan_out_members(writer, whole.record);
  writer.key("skipped_for").begin_object();
  for (const auto& [skip, count] : whole.record.skips) writer.key(queue::name_of(skip)).integer(count);
  writer.end_object();
  write_text(writer, "waits_for", fan_out_waits_text(whole.record, style));
  write_callback(writer, "on_complete", whole.record.batch.on_complete);
  write_callback(writer, "on_success", whole.record.batch.on_success);
  writer.end_object().end_object();
  return out;
}

// --- Its tenants.

struct TenantRow {
  std::string tenant;
  std::optional<queue::JobId> job;
  std::string outcome;
  std::int64_t place = 0;
};

constexpr std::array<ListColumn<TenantRow>, 3> kTenantColumns{
    ListColumn<TenantRow>{"tenant", "TENANT",
                          [](const TenantRow& row, const ShowStyle&) { return escaped(row.tenant); }, false,
                          true},
    ListColumn<TenantRow>{"outcome", "OUTCOME",
                          [](const TenantRow& row, const ShowStyle&) { return row.outcome; }},
    ListColumn<TenantRow>{"job", "JOB", [](const TenantRow& row, const ShowStyle&) {
                            return row.job ? row.job->text() : std::string{};
                          }}};

void write_tenant_row(json::Writer& writer, const TenantRow& row, WallTime) {
  writer.begin_object();
  write_text(writer, "tenant", row.tenant);
  write_text(writer, "outcome", row.outcome);
  writer.key("job");
  if (row.job) writer.string(row.job->text());
  else writer.null();
  writer.end_object();
}

std::vector<TenantRow> skipped_rows(queue::FanOutReader& reader, BatchId id, std::int64_t after,
                                    std::size_t limit) {
  std::vector<TenantRow> rows;
  for (const queue::SkippedTenant& one : reader.skipped(id, TenantNumber{after}, limit))
    rows.push_back({.tenant = one.tenant ? one.tenant->text() : "",
                    .job = {},
                    .outcome = std::string{queue::name_of(one.skip)},
                    .place = one.number.value});
  return rows;
}

std::vector<TenantRow> job_rows(queue::FanOutReader& reader, BatchId id, queue::FanOutJobs which,
                                std::int64_t after, std::size_t limit) {
  std::vector<TenantRow> rows;
  for (const queue::FanOutJob& job : reader.jobs(id, which, queue::JobSeq{after}, limit))
    rows.push_back({.tenant = job.tenant ? job.tenant->text() : "",
                    .job = job.id,
                    .outcome = job.ended ? std::string{queue::name_of(*job.ended)} : "not ended",
                    .place = job.seq.value});
  return rows;
}

// What --which says.
std::vector<TenantRow> tenant_rows_of(const Session& session, queue::FanOutReader& reader, BatchId id,
                                      std::int64_t after, std::size_t limit) {
  const std::string_view which = session.has("which") ? session.option("which") : "failed";
  if (which == "skipped") return skipped_rows(reader, id, after, limit);
  if (which == "all") return job_rows(reader, id, queue::FanOutJobs::all, after, limit);
  if (which == "failed") return job_rows(reader, id, queue::FanOutJobs::failed, after, limit);
  constexpr std::array<std::string_view, 3> kWhich{"failed", "skipped", "all"};
  refuse_word("kind of tenants", which, kWhich);
}

}  // namespace

BatchId fan_out_id(std::string_view word) {
  if (const auto uuid = Uuid::parse(word)) return BatchId{*uuid};
  raise(ErrorCode::bad_options,
        fmt::format("'{}' is no id of a fan-out; one looks like {}", escaped(word, 64), kJobIdExample));
}

queue::FanOutRecord find_fan_out(Session& session, BatchId id) {
  std::optional<FanOutRecord> found;
  session.readable_store().read([&](queue::JobReader& reader) { found = reader.fan_outs().fan_out(id); });
  if (!found) raise(ErrorCode::record_not_found, fmt::format("there is no fan-out {}", id.text()));
  return std::move(*found);
}

std::string fan_out_waits_text(const FanOutRecord& fan_out, const ShowStyle& style) {
  std::vector<std::string> parts;
  if (fan_out.state() == FanOutState::visiting)
    parts.push_back(
        fan_out.visited < fan_out.tenants
            ? fmt::format("{} to be visited", counted(fan_out.tenants - fan_out.visited, "tenant", style))
            : "tenured to come to its end");
  if (fan_out.state() == FanOutState::cancelling)
    parts.emplace_back("tenured to cancel jobs that have not started");
  if (const auto unended = fan_out.batch.counts.unended(); unended > 0)
    parts.push_back(fmt::format("{} to end", counted(unended, "job", style)));
  return fmt::format("{}", fmt::join(parts, ", and "));
}

std::string fan_out_pace_text(const FanOutRecord& fan_out, const ShowStyle& style) {
  std::vector<std::string> parts;
  if (fan_out.window.count() > 0) parts.push_back("over " + duration_text(fan_out.window));
  if (fan_out.rate) parts.push_back("at most " + text_of(*fan_out.rate) + " start");
  const bool comes = fan_out.state() == FanOutState::visiting && fan_out.visited < fan_out.tenants;
  if (comes && fan_out.window.count() > 0)
    parts.push_back("the next tenant " +
                    full_time_text(queue::next_visit_of({.number = fan_out.batch.number,
                                                         .id = fan_out.batch.id,
                                                         .started = fan_out.batch.created,
                                                         .window = fan_out.window,
                                                         .tenants = fan_out.tenants,
                                                         .visited = fan_out.visited}),
                                   style));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string fan_out_text(const FanOutRecord& fan_out, const ShowStyle& style) {
  return fmt::format("{}{}{}, {}: {} of {} visited", fan_out.batch.id.text(),
                     fan_out.batch.name.empty() ? "" : ", ", escaped(fan_out.batch.name),
                     queue::name_of(fan_out.state()), number_text(fan_out.visited, style),
                     counted(fan_out.tenants, "tenant", style));
}

ListWords fan_out_words() {
  return {queue::fan_out_filter_fields(),
          {},
          column_names(std::span<const ListColumn<FanOutRecord>>{kFanOutColumns})};
}

ExitCode fan_out_list(Session& session) {
  const queue::Filter filter = session.filter(queue::fan_out_filter_fields());
  std::vector<FanOutRecord> fan_outs = matching_fan_outs(session, filter);
  const ListTotal total = take_page(session, session.limit(), "fan-out", fan_outs,
                                    [](const FanOutRecord& fan_out) { return fan_out.batch.id.text(); });
  return print_list<FanOutRecord>(session, "tenure.fan_out.list/1", {"fan-out", "fan-outs"}, kFanOutColumns,
                                  fan_outs, total, &write_fan_out);
}

ExitCode fan_out_show(Session& session) {
  WholeFanOut whole{find_fan_out(session, fan_out_id(session.words().front())), {}};
  session.readable_store().read([&](queue::JobReader& reader) {
    whole.failed = reader.fan_outs().jobs(whole.record.batch.id, queue::FanOutJobs::failed, queue::JobSeq{0},
                                          kFailedShown);
  });
  if (session.json()) session.print_json(json_of_whole_fan_out(whole, session.style()));
  else session.print(text_of_whole_fan_out(whole, session.style()));
  return ExitCode::done;
}

ExitCode fan_out_tenants(Session& session) {
  const FanOutRecord fan_out = find_fan_out(session, fan_out_id(session.words().front()));
  std::int64_t after = 0;
  if (session.has("after")) {
    const auto cursor =
        whole_number("after", session.option("after"), 0, std::numeric_limits<std::int64_t>::max());
    if (!cursor) refuse_cursor("tenant");
    after = *cursor;
  }
  const std::size_t limit = session.limit();
  std::vector<TenantRow> rows;
  session.readable_store().read([&](queue::JobReader& reader) {
    rows = tenant_rows_of(session, reader.fan_outs(), fan_out.batch.id, after, limit + 1);
  });
  ListTotal total{std::ssize(rows)};
  if (rows.size() > limit) {
    rows.pop_back();
    total = {std::ssize(rows), true, std::to_string(rows.back().place)};
  }
  return print_list<TenantRow>(session, "tenure.fan_out.tenants/1", {"tenant", "tenants"}, kTenantColumns,
                               rows, total, &write_tenant_row);
}

}  // namespace tenure::cli
