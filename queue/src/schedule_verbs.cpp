#include "schedule_verbs.hpp"

#include "job_rules.hpp"
#include "reading_pools.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

// Of one schedule and tenant at most so many jobs are looked at for one that has not ended.
constexpr std::size_t kUnendedLooks = 1000;
// Where any number is allowed, so many of the oldest: rows of jobs that have ended do not grow for ever.
constexpr std::size_t kUnendedSwept = 4;

tl::unexpected<Failure> no_such_schedule(std::string_view name) {
  return fail(ErrorCode::record_not_found, fmt::format("there is no schedule {}", escaped(name)));
}

// What its tenant's state lets a tick do.
enum class TenantSays : std::uint8_t { fire, wait, skip };
TenantSays said_by(TenantState state, bool reads_only) {
  switch (state) {
    case TenantState::active:
    case TenantState::paused:  // its jobs wait, and how many the overlap policy says
      return TenantSays::fire;
    case TenantState::provisioning:
    case TenantState::migrating:
      return TenantSays::wait;
    case TenantState::read_only:
      return reads_only ? TenantSays::fire : TenantSays::skip;
    case TenantState::failed:
    case TenantState::draining:
    case TenantState::deleted:
      return TenantSays::skip;
  }
  return TenantSays::skip;
}

// What the kind does is asked where it decides: in a read-only tenant.
TenantSays said_by(ScheduleRows& rows, const std::optional<TenantRecord>& tenant,
                   const ScheduleEntry& entry) {
  if (!tenant) return TenantSays::skip;
  const bool reads_only = tenant->state == TenantState::read_only &&
                          is_read_in(rows.pools(), tenant->name, entry.queue, entry.kind);
  return said_by(tenant->state, reads_only);
}

std::string text_of(const std::optional<TenantRecord>& tenant, std::string_view name) {
  if (!tenant) return fmt::format("there is no tenant {}", name);
  return fmt::format("tenant {} is {}", name, name_of(tenant->state));
}

std::string problem_of(const DeclaredSchedule& declared) {
  if (!declared.problem.empty()) return declared.problem;
  const auto fits = check_schedule(declared.entry);
  return fits ? std::string{} : fits.error().message;
}

}  // namespace

// --- Reading.

std::string ScheduleQuestions::disabled(const ScheduleRecord& row) {
  if (!row.problem.empty() || row.entry.scope != ScheduleScope::tenant) return row.problem;
  const auto name = TenantName::parse(row.entry.tenant);
  if (!name) return name.error().message;
  const auto tenant = rows_.tenant(*name);
  if (said_by(rows_, tenant, row.entry) == TenantSays::fire) return {};
  return text_of(tenant, row.entry.tenant);
}

std::vector<ShownSchedule> ScheduleQuestions::schedules() {
  std::vector<ShownSchedule> shown;
  for (ScheduleRecord& row : rows_.all()) {
    ShownSchedule one{.record = std::move(row), .disabled = {}};
    one.disabled = disabled(one.record);
    shown.push_back(std::move(one));
  }
  return shown;
}

// --- What operators and the configuration say.

void ScheduleVerbs::declare_one(const DeclaredSchedule& declared, WallTime now) {
  const std::string problem = problem_of(declared);
  const auto former = rows_.named(declared.entry.name);
  if (former && former->entry == declared.entry && former->problem == problem &&
      former->origin == ScheduleOrigin::configuration)
    return;
  ScheduleRecord row = former.value_or(ScheduleRecord{.decided = now, .noted = now});
  // Ticks of a rule that was not in force are none.
  if (former && former->entry.rule != declared.entry.rule) row.decided = now;
  else if (former && !former->problem.empty()) row.decided = std::max(row.decided, now);
  // A tick of many tenants that is under way is of a schedule of each.
  if (!problem.empty() || declared.entry.scope != ScheduleScope::each_tenant) row.fan_out.reset();
  row.entry = declared.entry;
  row.origin = ScheduleOrigin::configuration;
  row.problem = problem;
  ++row.revision;
  if (former) rows_.update(row);
  else rows_.insert(row);
}

void ScheduleVerbs::declare(std::span<const DeclaredSchedule> entries, WallTime now) {
  for (const ScheduleRecord& row : rows_.all()) {
    const bool is_declared = std::ranges::any_of(
        entries, [&](const DeclaredSchedule& declared) { return declared.entry.name == row.entry.name; });
    if (row.origin == ScheduleOrigin::configuration && !is_declared) rows_.erase(row.number);
  }
  for (const DeclaredSchedule& declared : entries) declare_one(declared, now);
}

Result<ScheduleNumber> ScheduleVerbs::add(const ScheduleEntry& entry, WallTime now) {
  if (auto fits = check_schedule(entry); !fits) return tl::unexpected(std::move(fits.error()));
  if (rows_.named(entry.name))
    return fail(ErrorCode::id_conflict, fmt::format("there is a schedule {} already", entry.name));
  if (rows_.all().size() >= kSchedulesMax)
    return fail(ErrorCode::limit_reached,
                fmt::format("there are {} schedules already, and there are no more", kSchedulesMax));
  return rows_.insert(
      {.entry = entry, .origin = ScheduleOrigin::added, .revision = 1, .decided = now, .noted = now});
}

Result<ScheduleRecord> ScheduleVerbs::found(std::string_view name) {
  auto row = rows_.named(name);
  if (!row) return no_such_schedule(name);
  return std::move(*row);
}

Result<void> ScheduleVerbs::remove(std::string_view name) {
  const auto row = found(name);
  if (!row) return tl::unexpected(row.error());
  if (row->origin == ScheduleOrigin::configuration)
    return fail(ErrorCode::state_changed,
                fmt::format("schedule {} stands in the configuration, and is removed there", name));
  rows_.erase(row->number);
  return {};
}

Result<void> ScheduleVerbs::pause(std::string_view name, const SchedulePause& pause) {
  auto row = found(name);
  if (!row) return tl::unexpected(row.error());
  if (row->paused) return fail(ErrorCode::state_changed, fmt::format("schedule {} is paused already", name));
  row->paused = pause;
  row->noted = row->decided;
  ++row->revision;
  rows_.update(*row);
  return {};
}

Result<void> ScheduleVerbs::resume(std::string_view name) {
  auto row = found(name);
  if (!row) return tl::unexpected(row.error());
  if (!row->paused) return fail(ErrorCode::state_changed, fmt::format("schedule {} is not paused", name));
  row->paused.reset();
  ++row->revision;
  rows_.update(*row);
  return {};
}

Result<Enqueued> ScheduleVerbs::run_now(std::string_view name, const std::optional<TenantName>& tenant,
                                        WallTime now) {
  const auto row = found(name);
  if (!row) return tl::unexpected(row.error());
  if (!row->problem.empty()) return fail(ErrorCode::bad_options, row->problem);
  if ((row->entry.scope == ScheduleScope::each_tenant) != tenant.has_value())
    return fail(ErrorCode::bad_options,
                tenant
                    ? fmt::format("schedule {} is of {}: no tenant is named", name, scope_text(row->entry))
                    : fmt::format("schedule {} is of each tenant: which one is meant has to be named", name));
  Firing firing{.schedule = *row, .tick = now, .is_manual = true};
  auto target = tenant;
  if (row->entry.scope == ScheduleScope::tenant)
    target = value_or_raise(TenantName::parse(row->entry.tenant));
  if (target) {
    firing.tenant = rows_.tenant(*target);
    if (!firing.tenant) return unknown_tenant(*target);
  }
  const Found place = room_for(*row, firing.tenant ? firing.tenant->number : kUntenanted);
  if (place.room == Room::none) return no_room(*row, place);
  auto enqueued = enqueue(firing, place.room, now);
  if (enqueued && place.room == Room::behind_another) tell_of_waiting(*row);
  return enqueued;
}

tl::unexpected<Failure> ScheduleVerbs::no_room(const ScheduleRecord& schedule, const Found& place) {
  return fail(ErrorCode::limit_reached,
              fmt::format("job {} of schedule {} has not ended, and its overlap policy is {}",
                          place.other ? place.other->text() : "", schedule.entry.name,
                          name_of(schedule.entry.overlap)));
}

// A dispatcher has to know that somebody waits.
void ScheduleVerbs::tell_of_waiting(const ScheduleRecord& schedule) {
  ScheduleRecord changed = schedule;
  ++changed.revision;
  rows_.update(changed);
}

Result<bool> ScheduleVerbs::readmit(JobId id, JobSeq seq, TenantNumber tenant) {
  const auto tick = rows_.tick_of(id);
  const auto schedule = tick ? rows_.numbered(tick->schedule) : std::nullopt;
  if (!schedule) return false;
  const Found place = room_for(*schedule, tenant);
  if (place.room == Room::none) return no_room(*schedule, place);
  rows_.add_unended(schedule->number, tenant, seq);
  if (place.room == Room::behind_another) tell_of_waiting(*schedule);
  return place.room == Room::behind_another;
}

// --- Ticks.

std::optional<OpenSchedules> ScheduleVerbs::open(SchedulesMark known) {
  OpenSchedules open{.mark = rows_.mark(), .schedules = {}};
  if (open.mark == known) return std::nullopt;
  for (ScheduleRecord& row : rows_.all())
    if (row.problem.empty()) open.schedules.push_back(std::move(row));
  return open;
}

ScheduleVerbs::Found ScheduleVerbs::room_for(const ScheduleRecord& schedule, TenantNumber tenant) {
  Found found;
  const bool is_any_allowed = schedule.entry.overlap == Overlap::allow;
  for (const UnendedJob& job :
       rows_.unended(schedule.number, tenant, is_any_allowed ? kUnendedSwept : kUnendedLooks)) {
    if (job.has_ended) {
      rows_.forget_unended(schedule.number, tenant, job.seq);
      continue;
    }
    if (is_any_allowed) continue;
    found.other = job.id;
    if (schedule.entry.overlap == Overlap::skip || job.waits) found.room = Room::none;
    else if (found.room == Room::free) found.room = Room::behind_another;
  }
  return found;
}

Result<Enqueued> ScheduleVerbs::enqueue(const Firing& firing, Room room, WallTime now) {
  const ScheduleEntry& entry = firing.schedule.entry;
  const std::string_view tenant = firing.tenant ? std::string_view{firing.tenant->name.text()} : "";
  const Generation generation = firing.tenant ? firing.tenant->generation : Generation{0};
  NewJob job{.id = job_id_of_tick(entry.name, firing.tick, tenant, generation, firing.is_manual),
             .tenant = {},
             .generation = generation,
             .queue = entry.queue,
             .kind = entry.kind,
             .priority = Priority{entry.priority},
             .due = firing.tick,
             .attempts_max = entry.attempts_max,
             .arguments = entry.arguments};
  if (firing.tenant) job.tenant = firing.tenant->name;
  if (!firing.is_manual) job.due += spread_of(entry, tenant);
  auto enqueued = rows_.enqueue(job, room == Room::behind_another, now);
  if (!enqueued) return enqueued;
  const TenantNumber number = firing.tenant ? firing.tenant->number : kUntenanted;
  static_cast<void>(rows_.add_tick(
      {firing.schedule.number, firing.tick, number, firing.is_manual, TickResult::fired, enqueued->id}));
  if (!enqueued->existed) rows_.add_unended(firing.schedule.number, number, enqueued->seq);
  return enqueued;
}

void ScheduleVerbs::fire(const Firing& firing, WallTime now, TickReply& reply) {
  const TenantNumber number = firing.tenant ? firing.tenant->number : kUntenanted;
  const Room room = room_for(firing.schedule, number).room;
  TickRow row{firing.schedule.number, firing.tick, number, false, TickResult::overlap, {}};
  if (room == Room::none) {
    if (rows_.add_tick(row)) ++reply.overlapped;
    return;
  }
  const auto enqueued = enqueue(firing, room, now);
  if (enqueued) {
    if (enqueued->existed) return;
    ++reply.fired;
    if (room == Room::behind_another) ++reply.blocked;
    return;
  }
  row.result = TickResult::refused;
  static_cast<void>(rows_.add_tick(row));
  if (reply.refused++ == 0) reply.why = enqueued.error().text();
}

void ScheduleVerbs::fire_in_tenant(ScheduleRecord& row, WallTime tick, WallTime now, TickReply& reply) {
  const auto name = TenantName::parse(row.entry.tenant);
  const auto tenant = name ? rows_.tenant(*name) : std::nullopt;
  const TenantSays says = said_by(rows_, tenant, row.entry);
  if (says == TenantSays::fire) return fire({.schedule = row, .tick = tick, .tenant = tenant}, now, reply);
  reply.why = text_of(tenant, row.entry.tenant);
  if (says == TenantSays::wait) {
    reply.is_waiting = true;
    return;
  }
  reply.skipped = TickResult::tenant;
  if (tenant) note(row, {tick}, TickResult::tenant);
}

void ScheduleVerbs::fan_out(ScheduleRecord& row, std::size_t limit, WallTime now, TickReply& reply) {
  const std::vector<PoolRecord> pools = rows_.pools();
  const bool is_read_somewhere = std::ranges::any_of(pools, [&](const PoolRecord& pool) {
    return std::ranges::binary_search(pool.reads_only, row.entry.kind);
  });
  const auto tenants = rows_.firing_tenants(row.fan_out->after, limit, is_read_somewhere);
  for (const TenantRecord& tenant : tenants) {
    const bool fires = tenant.state != TenantState::read_only ||
                       is_read_in(pools, tenant.name, row.entry.queue, row.entry.kind);
    if (fires) fire({.schedule = row, .tick = row.fan_out->tick, .tenant = tenant}, now, reply);
    row.fan_out->after = tenant.number;
  }
  // A row that names no tenant is left out of a page, so that only an empty one is the end.
  if (tenants.empty()) row.fan_out.reset();
}

void ScheduleVerbs::note(const ScheduleRecord& row, const std::vector<WallTime>& ticks, TickResult result) {
  for (const WallTime tick : ticks)
    static_cast<void>(rows_.add_tick({row.number, tick, kUntenanted, false, result, {}}));
}

TickReply ScheduleVerbs::tick(const TickOrder& order, std::size_t limit, WallTime now) {
  TickReply reply;
  auto row = rows_.numbered(order.schedule);
  if (!row || row->revision != order.revision || row->decided != order.decided) {
    reply.is_stale = true;
    return reply;
  }
  const ScheduleRecord before = *row;
  if (!row->fan_out) {
    if (order.fire) {
      if (row->entry.scope == ScheduleScope::each_tenant) row->fan_out = FanOut{*order.fire, TenantNumber{0}};
      else if (row->entry.scope == ScheduleScope::tenant) fire_in_tenant(*row, *order.fire, now, reply);
      else fire({.schedule = *row, .tick = *order.fire}, now, reply);
    }
    if (!reply.is_waiting) {
      note(*row, order.missed, TickResult::missed);
      row->missed += order.missed_count;
      row->decided = order.until;
    }
    note(*row, order.paused, TickResult::paused);
    if (!order.paused.empty()) row->noted = order.paused.back();
  }
  if (row->fan_out) fan_out(*row, limit, now, reply);
  if (*row != before) {
    rows_.advance(*row);
    rows_.forget_ticks(row->decided - kTicksKept, 2 * limit);
  }
  reply.decided = row->decided;
  reply.noted = row->noted;
  reply.fan_out = row->fan_out;
  return reply;
}

ReleasedJobs ScheduleVerbs::release_blocked(JobSeq after, std::size_t limit, WallTime now) {
  ReleasedJobs released;
  const auto page = rows_.blocked(after, limit);
  for (const auto& job : page) {
    if (job.due <= now && is_free(job)) rows_.make_ready(job.seq, now);
    else ++released.left;
  }
  if (page.size() == limit) released.read_until = page.back().seq;
  return released;
}

// Whether no other job of its schedule and tenant is left.
bool ScheduleVerbs::is_free(const WritableScheduleRows::Blocked& job) {
  if (!job.schedule) return true;
  bool is_free = true;
  for (const UnendedJob& other : rows_.unended(*job.schedule, job.tenant, kUnendedLooks)) {
    if (other.seq == job.seq) continue;
    if (other.has_ended) rows_.forget_unended(*job.schedule, job.tenant, other.seq);
    else is_free = false;
  }
  return is_free;
}

}  // namespace tenure::queue
