#include "pools.hpp"

#include "../pool_slots.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <map>
#include <string>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Few rows in all of them: pools are configured, and kinds are limited. Index: none, the whole table.
constexpr Query kPools{"pools", "select name, workers, tenants from pool order by name"};
// ?1 pool. Index: primary key.
constexpr Query kQueuesOfPool{"queues_of_pool",
                              "select queue from pool_queue where pool = ?1 order by queue"};
constexpr Query kKindsOfPool{"kinds_of_pool",
                             "select kind, schema_min from pool_kind where pool = ?1 order by kind"};
constexpr Query kReadingKindsOfPool{
    "reading_kinds_of_pool", "select kind from pool_kind where pool = ?1 and reads_only = 1 order by kind"};
constexpr Query kDefaultsOfPool{"defaults_of_pool",
                                "select queue from pool_default_queue where pool = ?1 order by queue"};
// ?1 pool. Index: primary key.
constexpr Query kTenantsOfPool{"tenants_of_pool",
                               "select tenant from pool_tenant where pool = ?1 order by tenant"};
constexpr Query kReservedOfPool{"reserved_of_pool", R"sql(
  select priority, slots from pool_reserved where pool = ?1 order by priority)sql"};
constexpr Query kProcessesOfPool{"processes_of_pool", R"sql(
  select process, slots from pool_process where pool = ?1 order by process)sql"};

// The newest dispatcher's, whose numbers no other one's claims have. A scan of what runs now.
constexpr Query kClaimsByProcess{"claims_by_process", R"sql(
  select process, count(*) from claim where incarnation = (select max(incarnation) from holder)
  group by process)sql"};

// The same by the priorities of their jobs. Index: primary key of job.
constexpr Query kClaimsByPriority{"claims_by_priority", R"sql(
  select claim.process, job.priority, count(*) from claim join job on job.seq = claim.seq
  where claim.incarnation = (select max(incarnation) from holder)
  group by claim.process, job.priority)sql"};

// The newest dispatcher's. Index: none, the whole table.
constexpr Query kPoolsOfNow{"pools_of_now", R"sql(
  select name, workers, tenants from pool where incarnation = (select max(incarnation) from holder))sql"};
// ?1 pool. Index: primary key; names of queues and kinds.
constexpr Query kQueueNumbersOfPool{"queue_numbers_of_pool", R"sql(
  select queue.number from pool_queue join queue on queue.name = pool_queue.queue
  where pool_queue.pool = ?1 order by queue.number)sql"};
constexpr Query kKindNumbersOfPool{"kind_numbers_of_pool", R"sql(
  select kind.number, schema_min from pool_kind join kind on kind.name = pool_kind.kind
  where pool_kind.pool = ?1 order by kind.number)sql"};
// ?1 pool. Index: primary key; names of tenants, whatever their generation.
constexpr Query kTenantNumbersOfPool{"tenant_numbers_of_pool", R"sql(
  select tenant.number from pool_tenant join tenant on tenant.name = pool_tenant.tenant
  where pool_tenant.pool = ?1 order by tenant.number)sql"};
constexpr Query kReadingKindNumbersOfPool{"reading_kind_numbers_of_pool", R"sql(
  select kind.number from pool_kind join kind on kind.name = pool_kind.kind
  where pool_kind.pool = ?1 and pool_kind.reads_only = 1 order by kind.number)sql"};

// ?1 name  ?2 incarnation  ?3 workers  ?4 tenants. Index: primary key.
constexpr Query kPutPool{"put_pool", R"sql(
  insert into pool(name, incarnation, workers, tenants) values (?1, ?2, ?3, ?4)
  on conflict(name) do update set incarnation = excluded.incarnation, workers = excluded.workers,
    tenants = excluded.tenants)sql"};
// ?1 pool. Index: primary key.
constexpr Query kDeletePool{"delete_pool", "delete from pool where name = ?1"};
constexpr Query kDeleteQueuesOfPool{"delete_queues_of_pool", "delete from pool_queue where pool = ?1"};
constexpr Query kDeleteKindsOfPool{"delete_kinds_of_pool", "delete from pool_kind where pool = ?1"};
constexpr Query kDeleteDefaultsOfPool{"delete_defaults_of_pool",
                                      "delete from pool_default_queue where pool = ?1"};
constexpr Query kDeleteProcessesOfPool{"delete_processes_of_pool",
                                       "delete from pool_process where pool = ?1"};
constexpr Query kDeleteTenantsOfPool{"delete_tenants_of_pool", "delete from pool_tenant where pool = ?1"};
constexpr Query kDeleteReservedOfPool{"delete_reserved_of_pool", "delete from pool_reserved where pool = ?1"};
// ?1 pool  ?2 tenant.
constexpr Query kInsertTenantOfPool{"insert_tenant_of_pool",
                                    "insert into pool_tenant(pool, tenant) values (?1, ?2)"};
// ?1 pool  ?2 priority  ?3 slots.
constexpr Query kInsertReservedOfPool{"insert_reserved_of_pool",
                                      "insert into pool_reserved(pool, priority, slots) values (?1, ?2, ?3)"};
// ?1 pool  ?2 queue or kind  ?3 schema_min  ?4 reads_only.
constexpr Query kInsertQueueOfPool{"insert_queue_of_pool",
                                   "insert into pool_queue(pool, queue) values (?1, ?2)"};
constexpr Query kInsertKindOfPool{
    "insert_kind_of_pool",
    "insert into pool_kind(pool, kind, schema_min, reads_only) values (?1, ?2, ?3, ?4)"};
constexpr Query kInsertDefaultOfPool{"insert_default_of_pool",
                                     "insert into pool_default_queue(pool, queue) values (?1, ?2)"};
// ?1 pool  ?2 process  ?3 slots.
constexpr Query kInsertProcessOfPool{"insert_process_of_pool",
                                     "insert into pool_process(pool, process, slots) values (?1, ?2, ?3)"};

std::vector<std::string> texts_of(sqlite::Connection& connection, const Query& query, std::string_view pool) {
  std::vector<std::string> texts;
  auto row = connection.statement(query);
  row.bind(pool);
  while (row.step()) texts.emplace_back(row.text(0));
  return texts;
}

std::vector<std::int64_t> numbers_of(sqlite::Connection& connection, const Query& query,
                                     std::string_view pool) {
  std::vector<std::int64_t> numbers;
  auto row = connection.statement(query);
  row.bind(pool);
  while (row.step()) numbers.push_back(row.integer(0));
  return numbers;
}

std::vector<PoolProcess> processes_of(sqlite::Connection& connection, std::string_view pool) {
  std::vector<PoolProcess> processes;
  auto row = connection.statement(kProcessesOfPool);
  row.bind(pool);
  while (row.step()) processes.push_back({ProcessNumber{row.integer(0)}, row.integer(1)});
  return processes;
}

std::vector<ReservedSlots> reserved_of(sqlite::Connection& connection, std::string_view pool) {
  std::vector<ReservedSlots> reserved;
  auto row = connection.statement(kReservedOfPool);
  row.bind(pool);
  while (row.step()) reserved.push_back({Priority{static_cast<int>(row.integer(0))}, row.integer(1)});
  return reserved;
}

// Checked by the table.
PoolTenants::Rule rule_in(std::int64_t stored) { return static_cast<PoolTenants::Rule>(stored); }

// All generations of its tenants.
std::vector<std::int64_t> tenant_numbers_of(sqlite::Connection& connection, std::string_view pool) {
  std::vector<std::int64_t> numbers = numbers_of(connection, kTenantNumbersOfPool, pool);
  const auto names = texts_of(connection, kTenantsOfPool, pool);
  if (std::ranges::binary_search(names, kUntenantedName)) numbers.insert(numbers.begin(), kUntenanted.value);
  return numbers;
}

void replace(sqlite::Connection& connection, const Query& erase, const Query& insert, std::string_view pool,
             const std::vector<std::string>& texts) {
  connection.statement(erase).bind(pool).run();
  for (const std::string& text : texts) connection.statement(insert).bind(pool, text).run();
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  sort_uniquely(texts);
  return texts;
}

void replace_kinds(sqlite::Connection& connection, const PoolRecord& pool,
                   const std::vector<std::string>& kinds, const std::vector<std::string>& reads_only) {
  connection.statement(kDeleteKindsOfPool).bind(pool.name).run();
  for (const std::string& kind : kinds) {
    const auto wanted = pool.schemas.find(kind);
    connection.statement(kInsertKindOfPool)
        .bind(pool.name, kind, wanted == pool.schemas.end() ? std::int64_t{0} : wanted->second,
              std::int64_t{std::ranges::binary_search(reads_only, kind) ? 1 : 0})
        .run();
  }
}

void replace_rules(sqlite::Connection& connection, const PoolRecord& pool, const PoolRecord& before) {
  if (pool.tenants.names != before.tenants.names)
    replace(connection, kDeleteTenantsOfPool, kInsertTenantOfPool, pool.name, pool.tenants.names);
  if (pool.reserved == before.reserved) return;
  connection.statement(kDeleteReservedOfPool).bind(pool.name).run();
  for (const ReservedSlots& reserved : pool.reserved)
    connection.statement(kInsertReservedOfPool)
        .bind(pool.name, reserved.priority.value, reserved.slots)
        .run();
}

// By a name or a number of the kind.
template <class Key>
std::map<Key, std::int64_t> schemas_of(sqlite::Connection& connection, const Query& query,
                                       std::string_view pool, Key (*key_in)(const sqlite::Statement&)) {
  std::map<Key, std::int64_t> schemas;
  auto row = connection.statement(query);
  row.bind(pool);
  while (row.step())
    if (const std::int64_t wanted = row.integer(1); wanted > 0) schemas[key_in(row)] = wanted;
  return schemas;
}

void write_pool(sqlite::Connection& connection, Incarnation incarnation, const PoolRecord& pool,
                const PoolRecord& before) {
  connection.statement(kPutPool)
      .bind(pool.name, incarnation.value, pool.workers, static_cast<std::int64_t>(pool.tenants.rule))
      .run();
  replace_rules(connection, pool, before);
  if (const auto queues = sorted(pool.queues); queues != before.queues)
    replace(connection, kDeleteQueuesOfPool, kInsertQueueOfPool, pool.name, queues);
  if (pool.processes != before.processes) {
    connection.statement(kDeleteProcessesOfPool).bind(pool.name).run();
    for (const PoolProcess& process : pool.processes)
      connection.statement(kInsertProcessOfPool).bind(pool.name, process.number.value, process.slots).run();
  }
  if (pool.workers == 0) return;
  const auto kinds = sorted(pool.kinds);
  const auto reads_only = sorted(pool.reads_only);
  if (kinds != before.kinds || pool.schemas != before.schemas || reads_only != before.reads_only)
    replace_kinds(connection, pool, kinds, reads_only);
  if (const auto queues = sorted(pool.default_queues); queues != before.default_queues)
    replace(connection, kDeleteDefaultsOfPool, kInsertDefaultOfPool, pool.name, queues);
}

}  // namespace

void write_pools(sqlite::Connection& connection, Incarnation incarnation, std::span<const PoolRecord> pools) {
  std::vector<PoolRecord> former = read_pools(connection);
  for (const PoolRecord& pool : pools) {
    const auto before = std::ranges::find(former, pool.name, &PoolRecord::name);
    write_pool(connection, incarnation, pool, before == former.end() ? PoolRecord{} : *before);
    if (before != former.end()) former.erase(before);
  }
  for (const PoolRecord& gone : former)
    for (const Query* const erase :
         {&kDeletePool, &kDeleteQueuesOfPool, &kDeleteKindsOfPool, &kDeleteDefaultsOfPool,
          &kDeleteProcessesOfPool, &kDeleteTenantsOfPool, &kDeleteReservedOfPool})
      connection.statement(*erase).bind(gone.name).run();
}

std::vector<PoolRecord> read_pools(sqlite::Connection& connection) {
  std::vector<PoolRecord> pools;
  auto row = connection.statement(kPools);
  while (row.step()) {
    const std::string name{row.text(0)};
    pools.push_back(
        {name, texts_of(connection, kQueuesOfPool, name), row.integer(1),
         texts_of(connection, kKindsOfPool, name), texts_of(connection, kDefaultsOfPool, name),
         processes_of(connection, name),
         schemas_of<std::string>(connection, kKindsOfPool, name,
                                 [](const sqlite::Statement& kind) { return std::string{kind.text(0)}; }),
         PoolTenants{rule_in(row.integer(2)), texts_of(connection, kTenantsOfPool, name)},
         reserved_of(connection, name), texts_of(connection, kReadingKindsOfPool, name)});
  }
  return pools;
}

std::vector<PoolSlots> read_pool_slots(sqlite::Connection& connection) {
  std::vector<PoolRecord> pools;
  {
    auto row = connection.statement(kPoolsOfNow);
    while (row.step()) {
      const std::string name{row.text(0)};
      pools.push_back({.name = name,
                       .processes = processes_of(connection, name),
                       .reserved = reserved_of(connection, name)});
    }
  }
  ClaimsByPriority claims;
  if (std::ranges::any_of(pools, [](const PoolRecord& pool) { return !pool.reserved.empty(); })) {
    auto row = connection.statement(kClaimsByPriority);
    while (row.step()) claims[ProcessNumber{row.integer(0)}][row.integer(1)] = row.integer(2);
  } else {
    auto row = connection.statement(kClaimsByProcess);
    while (row.step()) claims[ProcessNumber{row.integer(0)}][0] = row.integer(1);
  }
  std::vector<PoolSlots> all;
  for (const PoolRecord& pool : pools) all.push_back(slots_of(pool, claims));
  return all;
}

LaneGates read_gates(sqlite::Connection& connection) {
  std::vector<LaneGates::Pool> pools;
  auto row = connection.statement(kPoolsOfNow);
  while (row.step()) {
    const std::string name{row.text(0)};
    pools.push_back({row.integer(1) > 0, numbers_of(connection, kQueueNumbersOfPool, name),
                     numbers_of(connection, kKindNumbersOfPool, name),
                     schemas_of<std::int64_t>(connection, kKindNumbersOfPool, name,
                                              [](const sqlite::Statement& kind) { return kind.integer(0); }),
                     rule_in(row.integer(2)), tenant_numbers_of(connection, name),
                     numbers_of(connection, kReadingKindNumbersOfPool, name)});
  }
  return pools.empty() ? LaneGates{} : LaneGates{std::move(pools)};
}

std::vector<const Query*> pool_queries() {
  return {&kPools,
          &kQueuesOfPool,
          &kKindsOfPool,
          &kReadingKindsOfPool,
          &kDefaultsOfPool,
          &kTenantsOfPool,
          &kReservedOfPool,
          &kProcessesOfPool,
          &kClaimsByProcess,
          &kClaimsByPriority,
          &kPoolsOfNow,
          &kQueueNumbersOfPool,
          &kKindNumbersOfPool,
          &kTenantNumbersOfPool,
          &kReadingKindNumbersOfPool,
          &kPutPool,
          &kDeletePool,
          &kDeleteQueuesOfPool,
          &kDeleteKindsOfPool,
          &kDeleteDefaultsOfPool,
          &kDeleteProcessesOfPool,
          &kDeleteTenantsOfPool,
          &kDeleteReservedOfPool,
          &kInsertTenantOfPool,
          &kInsertReservedOfPool,
          &kInsertQueueOfPool,
          &kInsertKindOfPool,
          &kInsertDefaultOfPool,
          &kInsertProcessOfPool};
}

}  // namespace tenure::queue
