#include "listing.hpp"
#include "nouns.hpp"
#include "schedules.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>
#include <tenure/queue/declared_schedules.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

// Looking at schedules: lists, one, and its ticks to come.
namespace tenure::cli {
namespace {

using queue::ScheduleRecord;
using queue::ShownSchedule;
using queue::ShownTick;
using queue::TickRecord;

constexpr std::size_t kTicksShown = 10;
constexpr std::int64_t kPreviewDefault = 10;
constexpr std::int64_t kPreviewMax = 1000;

struct Row {
  ShownSchedule schedule;
  std::optional<WallTime> next;
  std::optional<TickRecord> last;
};

std::string state_of(const ShownSchedule& schedule) {
  if (!schedule.disabled.empty()) return "disabled";
  return schedule.record.paused ? "paused" : "active";
}

std::string why_of(const ShownSchedule& schedule) {
  if (!schedule.disabled.empty()) return schedule.disabled;
  if (!schedule.record.paused) return {};
  const auto& paused = *schedule.record.paused;
  return fmt::format("by {}{}", paused.login, paused.reason.empty() ? "" : ": " + paused.reason);
}

constexpr std::array<ListColumn<Row>, 10> kScheduleColumns{
    ListColumn<Row>{"name", "SCHEDULE",
                    [](const Row& row, const ShowStyle&) { return escaped(row.schedule.record.entry.name); },
                    false, true},
    ListColumn<Row>{"kind", "KIND",
                    [](const Row& row, const ShowStyle&) { return escaped(row.schedule.record.entry.kind); }},
    ListColumn<Row>{
        "rule", "RULE",
        [](const Row& row, const ShowStyle&) { return escaped(rule_text(row.schedule.record.entry.rule)); }},
    ListColumn<Row>{"scope", "SCOPE",
                    [](const Row& row, const ShowStyle&) {
                      return escaped(queue::scope_text(row.schedule.record.entry));
                    }},
    ListColumn<Row>{"state", "STATE",
                    [](const Row& row, const ShowStyle&) { return state_of(row.schedule); }},
    ListColumn<Row>{"next", "NEXT",
                    [](const Row& row, const ShowStyle& style) { return time_text(row.next, style); }, true},
    ListColumn<Row>{"last", "LAST",
                    [](const Row& row, const ShowStyle& style) {
                      return time_text(row.last ? std::optional{row.last->tick} : std::nullopt, style);
                    },
                    true},
    ListColumn<Row>{"result", "RESULT",
                    [](const Row& row, const ShowStyle&) {
                      return row.last ? std::string{queue::name_of(row.last->result)} : std::string{"-"};
                    }},
    ListColumn<Row>{
        "missed", "MISSED",
        [](const Row& row, const ShowStyle& style) { return number_text(row.schedule.record.missed, style); },
        true},
    ListColumn<Row>{"why", "WHY",
                    [](const Row& row, const ShowStyle&) { return escaped(why_of(row.schedule)); }, false,
                    false, true, true}};

Row row_of(queue::JobReader& reader, ShownSchedule schedule, WallTime now) {
  Row row{.schedule = std::move(schedule), .next = {}, .last = {}};
  row.next = next_of(row.schedule, now);
  for (TickRecord& tick : reader.schedules().ticks(row.schedule.record.number, 1)) row.last = std::move(tick);
  return row;
}

void write_schedule(json::Writer& writer, const Row& row, WallTime) {
  const ScheduleRecord& record = row.schedule.record;
  const queue::ScheduleEntry& entry = record.entry;
  writer.begin_object();
  write_text(writer, "name", entry.name);
  write_text(writer, "origin",
             record.origin == queue::ScheduleOrigin::configuration ? "configuration" : "added");
  write_text(writer, "state", state_of(row.schedule));
  write_text(writer, "why", why_of(row.schedule));
  write_text(writer, "kind", entry.kind);
  write_text(writer, "queue", entry.queue);
  writer.key("priority").integer(entry.priority).key("attempts_max").integer(entry.attempts_max);
  write_text(writer, "cron", entry.rule.cron);
  writer.key("every_ms").integer(entry.rule.every.count() / 1000);
  write_text(writer, "time_zone", entry.rule.time_zone);
  write_text(writer, "scope", queue::scope_text(entry));
  writer.key("spread_ms").integer(entry.spread.count() / 1000);
  write_text(writer, "catch_up", queue::catch_up_text(entry));
  write_text(writer, "overlap", queue::name_of(entry.overlap));
  write_time(writer, "next", row.next);
  write_time(writer, "last", row.last ? std::optional{row.last->tick} : std::nullopt);
  writer.key("last_result");
  if (row.last) writer.string(queue::name_of(row.last->result));
  else writer.null();
  write_time(writer, "decided", record.decided);
  writer.key("missed").integer(record.missed).end_object();
}

std::string ticks_text(const std::vector<TickRecord>& ticks, const ShowStyle& style) {
  std::string out;
  for (const TickRecord& tick : ticks)
    out += fmt::format("{:<10}{}  {}{}{}{}\n", out.empty() ? "ticks" : "", full_time_text(tick.tick, style),
                       queue::name_of(tick.result), tick.is_manual ? ", manual" : "",
                       tick.tenant ? "  tenant " + tick.tenant->text() : "",
                       tick.job ? "  " + tick.job->text() : "");
  return out;
}

std::string shown_text(const Row& row, const std::vector<TickRecord>& ticks, const queue::Mask& mask,
                       const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<10}{}\n", name, value);
  };
  const queue::ScheduleEntry& entry = row.schedule.record.entry;
  const std::string why = why_of(row.schedule);
  std::string out = line("schedule", escaped(entry.name));
  out += line("state", state_of(row.schedule) + (why.empty() ? "" : ", " + escaped(why, 500)));
  out += line("rule", escaped(rule_text(entry.rule)));
  out += line("job", fmt::format("{} in queue {}, priority {}, at most {} attempts", escaped(entry.kind),
                                 escaped(entry.queue), entry.priority, entry.attempts_max));
  out += line("arguments", escaped(mask.shown(entry.arguments), 2000));
  out += line("scope", escaped(queue::scope_text(entry)) +
                           (entry.spread.count() > 0 ? ", spread over " + duration_text(entry.spread) : ""));
  out += line("catch-up", queue::catch_up_text(entry));
  out += line("overlap", queue::name_of(entry.overlap));
  out += line("next", full_time_text(row.next, style));
  out += line("missed", counted(row.schedule.record.missed, "tick", style));
  return out + ticks_text(ticks, style);
}

std::string shown_json(const Row& row, const std::vector<TickRecord>& ticks, const queue::Mask& mask,
                       WallTime now) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.schedule.show/1").key("item");
  write_schedule(writer, row, now);
  write_text(writer, "arguments", mask.shown(row.schedule.record.entry.arguments));
  writer.key("ticks").begin_array();
  for (const TickRecord& tick : ticks) {
    writer.begin_object();
    write_time(writer, "tick", tick.tick);
    writer.key("manual").boolean(tick.is_manual);
    write_text(writer, "result", queue::name_of(tick.result));
    write_text(writer, "tenant", tick.tenant ? tick.tenant->text() : "");
    write_text(writer, "job", tick.job ? tick.job->text() : "");
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

// --- Ticks to come.

// What the store knows of it besides its entry, by which the ticks to come are others: the daemon takes an entry over and keeps that, but for a
// rule that is new, whose ticks begin then.
void follow_store(Session& session, ScheduleRecord& record) {
  std::optional<ScheduleRecord> stored;
  try {
    session.readable_store().read([&](queue::JobReader& reader) {
      for (const ShownSchedule& shown : reader.schedules().schedules())
        if (shown.record.entry.name == record.entry.name) stored = shown.record;
    });
  } catch (
      const DatabaseMissing&) {  // before the first start there is none, and it can be looked at all the same
  }
  if (!stored) return;
  record.paused = stored->paused;
  if (stored->entry.rule == record.entry.rule) record.decided = stored->decided;
}

// One that the configuration declares, whether or not a daemon has read it; else one of the store.
ShownSchedule schedule_to_preview(Session& session) {
  const std::string& name = session.words().front();
  for (const queue::DeclaredSchedule& declared : queue::declared_schedules(session.settings().schedules)) {
    if (declared.entry.name != name) continue;
    ShownSchedule schedule{.record = {.entry = declared.entry}, .disabled = {}};
    schedule.record.problem = problem_of(declared);
    follow_store(session, schedule.record);
    return schedule;
  }
  return find_schedule(session, name);
}

std::string preview_text(const ShownSchedule& schedule, const std::vector<ShownTick>& ticks,
                         std::chrono::microseconds offset, const ShowStyle& style) {
  std::vector<std::vector<std::string>> rows;
  for (const ShownTick& tick : ticks)
    rows.push_back({tick.local, to_rfc3339(tick.at),
                    offset.count() > 0 ? to_rfc3339(tick.at + offset) : std::string{}, tick.note});
  std::string out = fmt::format("{}, {}\n", escaped(schedule.record.entry.name),
                                escaped(rule_text(schedule.record.entry.rule)));
  if (schedule.record.paused)
    out += fmt::format("It is paused since {}.\n", full_time_text(schedule.record.paused->since, style));
  std::vector<TableColumn> columns{
      {"TICK", false, true}, {"UTC", false, true}, {"JOB DUE", false, true}, {"NOTE"}};
  if (offset.count() == 0) {
    columns.erase(columns.begin() + 2);
    for (auto& row : rows) row.erase(row.begin() + 2);
  }
  return out + table_text(columns, rows, {});
}

std::string preview_json(const ShownSchedule& schedule, const std::vector<ShownTick>& ticks,
                         std::chrono::microseconds offset) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.schedule.preview/1");
  write_text(writer, "name", schedule.record.entry.name);
  write_text(writer, "time_zone", schedule.record.entry.rule.time_zone);
  writer.key("items").begin_array();
  for (const ShownTick& tick : ticks) {
    writer.begin_object();
    write_time(writer, "tick", tick.at);
    write_text(writer, "local", tick.local);
    write_time(writer, "due", tick.at + offset);
    write_text(writer, "note", tick.note);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::size_t preview_count(const Session& session) {
  if (!session.has("count")) return kPreviewDefault;
  return static_cast<std::size_t>(
      value_or_raise(whole_number("count", session.option("count"), 1, kPreviewMax)));
}

std::chrono::microseconds preview_offset(const Session& session, const queue::ScheduleEntry& entry) {
  if (!session.has("tenant")) return std::chrono::microseconds{0};
  if (entry.scope != queue::ScheduleScope::each_tenant)
    raise(ErrorCode::bad_options, fmt::format("schedule {} is of {}: --tenant is for those of each_tenant",
                                              escaped(entry.name), escaped(queue::scope_text(entry))));
  return queue::spread_of(entry, value_or_raise(TenantName::parse(session.option("tenant"))).text());
}

}  // namespace

std::string problem_of(const queue::DeclaredSchedule& declared) {
  if (!declared.problem.empty()) return declared.problem;
  const auto fits = queue::check_schedule(declared.entry);
  return fits ? std::string{} : fits.error().message;
}

std::string rule_text(const queue::WrittenRule& rule) {
  if (rule.cron.empty())
    return "every " +
           config::duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(rule.every));
  return fmt::format("{} in {}", rule.cron, rule.time_zone);
}

std::optional<WallTime> next_of(const ShownSchedule& schedule, WallTime now) {
  if (!schedule.disabled.empty() || schedule.record.paused) return std::nullopt;
  const auto rule = queue::read_rule(schedule.record.entry.rule);
  return rule ? queue::next_tick(*rule, std::max(schedule.record.decided, now)) : std::nullopt;
}

ShownSchedule find_schedule(Session& session, std::string_view name) {
  std::vector<ShownSchedule> all;
  session.readable_store().read([&](queue::JobReader& reader) { all = reader.schedules().schedules(); });
  std::vector<std::string_view> names;
  for (const ShownSchedule& schedule : all) {
    if (schedule.record.entry.name == name) return schedule;
    names.emplace_back(schedule.record.entry.name);
  }
  const auto near = nearest(name, names);
  raise(ErrorCode::record_not_found,
        fmt::format("there is no schedule {}{}", escaped(name, 64),
                    near ? fmt::format("; did you mean {}?", escaped(*near)) : ""));
}

ExitCode schedule_list(Session& session) {
  const std::size_t limit = session.limit();
  std::vector<Row> rows;
  session.readable_store().read([&](queue::JobReader& reader) {
    for (ShownSchedule& schedule : reader.schedules().schedules())
      rows.push_back(row_of(reader, std::move(schedule), session.now()));
  });
  const ListTotal total = take_page(session, limit, "schedule", rows,
                                    [](const Row& row) { return row.schedule.record.entry.name; });
  return print_list<Row>(session, "tenure.schedule.list/1", {"schedule", "schedules"}, kScheduleColumns, rows,
                         total, write_schedule);
}

ExitCode schedule_show(Session& session) {
  const ShownSchedule schedule = find_schedule(session, session.words().front());
  Row row;
  std::vector<TickRecord> ticks;
  session.readable_store().read([&](queue::JobReader& reader) {
    row = row_of(reader, schedule, session.now());
    ticks = reader.schedules().ticks(schedule.record.number, kTicksShown);
  });
  const queue::Mask mask = session.mask();
  if (session.json()) session.print_json(shown_json(row, ticks, mask, session.now()));
  else session.print(shown_text(row, ticks, mask, session.style()));
  return ExitCode::done;
}

ExitCode schedule_preview(Session& session) {
  const std::size_t count = preview_count(session);
  const ShownSchedule schedule = schedule_to_preview(session);
  if (!schedule.record.problem.empty()) raise(ErrorCode::bad_options, schedule.record.problem);
  const auto offset = preview_offset(session, schedule.record.entry);
  const auto rule = value_or_raise(queue::read_rule(schedule.record.entry.rule));
  const auto ticks = queue::preview_ticks(rule, std::max(schedule.record.decided, session.now()), count);
  if (session.json()) session.print_json(preview_json(schedule, ticks, offset));
  else session.print(preview_text(schedule, ticks, offset, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
