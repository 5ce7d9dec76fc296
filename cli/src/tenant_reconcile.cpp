#include "filter_text.hpp"
#include "job.hpp"
#include "nouns.hpp"
#include "progress.hpp"
#include "restorable_copy.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>

// What a copy that was put in the place of a tenant's database does not hold: jobs that wait, and those that have ended since it was made.
namespace tenure::cli {
namespace {

using queue::FilterField;
using queue::Glob;
using queue::JobRecord;
using queue::Range;
using queue::ShownState;

constexpr std::size_t kBatch = 500;
constexpr std::size_t kFailuresNamed = 20;

struct Reconciliation {
  TenantRecord newest;
  std::optional<queue::TenantRestore> restore;  // nothing: its database is no copy that was put back
  bool was_ever_restored = false;
  queue::Filter waiting, ended, stopped;
  queue::JobPage waiting_page, ended_page, stopped_page;
  std::int64_t waiting_count = 0, ended_count = 0, stopped_count = 0;
};

queue::FilterTerm words(FilterField field, std::initializer_list<std::string_view> wanted) {
  queue::FilterTerm term{field, false, {}};
  for (const std::string_view word : wanted) term.values.emplace_back(Glob{std::string(word), true});
  return term;
}

// Of the filter that the operator has given those of older generations.
queue::Filter older_jobs(const queue::Filter& given, const TenantName& name, std::int64_t generation_max) {
  queue::Filter filter = given;
  filter.terms.push_back(words(FilterField::tenant, {name.text()}));
  filter.terms.push_back({FilterField::generation, false, {Range{std::nullopt, generation_max}}});
  return filter;
}

queue::Filter waiting_jobs(const queue::Filter& given, const TenantRecord& newest) {
  queue::Filter filter = older_jobs(given, newest.name, newest.generation.value - 1);
  filter.terms.push_back(words(FilterField::state, {name_of(ShownState::blocked)}));
  filter.terms.push_back(words(FilterField::reason, {name_of(queue::JobReason::generation)}));
  return filter;
}

// What was cancelled has done nothing that could be missing.
queue::Filter ended_jobs(const queue::Filter& given, const queue::TenantRestore& restore) {
  queue::Filter filter = older_jobs(given, restore.before.name, restore.before.generation.value);
  filter.terms.push_back(words(FilterField::state, {name_of(ShownState::succeeded), name_of(ShownState::dead),
                                                    name_of(ShownState::discarded)}));
  filter.terms.push_back({FilterField::finished, false, {Range{to_us(restore.copied), std::nullopt}}});
  return filter;
}

// But for those that were told to stop for the copy.
queue::Filter stopped_jobs(const queue::Filter& given, const queue::TenantRestore& restore) {
  queue::Filter filter = older_jobs(given, restore.before.name, restore.before.generation.value);
  filter.terms.push_back(words(FilterField::state, {name_of(ShownState::cancelled)}));
  filter.terms.push_back(
      {FilterField::finished,
       false,
       {Range{to_us(restore.begun),
              restore.next ? std::optional{to_us(restore.next->created)} : std::nullopt}}});
  return filter;
}

Reconciliation look(Session& session, const TenantName& name) {
  const queue::Filter given = value_or_raise(
      queue::parse_filter(session.words().subspan(1), queue::job_filter_fields(), session.now()));
  std::optional<Reconciliation> found;
  const queue::ListOptions page{.limit = session.limit(), .order = queue::ListOrder::oldest_first};
  const queue::ListOptions all{.limit = static_cast<std::size_t>(kCountMax)};
  session.readable_store().read([&](queue::JobReader& reader) {
    const auto summary = reader.tenant(name);
    if (!summary)
      raise(ErrorCode::tenant_does_not_exist,
            "there is no tenant " + name.text() + "; see tenure tenant list", name.text());
    found = Reconciliation{.newest = summary->tenant, .restore = reader.tenant_restore(name)};
    found->was_ever_restored = found->restore.has_value();
    if (found->restore && !is_restore_of(*found->restore, found->newest)) found->restore.reset();
    found->waiting = waiting_jobs(given, found->newest);
    found->waiting_page = reader.list_jobs(found->waiting, page, session.now());
    found->waiting_count = reader.count_jobs(found->waiting, all, session.now()).count;
    if (!found->restore) return;
    found->ended = ended_jobs(given, *found->restore);
    found->stopped = stopped_jobs(given, *found->restore);
    found->stopped_page = reader.list_jobs(found->stopped, page, session.now());
    found->stopped_count = reader.count_jobs(found->stopped, all, session.now()).count;
    found->ended_page = reader.list_jobs(found->ended, page, session.now());
    found->ended_count = reader.count_jobs(found->ended, all, session.now()).count;
  });
  return *std::move(found);
}

// What is done to each of some jobs.
struct Task {
  std::string_view to_do;     // "re-stamp"
  std::string_view done;      // "re-stamped"
  std::string_view json_key;  // how many
  const queue::Filter& filter;
  std::int64_t count = 0;
  Result<void> (*act)(queue::StoreWriter& writer, queue::JobId id, WallTime now);
};

struct Outcome {
  std::int64_t done = 0;
  std::int64_t skipped = 0;  // their state had changed
  std::vector<std::pair<queue::JobId, std::string>> failed;
};

std::vector<Task> tasks_of(const Session& session, const Reconciliation& found) {
  if (session.has("restamp") && session.has("cancel"))
    raise(ErrorCode::bad_options, "--restamp and --cancel are for the same jobs; say one of them");
  const auto restamp = [](queue::StoreWriter& writer, queue::JobId id, WallTime now) {
    return writer.restamp(id, now);
  };
  std::vector<Task> tasks;
  if (session.has("restamp"))
    tasks.push_back({"re-stamp", "re-stamped", "restamped", found.waiting, found.waiting_count, restamp});
  if (session.has("cancel"))
    tasks.push_back({"cancel", "cancelled", "cancelled", found.waiting, found.waiting_count,
                     [](queue::StoreWriter& writer, queue::JobId id, WallTime now) {
                       return writer.cancel_by_operator(id, now);
                     }});
  if (session.has("rerun") && !found.restore)
    raise(ErrorCode::state_changed,
          fmt::format("the database of {} is no copy that was put in its place, so nothing has ended since",
                      found.newest.name.text()),
          found.newest.name.text());
  if (session.has("rerun"))
    tasks.push_back({"rerun", "rerun", "rerun", found.ended, found.ended_count, restamp});
  if (session.has("rerun") && found.stopped_count > 0)
    tasks.push_back({"rerun of those cancelled", "rerun of those cancelled", "rerun_stopped", found.stopped,
                     found.stopped_count, restamp});
  return tasks;
}

std::vector<JobRecord> next_jobs(Session& session, const queue::Filter& filter,
                                 std::optional<queue::JobSeq> after, std::int64_t left) {
  std::vector<JobRecord> jobs;
  session.readable_store().read([&](queue::JobReader& reader) {
    jobs = reader
               .list_jobs(filter,
                          {.limit = static_cast<std::size_t>(std::min<std::int64_t>(left, kBatch)),
                           .after = after,
                           .order = queue::ListOrder::oldest_first},
                          session.now())
               .jobs;
  });
  return jobs;
}

void act_on_batch(Session& session, const Task& task, const TenantRecord& tenant,
                  std::span<const JobRecord> jobs, Outcome& outcome) {
  const Outcome before = outcome;
  session.change([&](queue::StoreWriter& writer) {
    outcome = before;
    for (const JobRecord& job : jobs) {
      auto acted = task.act(writer, job.id, session.environment().clock.wall());
      if (acted) ++outcome.done;
      else if (acted.error().code == ErrorCode::state_changed ||
               acted.error().code == ErrorCode::job_not_found)
        ++outcome.skipped;
      else outcome.failed.emplace_back(job.id, acted.error().message);
    }
    return Changed{outcome.done - before.done, fmt::format("{}, generation {}: {}", tenant.name.text(),
                                                           tenant.generation.value, task.done)};
  });
  session.wake();
}

// No more than were counted: what comes to match behind it was not agreed to.
Outcome carry_out(Session& session, const Task& task, const TenantRecord& tenant) {
  Outcome outcome;
  Progress progress(session, number_text);
  std::optional<queue::JobSeq> after;
  for (std::int64_t left = task.count; left > 0;) {
    const auto jobs = next_jobs(session, task.filter, after, left);
    if (jobs.empty()) break;
    after = jobs.back().seq;
    left -= std::ssize(jobs);
    act_on_batch(session, task, tenant, jobs, outcome);
    progress.show(task.count - left, task.count);
  }
  return outcome;
}

bool is_agreed(Session& session, std::span<const Task> tasks) {
  std::string what;
  for (const Task& task : tasks)
    what += fmt::format("{}{} {}", what.empty() ? "" : ", ", task.to_do,
                        counted(task.count, "job", session.style()));
  session.note("to do: " + what);
  if (session.has("dry-run")) return false;
  if (session.has("yes")) return true;
  const auto answer = session.ask("Do it?");
  if (!answer) raise(ErrorCode::bad_options, "say --yes to do it, since nobody can be asked here");
  if (!*answer) session.note("nothing was changed");
  return *answer;
}

std::string head_text(const Reconciliation& found, const ShowStyle& style) {
  const std::string name = found.newest.name.text();
  if (!found.restore && found.was_ever_restored)
    return fmt::format("{}, generation {}: its database is no copy that was put back\n", name,
                       found.newest.generation.value);
  if (!found.restore)
    return fmt::format("{}, generation {}: no copy was ever put in the place of its database\n", name,
                       found.newest.generation.value);
  return fmt::format(
      "{}, generation {}: its database was put back on {} from a copy of {}, generation {}{}\n", name,
      found.newest.generation.value, full_time_text(found.restore->begun, style),
      full_time_text(found.restore->copied, style), found.restore->copied_generation.value,
      found.restore->is_open() ? ", which is under way" : "");
}

void print_part(Session& session, std::string_view title, std::string_view options, std::int64_t count,
                const queue::JobPage& page) {
  if (count == 0) return session.print(fmt::format("{}: none\n", title));
  session.print(fmt::format("{}: {}; {}\n", title, counted(count, "job", session.style()), options));
  session.print(list_table<JobRecord>(job_columns(), page.jobs, session));
  if (std::ssize(page.jobs) < count)
    session.note(fmt::format("{} of {}; --limit shows more", page.jobs.size(), count));
}

void print_found(Session& session, const Reconciliation& found) {
  session.print(head_text(found, session.style()));
  print_part(session, "waiting", "--restamp or --cancel", found.waiting_count, found.waiting_page);
  if (found.restore)
    print_part(session, "ended since the copy", "--rerun", found.ended_count, found.ended_page);
  if (found.stopped_count > 0)
    print_part(session, "cancelled while it was put away", "--rerun", found.stopped_count,
               found.stopped_page);
}

void write_jobs(json::Writer& writer, std::string_view key, const queue::JobPage& page) {
  writer.key(key).begin_array();
  for (const JobRecord& job : page.jobs) {
    writer.begin_object();
    write_job_members(writer, job);
    writer.end_object();
  }
  writer.end_array();
}

void begin_json(json::Writer& writer, const Reconciliation& found) {
  writer.begin_object().key("schema").string("tenure.tenant.reconcile/1");
  write_text(writer, "name", found.newest.name.text());
  writer.key("generation").integer(found.newest.generation.value).key("restore");
  if (found.restore) {
    writer.begin_object();
    write_time(writer, "begun", found.restore->begun);
    write_time(writer, "copied", found.restore->copied);
    writer.key("generation_before").integer(found.restore->before.generation.value);
    writer.key("copied_generation").integer(found.restore->copied_generation.value);
    writer.key("open").boolean(found.restore->is_open()).end_object();
  } else {
    writer.null();
  }
  writer.key("waiting_count").integer(found.waiting_count).key("ended_count").integer(found.ended_count);
  writer.key("stopped_count").integer(found.stopped_count);
}

std::string found_json(const Reconciliation& found) {
  std::string out;
  json::Writer writer(out);
  begin_json(writer, found);
  write_jobs(writer, "waiting", found.waiting_page);
  write_jobs(writer, "ended", found.ended_page);
  write_jobs(writer, "stopped", found.stopped_page);
  writer.end_object();
  return out;
}

ExitCode report(Session& session, const Reconciliation& found, std::span<const Task> tasks,
                std::span<const Outcome> outcomes) {
  std::string out;
  json::Writer writer(out);
  begin_json(writer, found);
  bool has_failed = false;
  std::int64_t skipped = 0;
  for (std::size_t at = 0; at < tasks.size(); ++at) {
    writer.key(tasks[at].json_key).integer(outcomes[at].done);
    skipped += outcomes[at].skipped;
    if (!session.json())
      session.print(
          fmt::format("{} {}\n", tasks[at].done, counted(outcomes[at].done, "job", session.style())));
  }
  if (skipped > 0)
    session.note(fmt::format("{} skipped (state changed)", number_text(skipped, session.style())));
  writer.key("skipped").integer(skipped).key("failed").begin_array();
  std::size_t named = 0;
  for (const Outcome& outcome : outcomes)
    for (const auto& [id, why] : outcome.failed) {
      has_failed = true;
      writer.begin_object().key("id").string(id.text());
      write_text(writer, "error", why);
      writer.end_object();
      if (++named <= kFailuresNamed)
        session.note(fmt::format("failed {}: {}", id.text(), escaped(why, 1024)));
    }
  writer.end_array().end_object();
  if (session.json()) session.print_json(out);
  return has_failed ? ExitCode::refused : ExitCode::done;
}

}  // namespace

ExitCode tenant_reconcile(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words().front()));
  const bool changes = session.has("restamp") || session.has("rerun") || session.has("cancel");
  if (changes && !session.has("dry-run")) session.open_for_change();
  const Reconciliation found = look(session, name);
  const std::vector<Task> tasks = tasks_of(session, found);
  if (tasks.empty()) {
    if (session.json()) session.print_json(found_json(found));
    else print_found(session, found);
    return ExitCode::done;
  }
  if (!is_agreed(session, tasks)) return session.has("dry-run") ? ExitCode::done : ExitCode::refused;
  std::vector<Outcome> outcomes;
  outcomes.reserve(tasks.size());
  for (const Task& task : tasks) outcomes.push_back(carry_out(session, task, found.newest));
  return report(session, found, tasks, outcomes);
}

}  // namespace tenure::cli
