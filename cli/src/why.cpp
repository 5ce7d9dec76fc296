#include "why.hpp"

#include "batch.hpp"
#include "captures.hpp"
#include "filter_text.hpp"
#include "job.hpp"
#include "key_text.hpp"
#include "limit_text.hpp"
#include "nouns.hpp"
#include "pauses.hpp"
#include "quiet_pools.hpp"
#include "reason_words.hpp"
#include "released_tenants.hpp"
#include "tenant_migrations.hpp"
#include "tenant_outbox.hpp"
#include "turn.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/why.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

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
  queue::Lane stands_in;
  std::vector<queue::PoolSlots> pools;  // that perform it, where its lane has no gate
  std::optional<queue::HolderRecord> holder;
  std::optional<queue::WayAhead> ahead;                  // of one that is in its lane
  std::optional<Turn> turn;                              // of one for which nothing but that is left
  std::optional<WallTime> attempted;                     // when its last attempt ended
  std::optional<Release> released;                       // of a job of its tenant, a moment ago
  std::vector<QuietPool> quiet;                          // of the pools that perform it, as the daemon says
  std::optional<BehindFile> behind;                      // its tenant's database
  std::optional<queue::MigrationRecord> failed_by = {};  // its tenant
  std::optional<JobRecord> migrates = {};      // the job that migrates its tenant, which it waits for
  std::vector<queue::CaptureRecord> captures;  // requests that are of this job alone
  std::vector<queue::PauseRecord> pauses;      // of its queue, its kind and its tenant
  queue::JobKeys keys;
  std::vector<queue::LimitStanding> limits;  // that are in its way
  bool is_quiet = false;                     // all of them are, and nothing else holds it
};

std::vector<queue::PauseRecord> pauses_of(queue::JobReader& reader, const JobRecord& record) {
  std::vector<queue::PauseRecord> pauses;
  if (record.finished || record.state == ShownState::running) return pauses;
  const auto all = reader.pauses();
  if (auto pause = pause_of(all, queue::PauseScope::queue, record.queue)) pauses.push_back(*std::move(pause));
  if (auto pause = pause_of(all, queue::PauseScope::kind, record.kind)) pauses.push_back(*std::move(pause));
  if (record.tenant && queue::tenant_gate(record.tenant_state) != JobReason::none)
    if (auto pause = reader.tenant_pause(*record.tenant)) pauses.push_back(*std::move(pause));
  return pauses;
}

std::vector<queue::LimitStanding> limits_in_the_way(queue::JobReader& reader, const JobRecord& record) {
  if (record.finished || record.state == ShownState::running) return {};
  auto limits = reader.limits_of(record);
  std::erase_if(limits, [](const queue::LimitStanding& each) { return each.gate() == JobReason::none; });
  return limits;
}

const queue::PauseRecord* pause_behind(const std::vector<queue::PauseRecord>& pauses, JobReason reason) {
  std::optional<queue::PauseScope> scope;
  if (reason == JobReason::tenant_paused) scope = queue::PauseScope::tenant;
  if (reason == JobReason::queue_paused) scope = queue::PauseScope::queue;
  if (reason == JobReason::kind_paused) scope = queue::PauseScope::kind;
  const auto found = std::ranges::find(pauses, scope, &queue::PauseRecord::scope);
  return found == pauses.end() ? nullptr : &*found;
}

// What other rows than the job's tell of since and until when.
void add_times(ExplainedJob& job) {
  for (WaitReason& each : job.reasons) {
    if (const queue::PauseRecord* const pause = pause_behind(job.pauses, each.reason)) {
      each.since = pause->paused;
      each.until = pause->until;
    }
    if (each.reason == JobReason::schema_behind && job.lane.behind) each.since = job.lane.behind->since;
    if (each.reason == JobReason::tenant_busy && job.released) each.since = job.released->at;
  }
}

// The newest one of its tenant that has not ended.
std::optional<JobRecord> migration_of(queue::JobReader& reader, const JobRecord& record, WallTime now) {
  using queue::FilterField;
  using queue::Glob;
  const queue::Filter filter{{{FilterField::tenant, false, {Glob{record.tenant->text(), true}}},
                              {FilterField::kind, false, {Glob{std::string{queue::kMigrateKind}, true}}}}};
  const auto page = reader.list_jobs(filter, {.limit = 1}, now);
  if (page.jobs.empty() || page.jobs.front().finished) return std::nullopt;
  return page.jobs.front();
}

ExplainedJob explained(queue::JobReader& reader, const JobRecord& record, WallTime now) {
  ExplainedJob job{.record = record,
                   .reasons = {},
                   .lane = reader.lane_facts(record),
                   .stands_in = reader.lane_of(record),
                   .pools = performing_pools(dispatcher_facts(reader), record),
                   .holder = reader.last_holder(),
                   .ahead = {},
                   .turn = {},
                   .attempted = {},
                   .released = {},
                   .quiet = {},
                   .behind = {},
                   .captures = captures_of(reader, record.id, now),
                   .pauses = pauses_of(reader, record),
                   .keys = reader.job_keys(record),
                   .limits = limits_in_the_way(reader, record)};
  const auto attempts = reader.attempts(record.seq);
  if (!attempts.empty()) job.attempted = attempts.back().finished;
  if (record.tenant && record.state == ShownState::ready)
    job.released = recent_release(reader, *record.tenant, now);
  if (record.tenant) job.behind = behind_file(reader, *record.tenant, record.generation);
  if (record.tenant && record.tenant_state == TenantState::failed && !job.behind)
    if (const auto tenant = reader.tenant(*record.tenant))
      job.failed_by = failed_migration(tenant->tenant, tenant->migration);
  job.lane.is_tenant_busy = job.released.has_value();
  job.reasons = queue::wait_reasons(record, job.lane, job.attempted, now);
  add_times(job);
  if (std::ranges::find(job.reasons, JobReason::schema_behind, &WaitReason::reason) != job.reasons.end())
    job.migrates = migration_of(reader, record, now);
  if (record.state == ShownState::ready || record.state == ShownState::held)
    job.ahead = reader.way_ahead(record);
  return job;
}

// What a dispatcher that runs knows and the store does not: of a job that nothing else holds.
void ask_for_quiet(Session& session, ExplainedJob& job) {
  const auto performs = [&](const QuietPool& quiet) {
    return std::ranges::find(job.pools, quiet.name, &queue::PoolSlots::name) != job.pools.end();
  };
  if (job.pools.empty()) return;
  for (QuietPool& pool : ask_for_quiet_pools(session).quiet)
    if (performs(pool)) job.quiet.push_back(std::move(pool));
  job.is_quiet = job.quiet.size() == job.pools.size();
  if (job.is_quiet) job.reasons.clear();  // it has no turn
}

ExplainedJob find_and_explain(Session& session, queue::JobId id) {
  std::optional<ExplainedJob> job;
  session.readable_store().read([&](queue::JobReader& reader) {
    if (const auto record = reader.find_job(id)) job = explained(reader, *record, session.now());
  });
  if (!job) raise(ErrorCode::job_not_found, fmt::format("there is no job {}", id.text()));
  const bool is_its_turn = !job->reasons.empty() && job->reasons.back().reason == JobReason::tenant_turn;
  if (is_its_turn && !session.is_offline()) {
    ask_for_quiet(session, *job);
    if (!job->is_quiet && job->ahead) job->turn = ask_for_turn(session, job->stands_in, job->ahead->jobs);
  }
  return std::move(*job);
}

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

constexpr std::string_view kQuiet = "pool_quiet";
constexpr std::string_view kQuietText = "a pool that claims: all that perform it are quiet";
constexpr std::string_view kQuietUntil = "an operator has one of them claim again";

std::string quiet_lines(const ExplainedJob& job) {
  std::string out;
  if (job.is_quiet) {
    out += labelled("waits for", fmt::format("{} ({})", kQuietText, kQuiet));
    out += labelled("until", kQuietUntil);
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

std::string capture_lines(const ExplainedJob& job, const ShowStyle& style) {
  std::string out;
  for (const queue::CaptureRecord& request : job.captures)
    out += labelled("capture", request_text(request, style));
  return out;
}

std::string state_lines(const ExplainedJob& job, const ShowStyle& style) {
  const JobRecord& r = job.record;
  std::string out = labelled(
      "job", fmt::format("{}, {} of {} in queue {}", name_of(r.state), escaped(r.kind),
                         r.tenant ? "tenant " + escaped(r.tenant->text()) : "no tenant", escaped(r.queue)));
  if (r.state == ShownState::running) return out + run_lines(job, style);
  if (r.finished) return out + end_lines(job, style);
  out += reason_lines(job, style) + quiet_lines(job);
  if (r.start_before)
    out += labelled("expires", full_time_text(r.start_before, style) + ", when it is discarded, not started");
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
  for (const std::string& open : open_texts(job)) out += labelled("open", open);
  if (job.ahead) out += labelled("ahead", ahead_text(*job.ahead, style));
  if (job.turn)
    for (const std::string& line : turn_texts(*job.turn, style)) out += labelled("turn", line);
  if (!job.lane.has_dispatcher && job.lane.pools)
    out += labelled("", "Of queues and kinds this is what the last dispatcher has told.");
  return out;
}

std::string explained_text(const ExplainedJob& job, const ShowStyle& style) {
  return state_lines(job, style) + capture_lines(job, style);
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
  writer.begin_object().key("reason").string(kQuiet).key("waits_for").string(kQuietText);
  writer.key("since").string(to_utf8(job.quiet.front().since)).key("until").null();
  writer.key("until_text").string(kQuietUntil);
  write_text(writer, "change", command_of(job.quiet.front()));
  writer.end_object();
}

void write_beyond_the_row(json::Writer& writer, const ExplainedJob& job) {
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
  write_beyond_the_row(writer, job);
  write_keys(writer, job.keys);
  writer.key("limits").begin_array();
  for (const queue::LimitStanding& limit : job.limits) write_standing(writer, limit);
  writer.end_array();
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
  writer.end_array().key("turn");
  if (job.turn) write_turn(writer, *job.turn);
  else writer.null();
  writer.key("ahead");
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
  std::string filter;     // that finds them
  bool is_quiet = false;  // all pools that perform them are, and nothing else holds them
};

std::string_view word_of(const CountedReason& row) { return row.is_quiet ? kQuiet : name_of(row.reason); }

constexpr std::array kReasonColumns{
    ListColumn<CountedReason>{"reason", "REASON",
                              [](const CountedReason& r, const ShowStyle&) {
                                return r.reason == JobReason::none ? "-" : std::string(word_of(r));
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
  writer.begin_object().key("reason").string(word_of(row));
  writer.key("state").string(name_of(row.state)).key("jobs").integer(row.jobs);
  write_time(writer, "first_due", row.first_due);
  write_time(writer, "last_due", row.last_due);
  write_text(writer, "filter", row.filter);
  writer.end_object();
}

// Jobs show a reason of their own, but for those that nothing holds.
std::string filter_of_reason(std::span<const std::string> words, const CountedReason& row) {
  std::vector<std::string> terms(words.begin(), words.end());
  const auto add = [&](std::string term) {
    if (std::ranges::find(terms, term) == terms.end()) terms.push_back(std::move(term));
  };
  add(fmt::format("state={}", name_of(row.state)));
  const bool is_shown = row.reason != JobReason::no_dispatcher && row.reason != JobReason::tenant_turn &&
                        row.reason != JobReason::tenant_busy && row.reason != JobReason::slots_full &&
                        row.reason != JobReason::slots_reserved;
  if (is_shown && row.reason != JobReason::none) add(fmt::format("reason={}", name_of(row.reason)));
  return shell_text(terms);
}

// By reason, state, and whether their pools are quiet.
using ReasonCounts = std::map<std::tuple<JobReason, ShownState, bool>, CountedReason>;

void count(CountedReason& row, const CountedReason& more) {
  row.state = more.state;
  row.reason = more.reason;
  row.is_quiet = more.is_quiet;
  row.jobs += more.jobs;
  row.first_due = std::min(row.first_due, more.first_due);
  row.last_due = std::max(row.last_due, more.last_due);
}

// Of the jobs that nothing holds, whether their tenants are busy.
class HeldByNothing {
 public:
  void add(const TenantName& tenant, const CountedReason& job) {
    count(rows_[{std::string(tenant.text()), job.state, job.reason}], job);
  }
  void count_into(ReasonCounts& counted, queue::JobReader& reader, WallTime now) {
    std::map<std::string, bool> busy;
    for (auto& [key, row] : rows_) {
      const auto [known, is_new] = busy.try_emplace(std::get<0>(key), false);
      if (is_new && busy.size() <= kTenantsLooks)
        known->second = recent_release(reader, TenantName(std::get<0>(key)), now).has_value();
      if (known->second) row.reason = JobReason::tenant_busy;
      count(counted[{row.reason, row.state, false}], row);
    }
  }

 private:
  static constexpr std::size_t kTenantsLooks = 1'000;
  std::map<std::tuple<std::string, ShownState, JobReason>, CountedReason> rows_;
};

bool are_all_quiet(const std::vector<queue::PoolSlots>& pools, std::span<const QuietPool> quiet) {
  return !pools.empty() && std::ranges::all_of(pools, [&](const queue::PoolSlots& pool) {
    return std::ranges::find(quiet, pool.name, &QuietPool::name) != quiet.end();
  });
}

struct CountedReasons {
  std::vector<CountedReason> rows;
  ListTotal total;
};

std::vector<QuietPool> quiet_pools(Session& session) {
  return session.is_offline() ? std::vector<QuietPool>{} : ask_for_quiet_pools(session).quiet;
}

CountedReasons counted_reasons(Session& session, std::span<const std::string> words, std::int64_t looks,
                               std::span<const QuietPool> quiet, WallTime now) {
  const queue::Filter filter =
      without_succeeded(value_or_raise(queue::parse_filter(words, queue::job_filter_fields(), now)));
  ReasonCounts counted;
  const queue::ListOptions options{.limit = static_cast<std::size_t>(kCountMax) + 1, .looks_max = looks};
  std::int64_t jobs = 0;
  CountedReasons all;
  session.readable_store().read([&](queue::JobReader& reader) {
    const queue::DispatcherFacts dispatcher = dispatcher_facts(reader);
    HeldByNothing turns;
    const bool left_out = reader.visit_jobs(filter, options, now, [&](const JobRecord& job) {
      all.total.capped = ++jobs > kCountMax;
      if (all.total.capped) return false;
      const JobReason reason = queue::deciding_reason(job, dispatcher, now);
      CountedReason one{job.state, reason, 1, job.due, job.due, {}};
      const bool is_held_by_nothing = reason == JobReason::tenant_turn || reason == JobReason::slots_full ||
                                      reason == JobReason::slots_reserved;
      if (is_held_by_nothing && !quiet.empty() &&
          are_all_quiet(queue::performing_pools(dispatcher, job), quiet)) {
        one.reason = JobReason::tenant_turn;
        one.is_quiet = true;
      }
      if (is_held_by_nothing && !one.is_quiet && job.tenant) turns.add(*job.tenant, one);
      else count(counted[{one.reason, job.state, one.is_quiet}], one);
      return true;
    });
    turns.count_into(counted, reader, now);
    if (left_out) all.total.looked_at = options.looks_max;
  });
  for (auto& [key, row] : counted) {
    row.filter = filter_of_reason(words, row);
    all.rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(all.rows, std::ranges::greater{}, &CountedReason::jobs);
  all.total.count = std::ssize(all.rows);
  return all;
}

ExitCode count_reasons(Session& session) {
  const std::vector<QuietPool> quiet = quiet_pools(session);
  const CountedReasons all =
      counted_reasons(session, session.words(), looks_max(session), quiet, session.now());
  const ExitCode code = print_list<CountedReason>(session, "tenure.job.why.list/1", {"reason", "reasons"},
                                                  kReasonColumns, all.rows, all.total, write_counted);
  if (!session.json())
    for (const QuietPool& pool : quiet) session.note(text_of(pool) + ": " + command_of(pool));
  return code;
}

// A word that is no term can only have been meant as an id.
void refuse_what_is_neither(std::span<const std::string> words) {
  for (const std::string& word : words) {
    if (is_filter_term(word)) continue;
    if (Uuid::parse(word))
      raise(ErrorCode::bad_options,
            fmt::format("why takes one job id alone, or a filter; of several jobs say id={},...", word));
    raise(ErrorCode::bad_options,
          fmt::format("'{}' is neither a job id like {} nor a filter term like state=dead", escaped(word, 64),
                      kJobIdExample));
  }
}

}  // namespace

ListWords why_words() {
  return {queue::job_filter_fields(), {}, column_names<CountedReason>(kReasonColumns)};
}

std::string reasons_text(Session& session, std::span<const std::string> words, const TableStyle& style,
                         WallTime now) {
  const CountedReasons all = counted_reasons(session, words, kLooksMaxDefault, quiet_pools(session), now);
  ShowStyle shown = session.style();
  shown.now = now;
  return list_text<CountedReason>(chosen_columns<CountedReason>(kReasonColumns, session), all.rows, shown,
                                  style);
}

ExitCode job_why(Session& session) {
  const auto words = session.words();
  if (words.size() != 1 || !Uuid::parse(words.front())) {
    refuse_what_is_neither(words);
    return count_reasons(session);
  }
  for (const std::string_view option : {"columns", "scan", "fail-if-any"})
    if (session.has(option))
      raise(ErrorCode::bad_options, fmt::format("--{} is for a filter, and not for one job", option));
  if (const auto answered = why_of_batch(session, Uuid::parse(words.front()).value())) return *answered;
  const ExplainedJob job = find_and_explain(session, job_id(words.front()));
  if (session.json()) session.print_json(explained_json(job));
  else session.print(explained_text(job, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
