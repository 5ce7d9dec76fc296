#include "view_json.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tenure::daemon::control {
namespace {

std::string_view word_of(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return "starting";
    case Phase::ready:
      return "ready";
    case Phase::leaving:
      break;
  }
  return "leaving";
}

// Of the wall clock as it is now, which may have jumped since. To the millisecond: both clocks are read one after the other.
std::string wall_text(Instant moment, const Now& now) {
  return to_rfc3339(std::chrono::floor<std::chrono::milliseconds>(now.wall - (now.steady - moment)));
}

std::int64_t milliseconds_since(Instant moment, const Now& now) {
  return std::chrono::floor<std::chrono::milliseconds>(now.steady - moment).count();
}

void write_quiet(json::Writer& writer, const std::optional<Quiet>& quiet) {
  writer.key("quiet");
  if (!quiet) {
    writer.null();
    return;
  }
  writer.begin_object().key("since").string(to_rfc3339(quiet->since)).key("uid").integer(quiet->uid);
  writer.end_object();
}

void write_pool(json::Writer& writer, const PoolStatus& pool) {
  writer.begin_object().key("name").string(to_utf8(pool.name));
  write_quiet(writer, pool.quiet);
  writer.end_object();
}

std::int64_t performing(const ProcessStatus& process) {
  return std::ranges::count_if(process.jobs, [](const HeldJob& job) { return job.since.has_value(); });
}

// Without the braces around it.
void write_worker(json::Writer& writer, const DaemonView& daemon, const WorkerView& worker) {
  const ProcessStatus& status = worker.status;
  const PoolStatus& pool = daemon.pools.at(status.pool);
  writer.key("process").integer(status.number.value).key("pool").string(to_utf8(pool.name));
  writer.key("pid").integer(worker.pid).key("state").string(word_of(status.phase));
  writer.key("quiet").boolean(pool.quiet.has_value()).key("replaced").boolean(status.is_replaced);
  writer.key("slots").integer(status.slots).key("performing").integer(performing(status));
  writer.key("ahead").integer(std::ssize(status.jobs) - performing(status));
  writer.key("performed").integer(status.performed).key("memory_bytes").integer(status.memory);
  writer.key("started").string(wall_text(status.started, daemon.now));
  writer.key("up_ms").integer(milliseconds_since(status.started, daemon.now));
  writer.key("program_version").string(to_utf8(worker.program_version));
}

void write_job(json::Writer& writer, const HeldJob& job, const Now& now) {
  writer.begin_object().key("id").string(job.id.text()).key("tenant");
  if (job.tenant.empty()) writer.null();
  else writer.string(to_utf8(job.tenant));
  writer.key("kind").string(to_utf8(job.kind)).key("state").string(job.since ? "performing" : "ahead");
  writer.key("since");
  if (job.since) writer.string(wall_text(*job.since, now));
  else writer.null();
  writer.key("running_ms");
  if (job.since) writer.integer(milliseconds_since(*job.since, now));
  else writer.null();
  writer.end_object();
}

void write_texts(json::Writer& writer, std::string_view key, const std::vector<std::string>& texts) {
  writer.key(key).begin_array();
  for (const std::string& text : texts) writer.string(to_utf8(text));
  writer.end_array();
}

void write_daemon(json::Writer& writer, const DaemonView& daemon) {
  writer.key("daemon").begin_object().key("pid").integer(daemon.pid).key("node").string(to_utf8(daemon.node));
  writer.key("standing_by").boolean(!daemon.holder.empty()).key("holder");
  if (daemon.holder.empty()) writer.null();
  else writer.string(to_utf8(daemon.holder));
  write_quiet(writer, daemon.status.quiet);
  write_texts(writer, "waiting", daemon.waiting);
  writer.end_object();
}

std::int64_t milliseconds(std::chrono::microseconds length) {
  return std::chrono::round<std::chrono::milliseconds>(length).count();
}

void write_milliseconds(json::Writer& writer, std::string_view key,
                        const std::optional<std::chrono::microseconds>& length) {
  writer.key(key);
  if (length) writer.integer(milliseconds(*length));
  else writer.null();
}

// To a tenth.
void write_rate(json::Writer& writer, std::string_view key, std::int64_t count,
                std::chrono::microseconds over) {
  constexpr double kTenth = 10;
  const double seconds = std::chrono::duration<double>(over).count();
  const double rate = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  writer.key(key).number(std::round(rate * kTenth) / kTenth);
}

void write_rates(json::Writer& writer, const Activity::View& activity) {
  writer.key("rates").begin_object().key("over_ms").integer(milliseconds(activity.rates_over));
  write_rate(writer, "in_per_second", activity.arrived, activity.rates_over);
  write_rate(writer, "out_per_second", activity.ended, activity.rates_over);
  write_rate(writer, "failed_per_second", activity.failed, activity.rates_over);
  writer.end_object().key("start_delay").begin_object().key("starts").unsigned_integer(activity.starts);
  write_milliseconds(writer, "p50_ms", activity.delay_p50);
  write_milliseconds(writer, "p99_ms", activity.delay_p99);
  writer.end_object();
}

// The best priority first.
void write_reserved(json::Writer& writer, const PoolStatus& pool) {
  writer.key("reserved").begin_array();
  for (const queue::ReservedSlots& reserved : pool.reserved)
    writer.begin_object()
        .key("priority")
        .integer(reserved.priority.value)
        .key("slots")
        .integer(reserved.slots)
        .end_object();
  writer.end_array();
}

void write_pool_slots(json::Writer& writer, const DaemonView& daemon, std::size_t pool) {
  std::int64_t processes = 0, slots = 0, busy = 0, ahead = 0;
  for (const WorkerView& worker : daemon.workers) {
    const ProcessStatus& status = worker.status;
    if (status.pool != pool || status.phase == Phase::starting) continue;
    ++processes;
    slots += status.slots;
    busy += performing(status);
    ahead += std::ssize(status.jobs) - performing(status);
  }
  writer.begin_object().key("name").string(to_utf8(daemon.pools[pool].name));
  write_quiet(writer, daemon.pools[pool].quiet);
  writer.key("processes").integer(processes).key("slots").integer(slots);
  write_reserved(writer, daemon.pools[pool]);
  writer.key("busy").integer(busy).key("ahead").integer(ahead).end_object();
}

void write_numbers(json::Writer& writer, const std::vector<ProcessNumber>& processes) {
  writer.key("processes").begin_array();
  for (const ProcessNumber process : processes) writer.integer(process.value);
  writer.end_array();
}

}  // namespace

std::string worker_list_json(const DaemonView& daemon) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.worker.list/1").key("items").begin_array();
  for (const WorkerView& worker : daemon.workers) {
    writer.begin_object();
    write_worker(writer, daemon, worker);
    writer.end_object();
  }
  writer.end_array().key("next").null().key("count").integer(std::ssize(daemon.workers));
  writer.key("capped").boolean(false).key("pools").begin_array();
  for (const PoolStatus& pool : daemon.pools) write_pool(writer, pool);
  writer.end_array();
  write_daemon(writer, daemon);
  writer.end_object();
  return out;
}

std::string worker_show_json(const DaemonView& daemon, const WorkerView& worker) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.worker.show/1").key("item").begin_object();
  write_worker(writer, daemon, worker);
  writer.key("jobs").begin_array();
  for (const HeldJob& job : worker.status.jobs) write_job(writer, job, daemon.now);
  writer.end_array().end_object().end_object();
  return out;
}

std::string activity_json(const DaemonView& daemon, const Activity::View& activity) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.activity/1");
  write_daemon(writer, daemon);
  writer.key("version").string(TENURE_VERSION).key("up_ms").integer(milliseconds(activity.up));
  write_rates(writer, activity);
  writer.key("pools").begin_array();
  for (std::size_t pool = 0; pool < daemon.pools.size(); ++pool) write_pool_slots(writer, daemon, pool);
  writer.end_array().key("tenants").begin_array();
  for (const TopTenants::Chosen& tenant : activity.tenants)
    writer.begin_object()
        .key("name")
        .string(tenant.name.text())
        .key("share")
        .number(tenant.ratio)
        .end_object();
  writer.end_array().key("kinds").begin_array();
  for (const Activity::Kind& kind : activity.kinds) {
    writer.begin_object().key("name").string(to_utf8(kind.name)).key("running").integer(kind.running);
    writer.key("runs").unsigned_integer(kind.runs);
    write_milliseconds(writer, "p99_ms", kind.p99);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string turn_json(const std::vector<PoolStatus>& pools, const std::vector<PoolTurn>& turns) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.turn/1").key("pools").begin_array();
  for (const PoolTurn& turn : turns) {
    writer.begin_object().key("name").string(to_utf8(pools.at(turn.pool).name));
    writer.key("slots").integer(turn.slots).key("busy").integer(turn.busy);
    writer.key("tenants_before").integer(turn.tenants_before).key("capped").boolean(turn.is_capped);
    write_milliseconds(writer, "expected_ms", turn.expected);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string pools_json(std::string_view schema, const std::vector<PoolStatus>& pools,
                       std::optional<std::size_t> asked) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(schema).key("pools").begin_array();
  for (std::size_t pool = 0; pool < pools.size(); ++pool)
    if (!asked || *asked == pool) write_pool(writer, pools[pool]);
  writer.end_array().end_object();
  return out;
}

std::string processes_json(std::string_view schema, const std::vector<ProcessNumber>& processes) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(schema);
  write_numbers(writer, processes);
  writer.end_object();
  return out;
}

std::string reload_json(const Reloaded& reloaded) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.config.reload/1");
  write_texts(writer, "taken_over", reloaded.taken_over);
  write_texts(writer, "waiting", reloaded.waiting);
  writer.key("replaced").begin_array();
  for (const Replaced& replaced : reloaded.replaced) {
    writer.begin_object().key("pool").string(to_utf8(replaced.pool));
    writer.key("processes").integer(replaced.processes);
    writer.key("new_program").boolean(replaced.is_new_program).end_object();
  }
  writer.end_array().end_object();
  return out;
}

namespace {

std::string_view name_of(journal::Dump::State state) {
  switch (state) {
    case journal::Dump::State::none:
      return "none";
    case journal::Dump::State::writing:
      return "writing";
    case journal::Dump::State::written:
      return "written";
    case journal::Dump::State::failed:
      return "failed";
  }
  return "none";
}

void put_dump(json::Writer& writer, const journal::Dump& dump) {
  writer.key("state").string(name_of(dump.state)).key("file").string(dump.file.string());
  writer.key("bytes").integer(static_cast<std::int64_t>(dump.bytes)).key("error").string(dump.error);
}

}  // namespace

std::string journal_json(const JournalView& journal) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.journal/1");
  writer.key("size_bytes").integer(static_cast<std::int64_t>(journal.size)).key("dump").begin_object();
  put_dump(writer, journal.dump);
  writer.end_object().end_object();
  return out;
}

std::string journal_dump_json(const journal::Dump& dump) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.journal.dump/1");
  put_dump(writer, dump);
  writer.end_object();
  return out;
}

}  // namespace tenure::daemon::control
