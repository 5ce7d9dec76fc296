#include "handle_state.hpp"

#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/commit_watch.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

namespace tenure {
namespace {

// 1 MiB of SQLite's usual pages. Each open replays the WAL, and nobody else shortens it.
constexpr std::int64_t kCheckpointPages = 256;

detail::LeaseState& live(const std::shared_ptr<detail::LeaseState>& lease) {
  if (lease->open == nullptr)
    raise(ErrorCode::handle_ended, fmt::format("the handle of {} has ended", lease->tenant.text()),
          lease->tenant.text());
  return *lease;
}

detail::WriteLane::Turn wait_for_lane(const detail::LeaseState& lease) {
  std::optional<detail::WriteLane::Turn> turn = lease.shared->lane.wait(lease.write_wait_max);
  if (turn) return *std::move(turn);
  raise(ErrorCode::tenant_busy,
        fmt::format("other writers of {} kept its lane for {} ms", lease.tenant.text(),
                    lease.write_wait_max.count()),
        lease.tenant.text());
}

void require_on_disk(detail::LeaseState& lease) {
  if (lease.open->connection.still_on_disk()) return;
  lease.poisoned = true;
  raise(ErrorCode::database_moved,
        "the tenant's file, its -wal or its -shm was deleted, moved, replaced or linked to a second name "
        "while it was open",
        lease.tenant.text(), lease.open->connection.path().string());
}

void sync_log(detail::LeaseState& lease) {
  try {
    sqlite::sync_wal(lease.open->connection);
  } catch (...) {
    lease.poisoned = true;
    *lease.sync_failed = true;
    throw;
  }
  require_on_disk(lease);
}

// Whoever stands behind this one in the lane would wait for the same lock in vain, each in its turn.
void begin_write(detail::LeaseState& lease, detail::TransactionState& state) {
  try {
    state.write.emplace(lease.open->connection);
  } catch (const StoreBusy&) {
    lease.shared->lane.refuse_waiting();
    throw;
  }
}

void checkpoint(detail::OpenTenant& open) {
  sqlite::Connection checkpointer{open.connection.path(), {.secure_delete = true}};
  const sqlite::Authorizer::Permission permission{open.authorizer};
  sqlite::checkpoint_gated(open.connection, checkpointer);
}

// A commit must not fail because the housekeeping after it did: the next one tries again.
void checkpoint_if_long(detail::LeaseState& lease) {
  detail::OpenTenant& open = *lease.open;
  const std::int64_t pages = open.connection.wal_pages();
  if (pages < open.wal_pages_checkpointed) open.wal_pages_checkpointed = 0;  // the WAL began anew
  if (pages < open.wal_pages_checkpointed + kCheckpointPages) return;
  open.wal_pages_checkpointed = pages;
  try {
    const std::optional<detail::WriteLane::Turn> turn = lease.shared->lane.wait(lease.write_wait_max);
    if (!turn) return;
    checkpoint(open);
    lease.on_visited();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::disk_sync_failed) {
      lease.poisoned = true;
      *lease.sync_failed = true;
    }
    static LineLimit lines;
    if (const auto left_out = lines.pass())
      log::write(log::Level::warning, "tenant.checkpoint_failed",
                 "the write-ahead log of a tenant stays long" + left_out_text(*left_out),
                 {.error = error.what()});
  }
}

// Its statements would be there without the row that says so, and be carried out once more.
void require_no_step(const detail::TransactionState& state) {
  if (state.step.empty()) return;
  raise(ErrorCode::access_refused,
        "the code of a migration does not commit: it is committed with its statements and its row when it "
        "returns",
        state.lease->tenant.text(), state.step);
}

// The sync comes after every lock is released.
void commit_unsynced(detail::TransactionState& state, bool is_ordered) {
  state.require_usable();
  require_no_step(state);
  detail::require_transaction(state);
  detail::LeaseState& lease = *state.lease;
  while (lease.transactions.back() != &state) lease.transactions.back()->end();
  state.end_cursors();  // an unfinished `returning` would refuse the commit
  detail::tell_before_commit(lease.tenant, is_ordered);
  detail::with_tenant_failures(lease.tenant, lease.open.get(), [&] {
    const sqlite::Authorizer::Permission permission{lease.open->authorizer};
    try {
      state.write->commit();
    } catch (const DiskSyncFailed&) {
      lease.poisoned = true;
      *lease.sync_failed = true;
      throw;
    } catch (...) {
      lease.poisoned = true;
      throw;
    }
  });
  state.end();
}

}  // namespace

std::int64_t TenantRow::integer(int column) const {
  return number_in(column, sqlite::ColumnType::integer).integer(column);
}
double TenantRow::real(int column) const { return number_in(column, sqlite::ColumnType::real).real(column); }
std::string_view TenantRow::text(int column) const { return row_with(column).text(column); }
std::span<const std::byte> TenantRow::bytes(int column) const { return row_with(column).blob(column); }
bool TenantRow::is_null(int column) const { return row_with(column).is_null(column); }
int TenantRow::columns() const { return cursor_->row().columns(); }

std::optional<std::int64_t> TenantRow::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<std::string_view> TenantRow::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

int TenantRow::column(std::string_view name) const {
  const sqlite::Statement& row = cursor_->row();
  for (int column = 0; column < row.columns(); ++column)
    if (row.name(column) == name) return column;
  raise(ErrorCode::query_failed, fmt::format("the result has no column named {}", escaped(name)));
}

// SQLite would give an empty value.
const sqlite::Statement& TenantRow::row_with(int column) const {
  const sqlite::Statement& row = cursor_->row();
  if (column >= 0 && column < row.columns()) return row;
  raise(ErrorCode::query_failed,
        fmt::format("the result has no column {}; it has {}, counted from 0", column, row.columns()));
}

// Where SQLite would convert, text becomes 0 and a fraction is cut.
const sqlite::Statement& TenantRow::number_in(int column, sqlite::ColumnType wanted) const {
  using sqlite::ColumnType;
  const sqlite::Statement& row = row_with(column);
  const ColumnType found = row.type(column);
  if (found == wanted || found == ColumnType::integer || found == ColumnType::null) return row;
  raise(ErrorCode::query_failed, fmt::format("column {} ({}) holds no {}", column, escaped(row.name(column)),
                                             wanted == ColumnType::integer ? "integer" : "number"));
}

TenantRows::TenantRows(std::unique_ptr<detail::Cursor> cursor)
    : cursor_(std::move(cursor)), row_(cursor_.get()) {}
TenantRows::~TenantRows() = default;
TenantRows::TenantRows(TenantRows&& other) noexcept = default;
TenantRows& TenantRows::operator=(TenantRows&& other) noexcept = default;

bool TenantRows::next() {
  cursor_->state->require_usable();
  if (cursor_->statement == nullptr) return false;
  detail::with_tenant_failures(cursor_->state->lease->tenant, cursor_->state->lease->open.get(),
                               [&] { cursor_->on_row = cursor_->statement->statement().step(); });
  return cursor_->on_row;
}

const TenantName& TenantReader::tenant() const { return state_->lease->tenant; }
Generation TenantReader::generation() const { return state_->lease->generation; }
const std::string& TenantReader::application() const { return state_->lease->application; }
void TenantReader::require_usable() const { state_->require_usable(); }

TenantRows TenantReader::query_values(std::string_view sql, std::span<const TenantValue> values) const {
  return TenantRows{std::make_unique<detail::Cursor>(state_, sql, values)};
}

sqlite3* TenantReader::native() const {
  require_usable();
  return detail::give_out(*state_->lease);
}

TenantSnapshot::~TenantSnapshot() {
  if (state_ != nullptr) state_->end();
}

TenantTransaction::~TenantTransaction() {
  if (state_ != nullptr) state_->end();
}

std::int64_t TenantTransaction::execute_values(std::string_view sql, std::span<const TenantValue> values) {
  require_usable();
  detail::require_transaction(*state_);
  TenantRows rows = query_values(sql, values);
  while (rows.next()) continue;
  return state_->lease->open->connection.changes();
}

std::int64_t TenantTransaction::last_insert_row() const {
  require_usable();
  return state_->lease->open->connection.last_insert_row();
}

const Stamp& TenantTransaction::stamp() const { return *state_->stamp; }

void TenantTransaction::commit() {
  commit_unsynced(*state_, false);
  detail::LeaseState& lease = *state_->lease;
  sync_log(lease);
  detail::tell_after_commit(lease.tenant, false);
  checkpoint_if_long(lease);
}

void TenantTransaction::commit_ordered() {
  commit_unsynced(*state_, true);
  detail::tell_after_commit(state_->lease->tenant, true);
}

void TenantHandle::sync() const {
  detail::LeaseState& lease = live(lease_);
  lease.process.check("the handle");
  sync_log(lease);
}

const TenantName& TenantHandle::tenant() const { return lease_->tenant; }
Generation TenantHandle::generation() const { return lease_->generation; }
const std::string& TenantHandle::application() const { return lease_->application; }

TenantSnapshot TenantHandle::begin_read() const {
  detail::LeaseState& lease = live(lease_);
  const bool joins = !lease.transactions.empty();
  TenantSnapshot snapshot{std::make_shared<detail::TransactionState>(lease_)};
  snapshot.require_usable();
  if (joins) return snapshot;
  detail::with_tenant_failures(lease.tenant, lease.open.get(), [&] {
    const sqlite::Authorizer::Permission permission{lease.open->authorizer};
    snapshot.state_->read.emplace(lease.open->connection);
  });
  return snapshot;
}

TenantTransaction TenantHandle::begin() const {
  detail::LeaseState& lease = live(lease_);
  if (lease.access == HandleAccess::read_only)
    raise(ErrorCode::access_refused, "this handle was leased for reading", lease.tenant.text());
  if (!lease.transactions.empty())
    raise(ErrorCode::bad_options,
          "a snapshot or transaction of this handle is open already; use that one, or end it",
          lease.tenant.text());
  TenantTransaction transaction{std::make_shared<detail::TransactionState>(lease_)};
  transaction.require_usable();
  detail::TransactionState& state = *transaction.state_;
  state.turn = wait_for_lane(lease);
  detail::with_tenant_failures(lease.tenant, lease.open.get(), [&] {
    const sqlite::Authorizer::Permission permission{lease.open->authorizer};
    begin_write(lease, state);
    require_on_disk(lease);  // under the lock, which whoever moves a file that nobody can read has meanwhile
    state.stamp = stamp_of(*lease.open);
    const bool is_migrating = lease.may_migrate && state.stamp->state == TenantState::migrating;
    value_or_raise(is_migrating ? check_identity(*state.stamp, lease.expectation())
                                : check_writable(*state.stamp, lease.expectation()));
  });
  return transaction;
}

sqlite3* TenantHandle::native() const {
  detail::LeaseState& lease = live(lease_);
  require_current(lease.tenant, lease.generation, "this handle");
  return detail::give_out(lease);
}

}  // namespace tenure
