#include "outbox_rows.hpp"

#include <tenure/base/clock.hpp>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// ?1 name  ?2 generation. Index: unique (name, generation).
constexpr Query kOutboxOwner{"outbox_owner", "select number from tenant where name = ?1 and generation = ?2"};

// ?1 tenant. Index: primary key.
constexpr Query kOutboxSeen{"outbox_seen", "select seq from outbox_seen where tenant = ?1"};

// ?1 tenant  ?2 seq. Index: primary key.
constexpr Query kSetOutboxSeen{"set_outbox_seen", R"sql(
  insert into outbox_seen(tenant, seq) values (?1, ?2)
  on conflict (tenant) do update set seq = max(seq, excluded.seq))sql"};

// ?1 tenant. Index: primary key.
constexpr Query kOutboxBehind{"outbox_behind", "select behind from outbox_seen where tenant = ?1"};

// ?1 tenant  ?2 behind. Index: primary key.
constexpr Query kSetOutboxBehind{"set_outbox_behind", "update outbox_seen set behind = ?2 where tenant = ?1"};

// From active, paused and read-only. ?1 number. Index: primary keys.
constexpr Query kKeepFormerState{"keep_former_state", R"sql(
  update outbox_seen set former_state = (select state from tenant where number = ?1)
  where tenant = ?1 and (select state from tenant where number = ?1) in (2, 3, 4))sql"};
constexpr Query kFailTenant{"fail_tenant",
                            "update tenant set state = 6 where number = ?1 and state in (2, 3, 4)"};

// One that has failed for something else stays so. ?1 number. Index: primary keys.
constexpr Query kReviveTenant{"revive_tenant", R"sql(
  update tenant set state = (select former_state from outbox_seen where tenant = ?1)
  where number = ?1 and state = 6 and (select former_state from outbox_seen where tenant = ?1) in (2, 3, 4))sql"};
constexpr Query kForgetFormerState{"forget_former_state",
                                   "update outbox_seen set former_state = null where tenant = ?1"};

// ?1 tenant  ?2 epoch  ?3 now_us. Index: outbox_mark_tenant.
constexpr Query kInsertOutboxMark{"insert_outbox_mark", R"sql(
  insert into outbox_mark(tenant, epoch, marked_us) values (?1, ?2, ?3) on conflict do nothing)sql"};

// ?1 incarnation. A scan of what runs now; index: primary key of job.
constexpr Query kTenantsOfFormerClaims{"tenants_of_former_claims", R"sql(
  select distinct job.tenant from claim cross join job on job.seq = claim.seq
  where claim.incarnation <> ?1 and job.tenant <> 0)sql"};

// The mark without an epoch: with a number that is new, also where it was there, and the time of the first. ?1 tenant  ?2 now_us. Index:
// outbox_mark_tenant.
constexpr Query kRenewOutboxMark{"renew_outbox_mark", R"sql(
  insert or replace into outbox_mark(tenant, epoch, marked_us) values (?1, null, ifnull(
    (select marked_us from outbox_mark where tenant = ?1 and ifnull(epoch, -1) = -1), ?2)))sql"};

// ?1 number  ?2 limit. Index: primary keys.
constexpr Query kOutboxMarksBehind{"outbox_marks_behind", R"sql(
  select outbox_mark.number, tenant.name, tenant.generation, outbox_mark.epoch, outbox_mark.marked_us
  from outbox_mark join tenant on tenant.number = outbox_mark.tenant
  where outbox_mark.number > ?1 and tenant.name is not null order by outbox_mark.number limit ?2)sql"};

// The row is there: its watermark was raised before. ?1 tenant  ?2 count  ?3 now_us. Index: primary key.
constexpr Query kAddLostRows{"add_lost_rows", R"sql(
  update outbox_seen set lost = lost + ?2, lost_us = ?3 where tenant = ?1)sql"};

// ?1 tenant. Index: primary key.
constexpr Query kLostRows{"lost_rows", "select lost, lost_us from outbox_seen where tenant = ?1"};

// ?1 limit. Index: outbox_lost.
constexpr Query kNewestLostRows{"newest_lost_rows", R"sql(
  select tenant.name, tenant.generation, outbox_seen.lost, outbox_seen.lost_us
  from outbox_seen join tenant on tenant.number = outbox_seen.tenant
  where outbox_seen.lost > 0 order by outbox_seen.lost_us desc limit ?1)sql"};

// With new numbers, also where a restore before this one has left marks. ?1 epoch  ?2 now_us. A scan of the registry.
constexpr Query kMarkOutboxesOfRestore{"mark_outboxes_of_restore", R"sql(
  insert or replace into outbox_mark(tenant, epoch, marked_us)
  select number, ?1, ?2 from tenant where name is not null and state <> 8 order by number)sql"};

// ?1 number. Index: primary key.
constexpr Query kDeleteOutboxMark{"delete_outbox_mark", "delete from outbox_mark where number = ?1"};

}  // namespace

std::optional<TenantNumber> outbox_owner_number(Connection& connection, const OutboxOwner& owner) {
  auto row = connection.statement(kOutboxOwner);
  if (!row.bind(owner.tenant.text(), owner.generation.value).step()) return std::nullopt;
  return TenantNumber{row.integer(0)};
}

OutboxSeq outbox_watermark(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kOutboxSeen);
  return OutboxSeq{row.bind(tenant.value).step() ? row.integer(0) : 0};
}

void set_outbox_watermark(Connection& connection, TenantNumber tenant, OutboxSeq seq) {
  connection.statement(kSetOutboxSeen).bind(tenant.value, seq.value).run();
}

std::optional<OutboxSeq> outbox_behind(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kOutboxBehind);
  if (!row.bind(tenant.value).step() || row.is_null(0)) return std::nullopt;
  return OutboxSeq{row.integer(0)};
}

void set_outbox_behind(Connection& connection, TenantNumber tenant, std::optional<OutboxSeq> newest) {
  const auto value = newest ? std::optional{newest->value} : std::nullopt;
  connection.statement(kSetOutboxBehind).bind(tenant.value, value).run();
}

bool fail_tenant(Connection& connection, TenantNumber tenant) {
  connection.statement(kKeepFormerState).bind(tenant.value).run();
  connection.statement(kFailTenant).bind(tenant.value).run();
  return connection.changes() > 0;
}

void revive_tenant(Connection& connection, TenantNumber tenant) {
  connection.statement(kReviveTenant).bind(tenant.value).run();
  connection.statement(kForgetFormerState).bind(tenant.value).run();
}

bool insert_outbox_mark(Connection& connection, TenantNumber tenant, std::int64_t epoch, WallTime now) {
  connection.statement(kInsertOutboxMark).bind(tenant.value, epoch, to_us(now)).run();
  return connection.changes() > 0;
}

void renew_outbox_mark(Connection& connection, TenantNumber tenant, WallTime now) {
  connection.statement(kRenewOutboxMark).bind(tenant.value, to_us(now)).run();
}

void renew_outbox_marks_of_former_claims(Connection& connection, Incarnation current, WallTime now) {
  std::vector<TenantNumber> tenants;
  {
    auto row = connection.statement(kTenantsOfFormerClaims);
    row.bind(current.value);
    while (row.step()) tenants.push_back(TenantNumber{row.integer(0)});
  }
  for (const TenantNumber tenant : tenants) renew_outbox_mark(connection, tenant, now);
}

std::vector<OutboxMark> outbox_marks_behind(Connection& connection, OutboxMarkNumber after,
                                            std::size_t limit) {
  std::vector<OutboxMark> marks;
  auto row = connection.statement(kOutboxMarksBehind);
  row.bind(after.value, limit);
  while (row.step())
    marks.push_back({OutboxMarkNumber{row.integer(0)},
                     {TenantName::stored(row.text(1)), Generation{row.integer(2)}},
                     row.is_null(3) ? std::nullopt : std::optional{row.integer(3)},
                     from_us(row.integer(4))});
  return marks;
}

void add_lost_rows(Connection& connection, TenantNumber tenant, std::int64_t count, WallTime now) {
  connection.statement(kAddLostRows).bind(tenant.value, count, to_us(now)).run();
}

LostRows lost_rows_of(Connection& connection, const OutboxOwner& owner) {
  LostRows lost{.owner = owner};
  const auto number = outbox_owner_number(connection, owner);
  if (!number) return lost;
  auto row = connection.statement(kLostRows);
  if (!row.bind(number->value).step() || row.integer(0) == 0) return lost;
  lost.count = row.integer(0);
  lost.found = from_us(row.integer(1));
  return lost;
}

std::vector<LostRows> newest_lost_rows(Connection& connection, std::size_t limit) {
  std::vector<LostRows> all;
  auto row = connection.statement(kNewestLostRows);
  row.bind(limit);
  while (row.step())
    all.push_back({{TenantName::stored(row.text(0)), Generation{row.integer(1)}},
                   row.integer(2),
                   from_us(row.integer(3))});
  return all;
}

std::int64_t mark_outboxes_of_restore(Connection& connection, WallTime now) {
  connection.statement(kMarkOutboxesOfRestore).bind(kEpochOfRestore, to_us(now)).run();
  return connection.changes();
}

void delete_outbox_marks(Connection& connection, std::span<const OutboxMarkNumber> marks) {
  for (const OutboxMarkNumber mark : marks) connection.statement(kDeleteOutboxMark).bind(mark.value).run();
}

std::vector<const Query*> outbox_queries() {
  return {&kOutboxOwner,
          &kOutboxSeen,
          &kSetOutboxSeen,
          &kOutboxBehind,
          &kSetOutboxBehind,
          &kKeepFormerState,
          &kFailTenant,
          &kReviveTenant,
          &kForgetFormerState,
          &kInsertOutboxMark,
          &kTenantsOfFormerClaims,
          &kRenewOutboxMark,
          &kOutboxMarksBehind,
          &kAddLostRows,
          &kLostRows,
          &kNewestLostRows,
          &kMarkOutboxesOfRestore,
          &kDeleteOutboxMark};
}

}  // namespace tenure::queue
