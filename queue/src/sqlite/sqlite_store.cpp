#include "sqlite_store.hpp"

#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/wal.hpp>

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::DatabaseOptions;

// A daemon moves the log long before it has grown so far; where none lives, whoever enqueues does.
constexpr std::int64_t kLonelyCheckpointBytes = 12LL << 20U;

// SQLite's default of 2 MiB holds the indexes of some ten thousand jobs; beyond it every claim reads pages back from the
// log. Memory is taken as pages are, up to 32 MiB, by the one connection that writes.
constexpr sqlite::Query kWriterCache{"writer_cache", "pragma cache_size = -32768"};

// What is deleted is overwritten where its page is written anyway, and pages that are taken anew are: it costs no write.
constexpr sqlite::Query kOverwriteInPlace{"overwrite_in_place", "pragma secure_delete = fast"};

// Where ends come faster than they are settled: so many rows for each of them, until what waits is gone.
constexpr std::size_t kSettledPerSuccess = 4;
constexpr std::size_t kSettledMin = 64;

// By a connection of its own, closed before the database is used: a schema is made in a transaction of its own.
const std::filesystem::path& with_schema(const SqliteStoreOptions& options, SchemaSteps steps,
                                         const Clock& clock) {
  Connection connection(options.path,
                        {.access = options.create ? sqlite::Access::create : sqlite::Access::read_write});
  create_or_require_schema(connection, steps, clock);
  return options.path;
}

class LookedAtStore final : public ReadableStore {
 public:
  LookedAtStore(const std::filesystem::path& path, std::vector<sqlite::Migration> steps)
      : path_(path), steps_(std::move(steps)) {
    sqlite::look_at(path_, [this](Connection& connection) { require_schema(connection, steps_); });
  }

  void read(FunctionRef<void(JobReader&)> work) override {
    sqlite::look_at(path_, [&](Connection& connection) {
      require_schema(connection, steps_);
      SqliteJobReader reader(connection, wal_bytes_);
      work(reader);
    });
  }

 private:
  const std::filesystem::path path_;
  const std::vector<sqlite::Migration> steps_;
  const std::function<std::int64_t()> wal_bytes_ = [this] { return sqlite::wal_bytes(path_); };
};

}  // namespace

SqliteStore::SqliteStore(const SqliteStoreOptions& options, const Clock& clock,
                         const BookkeepingLimits& limits, std::vector<sqlite::Migration> steps)
    : schema_(steps),
      database_(with_schema(options, steps, clock),
                DatabaseOptions{.writer_queue = true,
                                .queue_wait_max = options.turn_wait_max,
                                .at_begin = [this](Connection& connection) { schema_.check(connection); }}),
      payload_max_(std::min(options.payload_max, limits::kPayloadMax)),
      keys_(options.keys),
      wal_bytes_([this] { return database_.wal_bytes(); }),
      registry_(database_),
      next_checkpoint_bytes_(kLonelyCheckpointBytes),
      fresh_(limits.fresh),
      ended_(limits.settle) {
  database_.write(Durability::ordered, [](Connection& connection) {
    connection.execute(kWriterCache);
    connection.execute(kOverwriteInPlace);
  });
}

void SqliteStore::write(Durability durability, FunctionRef<void(StoreWriter&)> work) {
  std::vector<TransactionNames::Name> seen;
  Owners owners;
  std::int64_t tenants_mark = 0;
  std::size_t successes = 0;
  bool used_fresh = false;
  bool has_made_jobs = false;
  std::vector<BatchNews> batch_news;
  try {
    database_.write(durability, [&](Connection& connection) {
      TransactionNames names(connection, committed_names_);
      SqliteWriter writer(connection, names, known_owners_, fresh_, payload_max_, keys_);
      try {
        work(writer);
      } catch (...) {
        // Before anybody else's work in the same commit: memory must follow what is undone here.
        if (writer.used_fresh()) fresh_.forget();
        throw;
      }
      seen = names.take_seen();
      owners = writer.owners();
      tenants_mark = writer.tenants_mark();
      successes = writer.successes();
      used_fresh = writer.used_fresh();
      has_made_jobs = writer.has_made_jobs();
      batch_news = writer.take_batch_news();
    });
  } catch (...) {
    if (used_fresh) fresh_.forget();  // the commit itself has failed
    throw;
  }
  // An end that makes a job is durable, whatever it was asked to be: nobody acts on the job before.
  if (has_made_jobs && durability == Durability::ordered) database_.sync();
  tell(batch_news);
  remember(seen);
  known_owners_.remember(tenants_mark, owners);
  checkpoint_if_long();
  if (successes > 0) settle_if_many(successes);
}

void SqliteStore::read(FunctionRef<void(JobReader&)> work) {
  database_.read([&](Connection& connection) {
    schema_.check(connection);
    SqliteJobReader reader(connection, wal_bytes_);
    work(reader);
  });
}

std::unique_ptr<TenantRegistry> SqliteStore::audited_registry(AuditEntry entry, const Clock& clock) {
  return std::make_unique<SqliteRegistry>(database_, SqliteRegistry::Audit{std::move(entry), clock});
}

void SqliteStore::checkpoint(std::int64_t wal_bytes_min) {
  // The file keeps its size after a checkpoint; only what is new in it counts. Another process's part is found when idle.
  const std::int64_t bytes = wal_bytes_min == 0 ? database_.wal_bytes() : database_.bytes_to_checkpoint();
  if (bytes > wal_bytes_min) static_cast<void>(database_.checkpoint());
}

bool SqliteStore::tidy() {
  if (absorb_when_idle()) return true;
  const std::lock_guard lock(settle_mutex_);
  return settle_some(ended_.limits().rows_idle, ended_.limits().commit_rows);
}

bool SqliteStore::erase_traces() {
  const std::lock_guard lock(traces_mutex_);
  return free_pages_.overwrite_some(database_);
}

bool SqliteStore::absorb_when_idle() {
  bool absorbed = false;
  try {
    database_.write(Durability::ordered, [&](Connection& connection) {
      fresh_.begin(connection);
      absorbed = fresh_.absorb_when_idle(connection);
    });
  } catch (...) {
    fresh_.forget();
    throw;
  }
  checkpoint_if_long();
  return absorbed;
}

// The commit before it stands whatever becomes of this: see checkpoint_if_long().
void SqliteStore::settle_if_many(std::size_t successes) {
  const std::unique_lock lock(settle_mutex_, std::try_to_lock);
  if (!lock) return;
  successes_since_look_ += static_cast<std::int64_t>(successes);
  if (!ended_.is_settling() && successes_since_look_ < ended_.limits().rows_between_looks) return;
  successes_since_look_ = 0;
  try {
    const std::size_t rows =
        std::clamp(successes * kSettledPerSuccess, kSettledMin, ended_.limits().commit_rows);
    static_cast<void>(settle_some(ended_.limits().rows_max, rows));
  } catch (const Error& error) {
    log::write(log::Level::warning, "store.settle_failed", error.what());
  }
}

bool SqliteStore::settle_some(std::int64_t rows_min, std::size_t rows) {
  // Read and sorted without the writer's lock: rows of `ended` never change.
  if (!ended_.is_settling())
    database_.read([&](Connection& connection) {
      if (ended_.waiting(connection) >= rows_min) ended_.load(connection);
    });
  if (!ended_.is_settling()) return false;
  try {
    database_.write(Durability::ordered, [&](Connection& connection) { ended_.settle(connection, rows); });
  } catch (...) {
    ended_.forget();
    throw;
  }
  ended_.committed();
  checkpoint_if_long();
  return true;
}

// After a partial checkpoint the log must grow by as much again before the next try. The commit before it stands whatever
// becomes of this: its caller must not take it for failed and enqueue again.
void SqliteStore::checkpoint_if_long() {
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

void SqliteStore::remember(const std::vector<TransactionNames::Name>& names) {
  for (const auto& [table, name, number] : names) committed_names_.remember(table, name, number);
}

std::unique_ptr<Store> open_sqlite_store(const SqliteStoreOptions& options, const Clock& clock) {
  if (options.turn_wait_max < std::chrono::milliseconds{0} || options.turn_wait_max > kTurnWaitMax)
    raise(ErrorCode::bad_options, "turn_wait_max must be 0 ms to 1 h");
  return std::make_unique<SqliteStore>(options, clock, BookkeepingLimits{});
}

std::unique_ptr<ReadableStore> look_at_sqlite_store(const std::filesystem::path& path,
                                                    std::vector<sqlite::Migration> steps) {
  return std::make_unique<LookedAtStore>(path, std::move(steps));
}

std::unique_ptr<ReadableStore> look_at_sqlite_store(const std::filesystem::path& path) {
  return look_at_sqlite_store(path, control_migrations());
}

}  // namespace tenure::queue
