#include "places.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 queue  ?2 priority  ?3 tenant  ?4 kind  ?5 due_us  ?6 seq.
constexpr Query kInsertReady{"insert_ready", R"sql(
  insert into ready(queue, priority, tenant, kind, due_us, seq) values (?1, ?2, ?3, ?4, ?5, ?6))sql"};

// ?1 to ?4 the lane  ?5, ?6 first place (due_us, seq)  ?7, ?8 last place. Index: primary key.
constexpr Query kDeleteReady{"delete_ready", R"sql(
  delete from ready where queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4
    and (due_us, seq) >= (?5, ?6) and (due_us, seq) <= (?7, ?8))sql"};

// ?1 to ?6 as in insert_ready. Index: primary key.
constexpr Query kIsInReady{"is_in_ready", R"sql(
  select 1 from ready
  where queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4 and due_us = ?5 and seq = ?6)sql"};

// One step of a loose scan. ?1 queue  ?2 priority before. Index: primary key.
constexpr Query kNextPriority{"next_priority", R"sql(
  select queue, priority from ready where (queue, priority) > (?1, ?2) order by queue, priority limit 1)sql"};

// ?1 due_us  ?2 seq  ?3 queue  ?4 priority  ?5 tenant  ?6 kind.
constexpr Query kInsertScheduled{"insert_scheduled", R"sql(
  insert into scheduled(due_us, seq, queue, priority, tenant, kind) values (?1, ?2, ?3, ?4, ?5, ?6))sql"};

// ?1 due_us  ?2 seq. Index: primary key.
constexpr Query kDeleteOneScheduled{"delete_one_scheduled",
                                    "delete from scheduled where due_us = ?1 and seq = ?2"};
constexpr Query kIsScheduled{"is_scheduled", "select 1 from scheduled where due_us = ?1 and seq = ?2"};

// ?1 seq  ?2 reason  ?3 queue  ?4 priority  ?5 tenant  ?6 kind  ?7 due_us.
constexpr Query kInsertBlocked{"insert_blocked", R"sql(
  insert into blocked(seq, reason, queue, priority, tenant, kind, due_us) values (?1, ?2, ?3, ?4, ?5, ?6, ?7))sql"};

// ?1 seq. Index: primary key.
constexpr Query kDeleteBlocked{"delete_blocked", "delete from blocked where seq = ?1"};
constexpr Query kIsBlocked{"is_blocked", "select 1 from blocked where seq = ?1"};
constexpr Query kIsClaimed{"is_claimed", "select 1 from claim where seq = ?1"};

void bind_lane(sqlite::Statement& statement, const Lane& lane) {
  statement.bind(lane.queue.value, lane.priority.value, lane.tenant.value, lane.kind.value);
}

bool finds(sqlite::Statement&& statement) { return statement.step(); }

}  // namespace

void insert_ready(sqlite::Connection& connection, const Lane& lane, const LanePlace& place) {
  auto statement = connection.statement(kInsertReady);
  bind_lane(statement, lane);
  statement.bind(to_us(place.due), place.seq.value).run();
}

void delete_ready(sqlite::Connection& connection, const Lane& lane, const LanePlace& first,
                  const LanePlace& last) {
  auto statement = connection.statement(kDeleteReady);
  bind_lane(statement, lane);
  statement.bind(to_us(first.due), first.seq.value, to_us(last.due), last.seq.value).run();
}

bool is_in_ready(sqlite::Connection& connection, const Lane& lane, const LanePlace& place) {
  auto statement = connection.statement(kIsInReady);
  bind_lane(statement, lane);
  return statement.bind(to_us(place.due), place.seq.value).step();
}

bool go_to_next(sqlite::Connection& connection, ReadyPriority& at) {
  auto row = connection.statement(kNextPriority);
  if (!row.bind(at.queue, at.priority).step()) return false;
  at = {row.integer(0), row.integer(1)};
  return true;
}

void insert_scheduled(sqlite::Connection& connection, const Lane& lane, const LanePlace& place) {
  auto statement = connection.statement(kInsertScheduled);
  statement.bind(to_us(place.due), place.seq.value);
  bind_lane(statement, lane);
  statement.run();
}

void delete_scheduled(sqlite::Connection& connection, const LanePlace& place) {
  connection.statement(kDeleteOneScheduled).bind(to_us(place.due), place.seq.value).run();
}

bool is_scheduled(sqlite::Connection& connection, const LanePlace& place) {
  auto statement = connection.statement(kIsScheduled);
  return statement.bind(to_us(place.due), place.seq.value).step();
}

void insert_blocked(sqlite::Connection& connection, const Lane& lane, const LanePlace& place,
                    JobReason reason) {
  auto statement = connection.statement(kInsertBlocked);
  statement.bind(place.seq.value, static_cast<int>(reason));
  bind_lane(statement, lane);
  statement.bind(to_us(place.due)).run();
}

void delete_blocked(sqlite::Connection& connection, JobSeq seq) {
  connection.statement(kDeleteBlocked).bind(seq.value).run();
}

bool is_blocked(sqlite::Connection& connection, JobSeq seq) {
  return finds(std::move(connection.statement(kIsBlocked).bind(seq.value)));
}

bool is_claimed(sqlite::Connection& connection, JobSeq seq) {
  return finds(std::move(connection.statement(kIsClaimed).bind(seq.value)));
}

std::vector<const Query*> place_queries() {
  return {&kInsertReady,     &kDeleteReady,        &kIsInReady,   &kNextPriority,
          &kInsertScheduled, &kDeleteOneScheduled, &kIsScheduled, &kInsertBlocked,
          &kDeleteBlocked,   &kIsBlocked,          &kIsClaimed};
}

}  // namespace tenure::queue
