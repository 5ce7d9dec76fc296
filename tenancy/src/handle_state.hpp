#pragma once

#include "write_lane.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/authorizer.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What stands behind handles and their children: a lease, the transactions begun with it, their cursors. Children hold their
// parent by shared_ptr, and each parent knows its children by a plain list: so a parent that ends can end them, and a child
// that is used later finds out.
namespace tenure::detail {

// One open tenant database with what hangs on its connection; leased, or idle in the pool.
struct OpenTenant {
  OpenTenant(const std::filesystem::path& path, const sqlite::ConnectionOptions& options)
      : connection(path, options), authorizer(connection, stop.get()), statements(connection) {}

  // Shared with the lease, whose cancel() may come from a thread that does not know whether the connection
  // still lives.
  std::shared_ptr<std::atomic<bool>> stop = std::make_shared<std::atomic<bool>>(false);
  sqlite::Connection connection;
  sqlite::Authorizer authorizer;
  sqlite::TextStatementCache statements;
  std::int64_t wal_pages_checkpointed = 0;  // the WAL's size when a checkpoint was last tried
  // Of the file's schema when our own tables were last compared; SQLite goes by the same number.
  std::optional<std::int64_t> schema_compared = {};
};

// The stamp as it is now, behind a comparison of our own tables wherever somebody has changed the file's schema meanwhile.
// WrongTenant where there is none.
[[nodiscard]] Stamp stamp_of(OpenTenant& open);

// What all connections of one tenant in this process share.
struct TenantShared {
  WriteLane lane;
  std::int64_t closes =
      0;  // under the pool's lock; connections of before the last close() are not pooled again
};

struct LeaseState {
  LeaseState(TenantName name, const Stamp& stamp, HandleAccess leased_access,
             std::chrono::milliseconds wait_max, std::shared_ptr<std::atomic<bool>> stop_flag,
             std::shared_ptr<std::atomic<bool>> sync_failed_flag)
      : tenant(std::move(name)),
        generation(stamp.generation),
        application(stamp.application),
        access(leased_access),
        write_wait_max(wait_max),
        stop(std::move(stop_flag)),
        sync_failed(std::move(sync_failed_flag)) {}

  // These stay readable after the lease.
  const TenantName tenant;
  const Generation generation;
  const std::string application;
  const HandleAccess access;
  std::chrono::milliseconds write_wait_max;
  const std::shared_ptr<std::atomic<bool>> stop;
  const std::shared_ptr<std::atomic<bool>> sync_failed;  // of the whole pool
  std::shared_ptr<TenantShared> shared;
  std::int64_t closes_seen = 0;
  std::list<LeaseState*>::iterator among_leases;  // of its pool, under the pool's lock, until it has ended
  std::function<void()> on_visited = [] {};       // a connection beside its own has come and gone
  std::atomic<bool> poisoned = false;
  bool may_migrate = false;  // it writes where the stamp is `migrating` too
  ProcessBound process;

  std::unique_ptr<OpenTenant> open;           // null once the lease has ended
  std::list<TransactionState*> transactions;  // the outermost first: it owns SQLite's transaction

  [[nodiscard]] StampExpectation expectation() const { return {tenant, generation, application}; }
  // Ends every one of them, the innermost first.
  void end_transactions();
  [[nodiscard]] OpenChildren open_children() const;
};

// A snapshot or a write transaction; it goes on for as long as somebody holds it, and is of no use once it has ended.
struct TransactionState {
  explicit TransactionState(std::shared_ptr<LeaseState> parent);
  ~TransactionState();
  TransactionState(const TransactionState&) = delete;
  TransactionState& operator=(const TransactionState&) = delete;

  std::shared_ptr<LeaseState> lease;
  bool ended = false;
  // Neither in a snapshot that was begun inside another transaction: it reads in that one's.
  std::optional<sqlite::ReadTransaction> read;
  std::optional<sqlite::WriteTransaction> write;
  WriteLane::Turn turn;
  std::optional<Stamp> stamp;
  std::list<Cursor*> cursors;
  std::string step;  // of a migration, whose code runs in it and does not commit; empty otherwise

  [[nodiscard]] bool owns_transaction() const { return read.has_value() || write.has_value(); }
  // HandleEnded, Interrupted, and what the current scope says.
  void require_usable() const;
  void end_cursors();
  // Rolls back where nothing was committed. Safe twice.
  void end();

 private:
  void leave_to_parent();
};

struct Cursor {
  Cursor(std::shared_ptr<TransactionState> parent, std::string_view sql, std::span<const TenantValue> values);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  std::shared_ptr<TransactionState> state;
  std::vector<std::string> copies;                               // of bound text and bytes
  std::unique_ptr<sqlite::TextStatementCache::Lease> statement;  // null once the transaction has ended
  bool on_row = false;

  [[nodiscard]] const sqlite::Statement& row() const;
};

// Runs `work` on a tenant's database and gives its failures the tenant's name, and the words of this layer:
// TenantBusy for StoreBusy, TenantDoesNotExist for DatabaseMissing, and what the authorizer refused.
void with_tenant_failures(const TenantName& tenant, OpenTenant* open, FunctionRef<void()> work);

// The sqlite3* itself, for the user. No look at the connection finds all that can be left on it (functions, hooks,
// handlers, attached tables), so it is closed at the end of the lease.
[[nodiscard]] sqlite3* give_out(LeaseState& lease);

// Raises where the write transaction has gone without us: rolled back by a statement of the user's.
void require_transaction(const TransactionState& state);

}  // namespace tenure::detail
