#include "job_drafts.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>
#include <tenure/queue/filter.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::cli {
namespace {

constexpr std::string_view kDefaultQueue = "default";

bool names_kind(const queue::PoolRecord& pool, const std::string& kind) {
  return std::ranges::binary_search(pool.kinds, kind);
}

std::optional<TenantName> tenant_of_spec(const JobSpec& spec) {
  if (!spec.tenant)
    raise(ErrorCode::bad_options,
          "whose job is it? say --tenant NAME, or --tenant none for a job outside every tenant");
  if (*spec.tenant == "none") return std::nullopt;
  return value_or_raise(TenantName::parse(*spec.tenant));
}

// What is said of a key that is not there is a mistake.
void check_keys(const JobSpec& spec) {
  if (spec.running_max && !spec.concurrency_key)
    raise(ErrorCode::bad_options, "running-max counts the jobs of a concurrency-key, and there is none");
  if (spec.unique_until && !spec.unique_key)
    raise(ErrorCode::bad_options, "unique-until says how long a job has its unique-key, and there is none");
  if (spec.has_global_keys && !spec.concurrency_key && !spec.unique_key)
    raise(ErrorCode::bad_options, "global-keys needs a concurrency-key or a unique-key");
}

void state_keys(const JobSpec& spec, queue::NewJob& job) {
  check_keys(spec);
  if (spec.concurrency_key)
    job.concurrency =
        ConcurrencyKey{*spec.concurrency_key, spec.running_max.value_or(1), spec.has_global_keys};
  if (spec.unique_key)
    job.unique =
        UniqueKey{*spec.unique_key, spec.unique_until.value_or(UniqueUntil::ended), spec.has_global_keys};
}

}  // namespace

UniqueUntil unique_until_named(std::string_view text, std::string_view where) {
  if (text == "ended") return UniqueUntil::ended;
  if (text == "started") return UniqueUntil::started;
  raise(ErrorCode::bad_options,
        fmt::format("{} '{}' is neither ended nor started", where, escaped(text, 64)));
}

OptionTime time_option(const Session& session) {
  if (session.has("run-at") && session.has("run-in"))
    raise(ErrorCode::bad_options, "--run-at and --run-in exclude each other");
  OptionTime time;
  if (session.has("run-at")) {
    const auto at = queue::parse_time(session.option("run-at"), session.now());
    if (!at) raise(ErrorCode::bad_options, "--run-at " + at.error().message);
    time.run_at = *at;
  }
  if (session.has("run-in")) {
    const auto in = config::parse_duration(session.option("run-in"));
    if (!in)
      raise(ErrorCode::bad_options,
            fmt::format("--run-in '{}' {}", escaped(session.option("run-in"), 64), in.error().message));
    time.run_in = *in;
  }
  return time;
}

int priority_option(const Session& session, int otherwise) {
  if (!session.has("priority")) return otherwise;
  return static_cast<int>(value_or_raise(whole_number("priority", session.option("priority"),
                                                      limits::kPriorityHighest, limits::kPriorityLowest)));
}

Uuid job_uuid(std::string_view text, std::string_view where) {
  const auto id = Uuid::parse(text);
  if (!id)
    raise(ErrorCode::bad_options, fmt::format("{} '{}' is no id: those are UUIDs", where, escaped(text, 64)));
  return *id;
}

JobSpec spec_of_options(const Session& session) {
  JobSpec spec;
  if (!session.words().empty()) spec.kind = session.words().front();
  if (session.has("tenant")) spec.tenant = session.option("tenant");
  if (session.has("queue")) spec.queue = session.option("queue");
  spec.priority = priority_option(session, spec.priority);
  if (session.has("max-attempts"))
    spec.attempts_max = static_cast<int>(value_or_raise(
        whole_number("max-attempts", session.option("max-attempts"), 1, limits::kAttemptsMax)));
  if (session.has("id")) spec.id = job_uuid(session.option("id"), "--id");
  if (session.has("concurrency-key")) spec.concurrency_key = session.option("concurrency-key");
  if (session.has("running-max"))
    spec.running_max = static_cast<int>(
        value_or_raise(whole_number("running-max", session.option("running-max"), 1, kRunningMax)));
  if (session.has("unique-key")) spec.unique_key = session.option("unique-key");
  if (session.has("unique-until"))
    spec.unique_until = unique_until_named(session.option("unique-until"), "--unique-until");
  spec.has_global_keys = session.has("global-keys");
  if (session.has("batch")) spec.batch = job_uuid(session.option("batch"), "--batch");
  const OptionTime time = time_option(session);
  spec.run_at = time.run_at;
  spec.run_in = time.run_in;
  if (session.has("start-before")) {
    const auto before = queue::parse_time(session.option("start-before"), session.now());
    if (!before) raise(ErrorCode::bad_options, "--start-before " + before.error().message);
    spec.start_before = *before;
  }
  return spec;
}

JobDrafts::JobDrafts(Session& session) : session_(session) {
  session.readable_store().read([&](queue::JobReader& reader) { pools_ = reader.pools(); });
}

queue::Draft JobDrafts::draft(const JobSpec& spec, FunctionRef<std::string(PayloadContext&)> arguments) {
  value_or_raise(check_name(NameOf::kind, spec.kind));
  if (spec.start_before && spec.run_at && *spec.start_before <= *spec.run_at)
    raise(ErrorCode::bad_options, fmt::format("it would have to start before {}, and is not due before {}",
                                              to_rfc3339(*spec.start_before), to_rfc3339(*spec.run_at)));
  queue::Draft draft{.run_at = spec.run_at, .run_in = spec.run_in, .start_before = spec.start_before};
  draft.job.tenant = tenant_of_spec(spec);
  draft.job.kind = spec.kind;
  draft.job.queue = spec.queue ? *spec.queue : default_queue(spec.kind);
  value_or_raise(check_name(NameOf::queue, draft.job.queue));
  draft.job.priority = queue::Priority{spec.priority};
  draft.job.attempts_max = spec.attempts_max;
  state_keys(spec, draft.job);
  if (spec.batch) draft.job.batch = BatchId{*spec.batch};
  TenantPayloadContext context{session_.settings().application.name, draft.job.tenant};
  draft.job.arguments = arguments(context);
  draft.job.id = {spec.id ? *spec.id : uuids_of_process().next(session_.environment().clock.wall())};
  return draft;
}

bool JobDrafts::is_known(const std::string& kind) {
  const auto [entry, is_new] = known_.try_emplace(kind);
  if (!is_new) return entry->second;
  entry->second = std::ranges::any_of(pools_, [&](const auto& pool) { return names_kind(pool, kind); });
  if (!entry->second)
    session_.note(
        fmt::format("tenure: no worker program has named the kind {} so far: its jobs wait until "
                    "one does",
                    escaped(kind, 128)));
  return entry->second;
}

// A worker program says of all its kinds together to which queues they go.
std::string JobDrafts::default_queue(const std::string& kind) const {
  std::vector<std::string> queues;
  for (const queue::PoolRecord& pool : pools_)
    if (names_kind(pool, kind))
      queues.insert(queues.end(), pool.default_queues.begin(), pool.default_queues.end());
  sort_uniquely(queues);
  if (queues.empty()) return std::string(kDefaultQueue);
  if (queues.size() > 1)
    raise(
        ErrorCode::bad_options,
        fmt::format("to which queue? the worker programs that perform {} have kinds for {}; say --queue NAME",
                    kind, fmt::join(queues, ", ")));
  return queues.front();
}

}  // namespace tenure::cli
