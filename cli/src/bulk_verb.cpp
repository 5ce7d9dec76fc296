#include "bulk_verb.hpp"

#include "filter_text.hpp"
#include "job.hpp"
#include "progress.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace tenure::cli {
namespace {

using queue::JobRecord;

constexpr std::size_t kBatch = 500;
constexpr std::size_t kSample = 5;
constexpr std::size_t kFailuresShown = 20;

struct FailedJob {
  queue::JobId id;
  Failure failure;
};

struct MadeJob {
  queue::JobId of;
  queue::JobId id;
};

struct BulkResult {
  std::int64_t acted_on = 0;
  std::int64_t asked = 0;             // to stop, since they run
  std::int64_t skipped = 0;           // their state had changed
  std::vector<JobRecord> left_alone;  // named, and in a state that is not for this verb
  std::set<std::string> tenants;
  std::vector<FailedJob> failed;
  std::vector<MadeJob> made;
  [[nodiscard]] std::int64_t done() const { return acted_on + asked + skipped + std::ssize(failed); }
};

Result<std::optional<queue::JobId>> nothing_made(Result<void> acted) {
  if (!acted) return tl::unexpected(std::move(acted.error()));
  return std::nullopt;
}

constexpr auto kNothingFirst = [] {};

// What is done to each of them.
struct BulkTask {
  const BulkVerb& verb;
  BulkAct act;
  std::string_view detail;  // of the audit record
  std::string filter;       // that has found them; empty: they were named
  FunctionRef<void()> begin = kNothingFirst;
};

// Those that were acted on are named, or the filter is.
std::string audit_subject(const BulkTask& task, std::span<const std::string> acted_on) {
  std::string subject = task.filter.empty() ? fmt::format("{}", fmt::join(acted_on, " ")) : task.filter;
  if (!task.detail.empty()) subject += fmt::format(": {}", task.detail);
  return subject;
}

// At this moment; what was read of the job before may not be true any more.
void act_on_one(queue::StoreWriter& writer, const BulkTask& task, const JobRecord& job, WallTime now,
                BulkResult& result, std::vector<MadeJob>& made) {
  auto acted = task.act(writer, job.id, now);
  std::int64_t* done = &result.acted_on;
  if (!acted && acted.error().code == ErrorCode::state_changed && task.verb.ask_running != nullptr) {
    acted = nothing_made(task.verb.ask_running(writer, job.id, now));
    done = &result.asked;
  }
  if (acted) {
    ++*done;
    if (*acted) made.push_back({job.id, **acted});
    if (job.tenant) result.tenants.insert(job.tenant->text());
  } else if (acted.error().code == ErrorCode::state_changed ||
             acted.error().code == ErrorCode::job_not_found) {
    ++result.skipped;
  } else {
    result.failed.push_back({job.id, acted.error()});
  }
}

// One commit for all of them: each is acted on, skipped or named.
void act_on_batch(Session& session, const BulkTask& task, std::span<const JobRecord> jobs,
                  BulkResult& result) {
  std::vector<MadeJob> made = std::move(result.made);  // may be many, and stay where they are
  const std::size_t made_before = made.size();
  BulkResult after;
  session.change([&](queue::StoreWriter& writer) {
    after = result;
    made.resize(made_before);
    std::vector<std::string> acted_on;
    for (const JobRecord& job : jobs) {
      const std::int64_t before = after.acted_on + after.asked;
      act_on_one(writer, task, job, session.now(), after, made);
      if (after.acted_on + after.asked > before) acted_on.push_back(job.id.text());
    }
    return Changed{std::ssize(acted_on), audit_subject(task, acted_on)};
  });
  result = std::move(after);
  result.made = std::move(made);
  session.wake();
}

bool is_for(const BulkVerb& verb, const JobRecord& job) {
  return std::ranges::find(verb.states, job.state) != verb.states.end() &&
         (verb.reasons.empty() || std::ranges::find(verb.reasons, job.reason) != verb.reasons.end());
}

// Only states that the verb acts on, so that what is counted is what will be done.
queue::Filter narrowed(queue::Filter filter, const BulkVerb& verb) {
  const auto add = [&](queue::FilterField field) -> std::vector<queue::FilterValue>& {
    filter.terms.push_back({.field = field, .negated = false, .values = {}});
    return filter.terms.back().values;
  };
  auto& states = add(queue::FilterField::state);
  for (const queue::ShownState state : verb.states)
    states.emplace_back(queue::Glob{std::string(name_of(state)), true});
  if (verb.reasons.empty()) return filter;
  auto& reasons = add(queue::FilterField::reason);
  for (const queue::JobReason reason : verb.reasons)
    reasons.emplace_back(queue::Glob{std::string(name_of(reason)), true});
  return filter;
}

// Jobs that come to match after the count are not what was agreed to: no more than `total` are touched.
void act_on_all(Session& session, const BulkTask& task, const queue::Filter& filter, std::int64_t total,
                BulkResult& result) {
  Progress progress(session, number_text);
  queue::ListOptions options{.limit = kBatch, .order = queue::ListOrder::oldest_first};
  for (std::int64_t left = total; left > 0;) {
    options.limit = static_cast<std::size_t>(std::min<std::int64_t>(left, kBatch));
    std::vector<JobRecord> jobs;
    session.readable_store().read(
        [&](queue::JobReader& reader) { jobs = reader.list_jobs(filter, options, session.now()).jobs; });
    if (jobs.empty()) break;
    act_on_batch(session, task, jobs, result);
    options.after = jobs.back().seq;
    left -= std::ssize(jobs);
    progress.show(result.done(), total);
  }
}

void write_made(json::Writer& writer, std::string_view key, std::span<const MadeJob> made) {
  writer.key(key).begin_array();
  for (const MadeJob& job : made)
    writer.begin_object().key("of").string(job.of.text()).key("id").string(job.id.text()).end_object();
  writer.end_array();
}

std::string json_of(const BulkVerb& verb, const BulkResult& result, std::int64_t matched, bool dry_run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .key("schema")
      .string(fmt::format("tenure.{}.{}/1", verb.noun, verb.name))
      .key("dry_run")
      .boolean(dry_run);
  writer.key("matched")
      .integer(matched)
      .key(verb.json_key)
      .integer(result.acted_on)
      .key("skipped")
      .integer(result.skipped);
  if (verb.ask_running != nullptr) writer.key("asked_to_stop").integer(result.asked);
  writer.key("tenants").integer(std::ssize(result.tenants)).key("failed").begin_array();
  for (const FailedJob& failed : result.failed) {
    writer.begin_object().key("id").string(failed.id.text()).key("code").string(name_of(failed.failure.code));
    write_text(writer, "message", failed.failure.message);
    writer.end_object();
  }
  writer.end_array().key("left_alone").begin_array();
  for (const JobRecord& job : result.left_alone)
    writer.begin_object()
        .key("id")
        .string(job.id.text())
        .key("state")
        .string(name_of(job.state))
        .end_object();
  writer.end_array();
  if (!verb.made_key.empty()) write_made(writer, verb.made_key, result.made);
  writer.end_object();
  return out;
}

// "is scheduled, retry in 41 s", and why that is left alone.
void note_left_alone(Session& session, const BulkVerb& verb, const BulkResult& result) {
  for (std::size_t i = 0; i < std::min(result.left_alone.size(), kFailuresShown); ++i) {
    const JobRecord& job = result.left_alone[i];
    const std::string waits = waits_for(job, session.style());
    session.note(fmt::format("{} is {}{}; only {} are {}", job.id.text(), name_of(job.state),
                             waits.empty() ? "" : ", " + waits, verb.whom, verb.done));
  }
}

ExitCode report(Session& session, const BulkVerb& verb, const BulkResult& result, std::int64_t matched) {
  const ShowStyle& style = session.style();
  if (session.json()) {
    session.print_json(json_of(verb, result, matched, false));
  } else {
    for (const MadeJob& made : result.made)
      session.print(fmt::format("{}  {}\n", made.of.text(), made.id.text()));
    std::string text = fmt::format("{} {}", verb.done, counted(result.acted_on, "job", style));
    const std::string of_tenants =
        result.tenants.empty() ? "" : " of " + counted(std::ssize(result.tenants), "tenant", style);
    if (result.acted_on > 0 || result.asked == 0) text += of_tenants;
    if (result.asked > 0)
      text += fmt::format("; asked {}{} to stop", counted(result.asked, "running job", style),
                          result.acted_on > 0 ? "" : of_tenants);
    if (result.skipped > 0)
      text += fmt::format("; {} skipped (state changed)", number_text(result.skipped, style));
    if (!result.left_alone.empty())
      text += fmt::format("; {} left alone", number_text(std::ssize(result.left_alone), style));
    if (!result.failed.empty())
      text += fmt::format("; {} failed", number_text(std::ssize(result.failed), style));
    session.print(text + '\n');
    note_left_alone(session, verb, result);
    for (std::size_t i = 0; i < std::min(result.failed.size(), kFailuresShown); ++i)
      session.note(
          fmt::format("{}: {}", result.failed[i].id.text(), escaped(result.failed[i].failure.text())));
  }
  return result.failed.empty() ? ExitCode::done : ExitCode::refused;
}

// What was committed before an error is said all the same.
template <class Act>
BulkResult acted_by(Session& session, const BulkVerb& verb, std::int64_t matched, BulkResult result,
                    const Act& act) {
  try {
    act(result);
  } catch (const Error&) {
    if (result.done() > 0) (void)report(session, verb, result, matched);
    throw;
  }
  return result;
}

std::string sample_line(const JobRecord& job) {
  return fmt::format("  {}  {}  {}  {}", job.id.text(), name_of(job.state),
                     job.tenant ? escaped(job.tenant->text()) : "none", escaped(job.kind));
}

// Jobs that are named must be there.
std::vector<JobRecord> find_named(Session& session, const BulkVerb& verb) {
  std::vector<JobRecord> jobs;
  for (const std::string& word : session.words()) {
    const queue::JobId id = job_id(session, word);
    std::optional<JobRecord> job;
    session.readable_store().read([&](queue::JobReader& reader) { job = reader.find_job(id); });
    if (!job)
      raise(ErrorCode::job_not_found,
            fmt::format("there is no job {}; nothing was {}", id.text(), verb.done));
    jobs.push_back(std::move(*job));
  }
  return jobs;
}

ExitCode preview_named(Session& session, const BulkVerb& verb, std::span<const JobRecord> jobs,
                       const BulkResult& left_alone) {
  for (const JobRecord& job : jobs)
    session.note(fmt::format("would {} {} ({}, {})", verb.to_do, job.id.text(), escaped(job.kind),
                             name_of(job.state)));
  note_left_alone(session, verb, left_alone);
  if (session.json()) session.print_json(json_of(verb, left_alone, std::ssize(jobs), true));
  return ExitCode::done;
}

// Nothing: go on. `count` jobs have been shown.
std::optional<ExitCode> refused_by_answer(Session& session, const BulkVerb& verb, std::int64_t count) {
  const auto answer = session.ask(verb.question);
  if (!answer)
    raise(ErrorCode::bad_options,
          fmt::format("{} match{}: say --yes to {} {}, since nobody can be asked here",
                      counted(count, "job", session.style()), count == 1 ? "es" : "", verb.name,
                      count == 1 ? "it" : "them"));
  if (*answer) return std::nullopt;
  session.note(fmt::format("nothing was {}", verb.done));
  return ExitCode::refused;
}

ExitCode act_on_named(Session& session, const BulkTask& task) {
  const BulkVerb& verb = task.verb;
  std::vector<JobRecord> jobs = find_named(session, verb);
  BulkResult left_alone;
  const auto others = std::stable_partition(jobs.begin(), jobs.end(),
                                            [&](const JobRecord& job) { return is_for(verb, job); });
  left_alone.left_alone.assign(others, jobs.end());
  jobs.erase(others, jobs.end());
  if (session.has("dry-run")) return preview_named(session, verb, jobs, left_alone);
  if (verb.cannot_be_undone && !jobs.empty() && !session.has("yes")) {
    for (const JobRecord& job : jobs) session.note(sample_line(job));
    if (const auto refused = refused_by_answer(session, verb, std::ssize(jobs))) return *refused;
  }
  const BulkResult result =
      acted_by(session, verb, std::ssize(jobs), std::move(left_alone), [&](BulkResult& so_far) {
        for (std::size_t at = 0; at < jobs.size(); at += kBatch)
          act_on_batch(session, task, std::span(jobs).subspan(at, std::min(kBatch, jobs.size() - at)),
                       so_far);
      });
  const ExitCode code = report(session, verb, result, std::ssize(jobs));
  return result.skipped > 0 || !result.left_alone.empty() ? ExitCode::refused : code;
}

struct Matched {
  std::int64_t count = 0;
  std::vector<JobRecord> sample;
};

Matched match(Session& session, const queue::Filter& filter) {
  Matched matched;
  session.readable_store().read([&](queue::JobReader& reader) {
    matched.count =
        reader.count_jobs(filter, {.limit = static_cast<std::size_t>(kCountMax)}, session.now()).count;
    matched.sample =
        reader.list_jobs(filter, {.limit = kSample, .order = queue::ListOrder::oldest_first}, session.now())
            .jobs;
  });
  return matched;
}

void show_sample(Session& session, const BulkVerb& verb, const Matched& matched) {
  session.note(fmt::format("{} to {}, the oldest of them:", counted(matched.count, "job", session.style()),
                           verb.to_do));
  for (const JobRecord& job : matched.sample) session.note(sample_line(job));
}

ExitCode preview(Session& session, const BulkVerb& verb, const Matched& matched) {
  show_sample(session, verb, matched);
  if (session.json()) session.print_json(json_of(verb, {}, matched.count, true));
  else
    session.print(fmt::format("would {} {}\n", verb.to_do, counted(matched.count, "job", session.style())));
  return ExitCode::done;
}

ExitCode act_on_matching(Session& session, const BulkTask& task, const queue::Filter& asked_for) {
  const BulkVerb& verb = task.verb;
  const queue::Filter filter = narrowed(asked_for, verb);
  const Matched matched = match(session, filter);
  if (matched.count == 0) {
    if (!session.has("dry-run")) task.begin();
    session.note(fmt::format("no job that could be {} matches", verb.done));
    if (session.json()) session.print_json(json_of(verb, {}, 0, session.has("dry-run")));
    return ExitCode::done;
  }
  if (session.has("dry-run")) return preview(session, verb, matched);
  if (!session.has("yes")) {
    show_sample(session, verb, matched);
    if (const auto refused = refused_by_answer(session, verb, matched.count)) return *refused;
  }
  task.begin();
  const BulkResult result = acted_by(session, verb, matched.count, {}, [&](BulkResult& so_far) {
    act_on_all(session, task, filter, matched.count, so_far);
  });
  return report(session, verb, result, matched.count);
}

auto own_act(const BulkVerb& verb) {
  return [&verb](queue::StoreWriter& writer, queue::JobId id, WallTime now) {
    return nothing_made(verb.act(writer, id, now));
  };
}

}  // namespace

ExitCode run_bulk_verb(Session& session, const BulkVerb& verb, BulkAct act, std::string_view detail) {
  const auto words = session.words();
  if (std::ranges::none_of(words, is_filter_term)) return act_on_named(session, {verb, act, detail, {}});
  return act_on_matching(session, {verb, act, detail, fmt::format("{}", fmt::join(words, " "))},
                         session.filter(queue::job_filter_fields()));
}

ExitCode run_bulk_verb(Session& session, const BulkVerb& verb) {
  return run_bulk_verb(session, verb, own_act(verb), {});
}

ExitCode run_bulk_verb(Session& session, const BulkVerb& verb, const std::string& term) {
  return run_bulk_verb(session, verb, term, kNothingFirst);
}

ExitCode run_bulk_verb(Session& session, const BulkVerb& verb, const std::string& term,
                       FunctionRef<void()> begin) {
  const auto filter =
      value_or_raise(queue::parse_filter(std::span(&term, 1), queue::job_filter_fields(), session.now()));
  return act_on_matching(session, {verb, own_act(verb), {}, shell_text(std::vector{term}), begin}, filter);
}

}  // namespace tenure::cli
