#include "nouns.hpp"
#include "schedules.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>

#include <fmt/format.h>

// What an operator does to a schedule.
namespace tenure::cli {
namespace {

// Nothing of it is kept.
struct TriedSchedule {};

// One commit with its audit record, unless it is only tried.
void change_schedule(Session& session, std::string_view name,
                     FunctionRef<void(queue::ScheduleWriter&)> work) {
  try {
    session.change([&](queue::StoreWriter& writer) {
      work(writer.schedules());
      if (session.has("dry-run")) throw TriedSchedule{};
      return Changed{1, fmt::format("schedule {}", escaped(name))};
    });
    session.wake();
  } catch (const TriedSchedule&) {  // the store has looked at it and takes it back
  }
}

void print_done(Session& session, std::string_view verb, std::string_view done, std::string_view name,
                std::string_view job = {}) {
  const bool is_dry = session.has("dry-run");
  if (session.json()) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object()
        .key("schema")
        .string(fmt::format("tenure.schedule.{}/1", verb))
        .key("name")
        .string(name);
    writer.key("dry_run").boolean(is_dry);
    if (!job.empty()) writer.key("job").string(job);
    writer.end_object();
    return session.print_json(out);
  }
  session.print(fmt::format("{}{} schedule {}{}\n", is_dry ? "would have " : "", done, escaped(name),
                            job.empty() ? "" : fmt::format(": job {}", job)));
}

queue::ScheduleEntry entry_of(const Session& session) {
  queue::ScheduleEntry entry;
  entry.name = session.words()[0];
  entry.kind = session.words()[1];
  if (session.words().size() > 2) entry.arguments = session.words()[2];
  if (session.has("queue")) entry.queue = session.option("queue");
  if (session.has("priority"))
    entry.priority =
        static_cast<int>(value_or_raise(whole_number("priority", session.option("priority"), -100, 100)));
  if (session.has("max-attempts"))
    entry.attempts_max = static_cast<int>(
        value_or_raise(whole_number("max-attempts", session.option("max-attempts"), 1, 1000)));
  entry.rule.cron = session.option("cron");
  if (session.has("every"))
    entry.rule.every = value_or_raise(config::parse_duration(session.option("every")));
  if (session.has("time-zone")) entry.rule.time_zone = session.option("time-zone");
  if (session.has("spread")) entry.spread = value_or_raise(config::parse_duration(session.option("spread")));
  if (session.has("scope")) value_or_raise(queue::read_scope(session.option("scope"), entry));
  if (session.has("catch-up")) value_or_raise(queue::read_catch_up(session.option("catch-up"), entry));
  if (session.has("overlap")) entry.overlap = value_or_raise(queue::read_overlap(session.option("overlap")));
  return entry;
}

}  // namespace

ExitCode schedule_add(Session& session) {
  const queue::ScheduleEntry entry = entry_of(session);
  change_schedule(session, entry.name, [&](queue::ScheduleWriter& schedules) {
    static_cast<void>(value_or_raise(schedules.add(entry, session.now())));
  });
  print_done(session, "add", "added", entry.name);
  return ExitCode::done;
}

ExitCode schedule_remove(Session& session) {
  const std::string& name = session.words().front();
  change_schedule(session, name,
                  [&](queue::ScheduleWriter& schedules) { value_or_raise(schedules.remove(name)); });
  print_done(session, "remove", "removed", name);
  return ExitCode::done;
}

ExitCode schedule_pause(Session& session) {
  const std::string& name = session.words().front();
  const queue::SchedulePause pause{.since = session.now(),
                                   .uid = session.who().uid,
                                   .login = session.who().login,
                                   .reason = std::string{session.option("reason")}};
  change_schedule(session, name,
                  [&](queue::ScheduleWriter& schedules) { value_or_raise(schedules.pause(name, pause)); });
  print_done(session, "pause", "paused", name);
  return ExitCode::done;
}

ExitCode schedule_resume(Session& session) {
  const std::string& name = session.words().front();
  change_schedule(session, name,
                  [&](queue::ScheduleWriter& schedules) { value_or_raise(schedules.resume(name)); });
  print_done(session, "resume", "resumed", name);
  return ExitCode::done;
}

ExitCode schedule_run(Session& session) {
  const std::string& name = session.words().front();
  std::optional<TenantName> tenant;
  if (session.has("tenant")) tenant = value_or_raise(TenantName::parse(session.option("tenant")));
  std::string job;
  change_schedule(session, name, [&](queue::ScheduleWriter& schedules) {
    job = value_or_raise(schedules.run_now(name, tenant, session.now())).id.text();
  });
  print_done(session, "run", "run", name, job);
  return ExitCode::done;
}

}  // namespace tenure::cli
