#include "../pause_rules.hpp"
#include "pause_rows.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "tenant_life_rows.hpp"
#include "tenant_rows.hpp"

#include <optional>
#include <string>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// ?1 name. Index: unique name; a scan of what pools have, which is little.
constexpr Query kKnowsPausedQueue{"knows_paused_queue", R"sql(
  select exists (select 1 from queue where name = ?1) or exists (select 1 from pool_queue where queue = ?1))sql"};
constexpr Query kKnowsPausedKind{"knows_paused_kind", R"sql(
  select exists (select 1 from kind where name = ?1) or exists (select 1 from pool_kind where kind = ?1))sql"};

// ?1 scope  ?2 name. Index: primary key.
constexpr Query kIsPaused{"is_paused", "select 1 from pause where scope = ?1 and name = ?2"};

// ?1 scope  ?2 name  ?3 now_us  ?4 until_us  ?5 uid  ?6 login  ?7 reason
constexpr Query kPutPause{"put_pause", R"sql(
  insert into pause(scope, name, paused_us, until_us, uid, login, reason) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  on conflict (scope, name) do update set paused_us = excluded.paused_us, until_us = excluded.until_us,
    uid = excluded.uid, login = excluded.login, reason = excluded.reason)sql"};

// ?1 scope  ?2 name. Index: primary key.
constexpr Query kDeletePause{"delete_pause", "delete from pause where scope = ?1 and name = ?2"};

// ?1 now_us. A scan of at most kPausesMax rows, and so are the next.
constexpr Query kDeleteExpiredPauses{"delete_expired_pauses", "delete from pause where until_us <= ?1"};
constexpr Query kCountPauses{"count_pauses", "select count(*) from pause"};
constexpr Query kPauses{"pauses", R"sql(
  select scope, name, paused_us, until_us, uid, login, reason from pause order by scope, name)sql"};

// Index: primary key.
constexpr Query kPausesMark{"pauses_mark", "select seq from mark where name = 'pauses'"};

// ?1 scope. Index: primary key; unique name.
constexpr Query kPausedQueueNumbers{"paused_queue_numbers", R"sql(
  select queue.number from pause join queue on queue.name = pause.name where pause.scope = 1 order by queue.number)sql"};
constexpr Query kPausedKindNumbers{"paused_kind_numbers", R"sql(
  select kind.number from pause join kind on kind.name = pause.name where pause.scope = 2 order by kind.number)sql"};

// Of a damaged row too.
PauseScope scope_in(const sqlite::Statement& row) {
  return row.integer(0) == 2 ? PauseScope::kind : PauseScope::queue;
}

std::optional<WallTime> until_in(const sqlite::Statement& row) {
  const auto until = row.optional_integer(3);
  return until ? std::optional{from_us(*until)} : std::nullopt;
}

}  // namespace

bool is_paused(Connection& connection, PauseScope scope, std::string_view name) {
  return connection.statement(kIsPaused).bind(static_cast<std::int64_t>(scope), name).step();
}

std::vector<std::int64_t> paused_numbers(Connection& connection, PauseScope scope) {
  std::vector<std::int64_t> numbers;
  auto row = connection.statement(scope == PauseScope::queue ? kPausedQueueNumbers : kPausedKindNumbers);
  while (row.step()) numbers.push_back(row.integer(0));
  return numbers;
}

std::vector<PauseRecord> SqliteJobReader::pauses() {
  std::vector<PauseRecord> all;
  auto row = connection_.statement(kPauses);
  while (row.step())
    all.push_back({.scope = scope_in(row),
                   .name = std::string{row.text(1)},
                   .paused = from_us(row.integer(2)),
                   .until = until_in(row),
                   .uid = row.integer(4),
                   .login = std::string{row.text(5)},
                   .reason = std::string{row.text(6)}});
  return all;
}

Result<bool> SqliteWriter::pause(const NewPause& pause, WallTime now) {
  if (auto fits = check_pause(pause, now); !fits) return tl::unexpected(std::move(fits.error()));
  if (pause.scope == PauseScope::tenant) return pause_tenant(connection_, pause, now);
  const Query& knows = pause.scope == PauseScope::queue ? kKnowsPausedQueue : kKnowsPausedKind;
  if (connection_.statement(knows).bind(pause.name).row().integer(0) == 0)
    return unknown_paused(pause.scope, pause.name);
  remove_expired_pauses(now);
  const bool is_new = !is_paused(connection_, pause.scope, pause.name);
  if (is_new && connection_.statement(kCountPauses).row().integer(0) >= static_cast<std::int64_t>(kPausesMax))
    return too_many_pauses();
  connection_.statement(kPutPause)
      .bind(static_cast<std::int64_t>(pause.scope), pause.name, to_us(now),
            pause.until ? std::optional{to_us(*pause.until)} : std::nullopt, pause.uid, pause.login,
            pause.reason)
      .run();
  return is_new;
}

bool SqliteWriter::resume(PauseScope scope, std::string_view name) {
  if (scope == PauseScope::tenant) {
    const auto parsed = TenantName::parse(name);
    const auto tenant = parsed ? newest_tenant(connection_, *parsed) : std::nullopt;
    return tenant && resume_tenant(connection_, *tenant);
  }
  connection_.statement(kDeletePause).bind(static_cast<std::int64_t>(scope), name).run();
  return connection_.changes() > 0;
}

std::optional<OpenPauses> SqliteWriter::open_pauses(PausesMark known) {
  const PausesMark mark{connection_.statement(kPausesMark).row().integer(0)};
  if (mark == known) return std::nullopt;
  OpenPauses open{mark, {}, tenants_paused_until(connection_)};
  auto row = connection_.statement(kPauses);
  while (row.step()) open.pauses.push_back({scope_in(row), std::string{row.text(1)}, until_in(row)});
  return open;
}

void SqliteWriter::remove_expired_pauses(WallTime now) {
  connection_.statement(kDeleteExpiredPauses).bind(to_us(now)).run();
  resume_expired_tenants(connection_, now);
}

std::vector<const Query*> pause_queries() {
  return {&kKnowsPausedQueue, &kKnowsPausedKind,     &kIsPaused,         &kPutPause,
          &kDeletePause,      &kDeleteExpiredPauses, &kCountPauses,      &kPauses,
          &kPausesMark,       &kPausedQueueNumbers,  &kPausedKindNumbers};
}

}  // namespace tenure::queue
