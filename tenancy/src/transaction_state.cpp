#include "handle_state.hpp"
#include "own_schema.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

namespace tenure::detail {
namespace {

// All owners are compared before the statement is touched.
void require_owned(const TenantName& tenant, std::span<const TenantValue> values) {
  for (const TenantValue& value : values)
    if (value.owner() != nullptr && *value.owner() != tenant)
      raise(ErrorCode::wrong_tenant,
            fmt::format("a record of {} was used with a handle of {}", value.owner()->text(), tenant.text()),
            value.owner()->text());
}

void require_count(const sqlite::TextStatementCache::Lease& statement, std::size_t count,
                   std::string_view sql) {
  if (statement.parameters() == static_cast<int>(count)) return;
  raise(ErrorCode::bad_options,
        fmt::format("the statement has {} parameters, {} values were given", statement.parameters(), count),
        {}, std::string{sql.substr(0, 80)});
}

class Binder {
 public:
  Binder(sqlite::Statement& statement, std::vector<std::string>& copies)
      : statement_(statement), copies_(copies) {}
  void operator()(std::nullptr_t) { statement_.bind(nullptr); }
  void operator()(std::int64_t value) { statement_.bind(value); }
  void operator()(double value) { statement_.bind(value); }
  void operator()(std::string_view text) { statement_.bind(std::string_view{copies_.emplace_back(text)}); }
  void operator()(std::span<const std::byte> bytes) {
    const std::string& copy = copies_.emplace_back(as_text(bytes));
    statement_.bind(as_bytes(copy));
  }

 private:
  sqlite::Statement& statement_;
  std::vector<std::string>& copies_;
};

// For a function that is refused SQLite reports a plain error.
void name_refusal(OpenTenant& open, Failure& failure) {
  const std::string refusal = open.authorizer.take_refusal();
  if (refusal.empty() ||
      (failure.code != ErrorCode::access_refused && failure.code != ErrorCode::query_failed))
    return;
  failure.code = ErrorCode::access_refused;
  failure.message = refusal + ": " + failure.message;
}

}  // namespace

void LeaseState::end_transactions() {
  while (!transactions.empty()) transactions.back()->end();
}

OpenChildren LeaseState::open_children() const {
  OpenChildren open_now;
  for (const TransactionState* const state : transactions) {
    ++(state->write ? open_now.transactions : open_now.snapshots);
    open_now.cursors += static_cast<int>(state->cursors.size());
  }
  return open_now;
}

TransactionState::TransactionState(std::shared_ptr<LeaseState> parent) : lease(std::move(parent)) {
  lease->transactions.push_back(this);
}

TransactionState::~TransactionState() { end(); }

void TransactionState::require_usable() const {
  lease->process.check("the handle");
  if (ended || lease->open == nullptr)
    raise(ErrorCode::handle_ended,
          fmt::format("the handle or transaction of {} has ended", lease->tenant.text()),
          lease->tenant.text());
  require_current(lease->tenant, lease->generation, "this handle");
  if (lease->stop->load(std::memory_order_relaxed))
    raise(ErrorCode::interrupted, "the handle was cancelled", lease->tenant.text());
}

void TransactionState::end_cursors() {
  for (Cursor* cursor : cursors) cursor->statement.reset();
  cursors.clear();
}

void TransactionState::end() {
  if (ended) return;
  if (lease->process.is_inherited()) return leave_to_parent();
  // Whoever owns the transaction is the outermost: what was begun later reads in it and ends with it.
  if (owns_transaction())
    while (lease->transactions.back() != this) lease->transactions.back()->end();
  ended = true;
  end_cursors();
  {
    const sqlite::Authorizer::Permission permission{lease->open->authorizer};
    read.reset();
    write.reset();
  }
  turn.end();
  lease->transactions.remove(this);
}

// The parent's transaction goes on: nothing of it is rolled back, and its turn is not given up.
void TransactionState::leave_to_parent() {
  ended = true;
  turn.leave_to_parent();
  lease->transactions.remove(this);
}

Cursor::Cursor(std::shared_ptr<TransactionState> parent, std::string_view sql,
               std::span<const TenantValue> values)
    : state(std::move(parent)) {
  state->require_usable();
  const TenantName& tenant = state->lease->tenant;
  require_owned(tenant, values);
  OpenTenant& open = *state->lease->open;
  with_tenant_failures(tenant, &open, [&] {
    statement = open.statements.statement_for(sql);
    require_count(*statement, values.size(), sql);
    if (!state->write && !statement->read_only())
      raise(ErrorCode::access_refused, "a reader cannot write; use the handle's write()", tenant.text(),
            std::string{sql.substr(0, 80)});
    copies.reserve(values.size());
    Binder binder{statement->statement(), copies};
    for (const TenantValue& value : values) std::visit(binder, value.content());
  });
  state->cursors.push_back(this);
}

Cursor::~Cursor() {
  if (statement != nullptr) state->cursors.remove(this);
}

const sqlite::Statement& Cursor::row() const {
  if (statement == nullptr)
    raise(ErrorCode::handle_ended,
          fmt::format("the rows of {} were used after their transaction had ended",
                      state->lease->tenant.text()),
          state->lease->tenant.text());
  if (!on_row)
    raise(ErrorCode::query_failed, "there is no row: next() was false, or was not called",
          state->lease->tenant.text());
  return statement->statement();
}

void with_tenant_failures(const TenantName& tenant, OpenTenant* open, FunctionRef<void()> work) {
  // What was refused outside of here, through the sqlite3*, has nothing to do with what fails now.
  if (open != nullptr) static_cast<void>(open->authorizer.take_refusal());
  try {
    work();
  } catch (const Error& error) {
    Failure failure = error.failure();
    if (failure.tenant.empty()) failure.tenant = tenant.text();
    if (failure.code == ErrorCode::store_busy) failure.code = ErrorCode::tenant_busy;
    if (failure.code == ErrorCode::database_missing) failure.code = ErrorCode::tenant_does_not_exist;
    if (open != nullptr) name_refusal(*open, failure);
    raise(std::move(failure));
  }
}

Stamp stamp_of(OpenTenant& open) {
  const std::int64_t schema = sqlite::schema_cookie(open.connection);
  if (schema != open.schema_compared) {
    if (!has_own_schema(open.connection))
      raise(ErrorCode::wrong_tenant, "the file carries no stamp, so it cannot be told whose it is", {},
            open.connection.path().string());
    open.schema_compared = schema;
  }
  return current_stamp(open.connection);
}

sqlite3* give_out(LeaseState& lease) {
  lease.poisoned = true;
  return lease.open->connection.native();
}

// `insert or rollback`, a trigger's raise(rollback) or a full disk ends the whole transaction under a handler that may catch
// the error and go on. What is written from then on would commit by itself, without the rest and without the fence.
void require_transaction(const TransactionState& state) {
  LeaseState& lease = *state.lease;
  if (!state.write || lease.open->connection.in_transaction()) return;
  lease.poisoned = true;
  raise(ErrorCode::handler_failed, "a statement rolled the whole transaction back; nothing of it is kept",
        lease.tenant.text());
}

}  // namespace tenure::detail

namespace tenure {

OwnTables::OwnTables(const TenantReader& reader)
    : lease_((reader.require_usable(), detail::require_transaction(*reader.state_), *reader.state_->lease)),
      connection_(lease_.open->connection),
      permission_(reader.state_->lease->open->authorizer) {}

sqlite::Statement OwnTables::statement(const sqlite::Query& query) { return connection_.statement(query); }

std::int64_t OwnTables::changes() const { return connection_.changes(); }
std::int64_t OwnTables::last_insert_row() const { return connection_.last_insert_row(); }
void OwnTables::set_last_insert_row(std::int64_t row) { connection_.set_last_insert_row(row); }

OwnTables::WhileMigrating::WhileMigrating(const TenantReader& reader) : lease_(reader.state_->lease) {
  lease_->may_migrate = true;
}
OwnTables::WhileMigrating::~WhileMigrating() { lease_->may_migrate = false; }

OwnTables::WhileCodeRuns::WhileCodeRuns(const TenantTransaction& transaction, std::string_view step)
    : state_(static_cast<const TenantReader&>(transaction).state_) {
  state_->step = step;
}
OwnTables::WhileCodeRuns::~WhileCodeRuns() { state_->step.clear(); }

}  // namespace tenure
