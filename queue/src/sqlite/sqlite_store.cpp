#include "sqlite_registry.hpp"
#include "sqlite_writer.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/database.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <algorithm>
#include <atomic>
#include <control_schema.hpp>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Database;
using sqlite::DatabaseOptions;

// A daemon moves the log long before it has grown so far; where none lives, whoever enqueues does.
constexpr std::int64_t kLonelyCheckpointBytes = 12LL << 20U;

// SQLite's default of 2 MiB holds the indexes of some ten thousand jobs; beyond it every claim reads pages back from the
// log. Memory is taken as pages are, up to 32 MiB, by the one connection that writes.
constexpr sqlite::Query kWriterCache{"writer_cache", "pragma cache_size = -32768"};

// A connection of its own, closed before the database is used: a migration has transactions of its own.
void bring_up_to_date(const SqliteStoreOptions& options, const Clock& clock) {
  const std::vector<sqlite::Migration> migrations{
      {1, "0001_control.sql", std::string{schema::k0001_control_sql}}};
  Connection connection(options.path,
                        {.access = options.create ? sqlite::Access::create : sqlite::Access::read_write});
  if (sqlite::migrate(connection, migrations, to_us(clock.wall())) > 0) sqlite::sync_wal(connection);
}

const std::filesystem::path& migrated(const SqliteStoreOptions& options, const Clock& clock) {
  bring_up_to_date(options, clock);
  return options.path;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteStoreOptions& options, const Clock& clock)
      : database_(migrated(options, clock),
                  DatabaseOptions{.writer_queue = true, .queue_wait_max = options.turn_wait_max}),
        facts_{std::min(options.payload_max, limits::kPayloadMax), [this] { return database_.wal_bytes(); }},
        registry_(database_) {
    database_.write(Durability::ordered, [](Connection& connection) { connection.execute(kWriterCache); });
  }

  void write(Durability durability, FunctionRef<void(StoreWriter&)> work) override {
    std::vector<TransactionNames::Name> seen;
    database_.write(durability, [&](Connection& connection) {
      TransactionNames names(connection, committed_names_);
      SqliteWriter writer(connection, names, facts_);
      work(writer);
      seen = names.take_seen();
    });
    remember(seen);
    checkpoint_if_long();
  }

  void read(FunctionRef<void(StoreReader&)> work) override {
    std::vector<TransactionNames::Name> seen;
    database_.read([&](Connection& connection) {
      TransactionNames names(connection, committed_names_);
      SqliteReader reader(connection, names, facts_);
      work(reader);
      seen = names.take_seen();
    });
    remember(seen);
  }

  void sync() override { database_.sync(); }
  std::int64_t change_counter() override { return database_.data_version(); }
  void checkpoint(std::int64_t wal_bytes_min) override {
    // The file keeps its size after a checkpoint; only what is new in it counts. Another process's part is found when idle.
    const std::int64_t bytes = wal_bytes_min == 0 ? database_.wal_bytes() : database_.bytes_to_checkpoint();
    if (bytes > wal_bytes_min) static_cast<void>(database_.checkpoint());
  }
  TenantRegistry& registry() override { return registry_; }

 private:
  // After a partial checkpoint the log must grow by as much again before the next try. The commit before it stands whatever
  // becomes of this: its caller must not take it for failed and enqueue again.
  void checkpoint_if_long() {
    const std::int64_t bytes = database_.bytes_to_checkpoint();
    if (bytes < next_checkpoint_bytes_) return;
    next_checkpoint_bytes_ = bytes + kLonelyCheckpointBytes;
    try {
      static_cast<void>(database_.checkpoint());
    } catch (const Error& error) {
      log::write(log::Level::warning, "store.checkpoint_failed", error.what());
      return;
    }
    if (database_.bytes_to_checkpoint() < kLonelyCheckpointBytes)
      next_checkpoint_bytes_ = kLonelyCheckpointBytes;
  }

  void remember(const std::vector<TransactionNames::Name>& names) {
    for (const auto& [table, name, number] : names) committed_names_.remember(table, name, number);
  }

  Database database_;
  InternedNames committed_names_;
  StoreFacts facts_;
  SqliteRegistry registry_;
  std::atomic<std::int64_t> next_checkpoint_bytes_{kLonelyCheckpointBytes};
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const SqliteStoreOptions& options, const Clock& clock) {
  if (options.turn_wait_max < std::chrono::milliseconds{0} || options.turn_wait_max > kTurnWaitMax)
    raise(ErrorCode::bad_options, "turn_wait_max must be 0 ms to 1 h");
  return std::make_unique<SqliteStore>(options, clock);
}

}  // namespace tenure::queue
