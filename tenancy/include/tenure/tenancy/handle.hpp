#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/tenant_name.hpp>
#include <tenure/tenancy/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

struct sqlite3;

// Access to one tenant's database. A handle is leased (handle_cache.hpp, tenants.hpp) and carries tenant and
// generation; what it hands out are its children. Every access compares the handle's tenant with the current
// scope: NoTenant, WrongTenant. A child used after its handle, transaction or snapshot has ended is
// HandleEnded, in every build. SQL is one statement a call; ATTACH, writing PRAGMAs, BEGIN, COMMIT and writes
// to tenure_* tables are AccessRefused. Threads: a handle and its children belong to one thread at a time.
namespace tenure {

struct Stamp;

namespace sqlite {
class Statement;
enum class ColumnType : std::uint8_t;
}  // namespace sqlite

namespace detail {
struct LeaseState;
struct TransactionState;
struct Cursor;
}  // namespace detail

template <class T>
class Ref;

// The current row of TenantRows; text and bytes live until the next one. Columns are counted from 0. QueryFailed: there is no row, no
// such column, or a number is asked of what is none (but null, which is 0, and an integer is a real too).
class TenantRow {
 public:
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::span<const std::byte> bytes(int column) const;
  [[nodiscard]] WallTime time(int column) const { return from_us(integer(column)); }
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] std::optional<std::string_view> optional_text(int column) const;
  [[nodiscard]] int columns() const;
  // The first one of that name.
  [[nodiscard]] int column(std::string_view name) const;

 private:
  [[nodiscard]] const sqlite::Statement& row_with(int column) const;
  [[nodiscard]] const sqlite::Statement& number_in(int column, sqlite::ColumnType wanted) const;
  friend class TenantRows;
  explicit TenantRow(const detail::Cursor* cursor) : cursor_(cursor) {}
  const detail::Cursor* cursor_;
};

// The result of a query, read once from front to back:
//   for (const tenure::TenantRow& row : reader.query("select id, total from invoice where paid = ?", false))
//   ...
class TenantRows {
 public:
  explicit TenantRows(std::unique_ptr<detail::Cursor> cursor);
  ~TenantRows();
  TenantRows(TenantRows&& other) noexcept;
  TenantRows& operator=(TenantRows&& other) noexcept;

  // False at the end. HandleEnded after the snapshot or transaction of the query.
  bool next();
  // After a next() that was true; otherwise its values are QueryFailed.
  [[nodiscard]] const TenantRow& row() const { return row_; }

  struct End {};
  class Iterator {
   public:
    explicit Iterator(TenantRows* rows) : rows_(rows) { ++*this; }
    const TenantRow& operator*() const { return rows_->row(); }
    Iterator& operator++() {
      at_end_ = !rows_->next();
      return *this;
    }
    bool operator==(End) const { return at_end_; }

   private:
    TenantRows* rows_;
    bool at_end_ = false;
  };
  [[nodiscard]] Iterator begin() { return Iterator{this}; }
  [[nodiscard]] static End end() { return {}; }

 private:
  std::unique_ptr<detail::Cursor> cursor_;
  TenantRow row_;
};

// Reads inside one snapshot. Copies stand for the same snapshot and end with it.
class TenantReader {
 public:
  [[nodiscard]] const TenantName& tenant() const;
  [[nodiscard]] Generation generation() const;
  // The application whose Global IDs this tenant's records have.
  [[nodiscard]] const std::string& application() const;

  // Values are copied and bound left to right. AccessRefused for a statement that writes (but in a
  // transaction); BadOptions where the number of values is not that of the parameters; WrongTenant for
  // another tenant's record.
  template <class... Values>
  [[nodiscard]] TenantRows query(std::string_view sql, const Values&... values) const {
    return query_values(sql, detail::values_of(values...));
  }
  [[nodiscard]] TenantRows query_values(std::string_view sql, std::span<const TenantValue> values) const;

  // The Global ID of a record of this tenant, by its integer or text id; it is not looked up. Include
  // ref.hpp.
  template <class T, class Id>
  [[nodiscard]] Ref<T> ref(const Id& id) const;

  // For libraries above SQLite. Stamp, authorizer and write lane hold for it too: it commits only through us. From the
  // call on the connection is not pooled any more: it is closed at the end of the lease, with the functions, hooks and
  // handlers that were left on it. Statements made with it are finalized before.
  [[nodiscard]] sqlite3* native() const;
  // HandleEnded, NoTenant, WrongTenant, StaleGeneration, Interrupted: what every access checks first.
  void require_usable() const;

 protected:
  friend class OwnTables;
  explicit TenantReader(std::shared_ptr<detail::TransactionState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::TransactionState> state_;
};

// A snapshot that lasts until this object ends.
class TenantSnapshot : public TenantReader {
 public:
  ~TenantSnapshot();
  TenantSnapshot(TenantSnapshot&& other) noexcept = default;
  TenantSnapshot(const TenantSnapshot&) = delete;
  TenantSnapshot& operator=(const TenantSnapshot&) = delete;
  TenantSnapshot& operator=(TenantSnapshot&&) = delete;

 private:
  friend class TenantHandle;
  explicit TenantSnapshot(std::shared_ptr<detail::TransactionState> state) : TenantReader(std::move(state)) {}
};

// The tenant's one write transaction: it holds the write lane and SQLite's writer lock. Rolled back unless
// committed.
class TenantTransaction : public TenantReader {
 public:
  ~TenantTransaction();
  TenantTransaction(TenantTransaction&& other) noexcept = default;
  TenantTransaction(const TenantTransaction&) = delete;
  TenantTransaction& operator=(const TenantTransaction&) = delete;
  TenantTransaction& operator=(TenantTransaction&&) = delete;

  // Returns the number of rows changed. Rows that the statement returns are read and dropped: use query() for
  // them.
  template <class... Values>
  std::int64_t execute(std::string_view sql, const Values&... values) {
    return execute_values(sql, detail::values_of(values...));
  }
  std::int64_t execute_values(std::string_view sql, std::span<const TenantValue> values);
  [[nodiscard]] std::int64_t last_insert_row() const;

  // As it was read after BEGIN.
  [[nodiscard]] const Stamp& stamp() const;

  // On disk when it returns; the transaction has ended then. DiskError and DiskSyncFailed: unknown whether it
  // is kept.
  void commit();
  // Visible when it returns and on disk with a later commit. For bookkeeping of Tenure's own that may be
  // undone and done again.
  void commit_ordered();

 private:
  friend class TenantHandle;
  explicit TenantTransaction(std::shared_ptr<detail::TransactionState> state)
      : TenantReader(std::move(state)) {}
};

// A leased connection to one tenant's database. Copies stand for the same lease and end with it.
class TenantHandle {
 public:
  explicit TenantHandle(std::shared_ptr<detail::LeaseState> lease) : lease_(std::move(lease)) {}

  [[nodiscard]] const TenantName& tenant() const;
  [[nodiscard]] Generation generation() const;
  [[nodiscard]] const std::string& application() const;

  // Runs `function(TenantReader&)` inside one snapshot and passes its value through. Inside a transaction of
  // this handle it reads what that transaction sees.
  template <class Function>
  decltype(auto) read(Function&& function) const {
    constexpr bool kIsCalled = std::is_invocable_v<Function, TenantReader&>;
    static_assert(kIsCalled, "tenure: what `read` is given is called as function(tenure::TenantReader&).");
    if constexpr (kIsCalled) {
      TenantSnapshot snapshot = begin_read();
      return std::forward<Function>(function)(static_cast<TenantReader&>(snapshot));
    }
  }

  // Runs `function(TenantTransaction&)`, commits and passes its value through; rolls back when it throws.
  // Failures: those of begin() and commit().
  template <class Function>
  auto write(Function&& function) const {
    constexpr bool kIsCalled = std::is_invocable_v<Function, TenantTransaction&>;
    static_assert(kIsCalled,
                  "tenure: what `write` is given is called as function(tenure::TenantTransaction&); a "
                  "tenure::JobTransaction is what a step of `once` gets.");
    if constexpr (kIsCalled) {
      TenantTransaction transaction = begin();
      if constexpr (std::is_void_v<std::invoke_result_t<Function, TenantTransaction&>>) {
        std::forward<Function>(function)(transaction);
        transaction.commit();
      } else {
        auto value = std::forward<Function>(function)(transaction);
        transaction.commit();
        return value;
      }
    }
  }

  [[nodiscard]] TenantSnapshot begin_read() const;
  // Waits for the write lane, takes SQLite's writer lock and checks the stamp. TenantBusy when either wait
  // has reached its bound; TenantNotReady(state), StaleGeneration, TenantDeleted, WrongTenant by the stamp;
  // DatabaseMoved where the file is no longer the one that was opened; AccessRefused on a read-only lease.
  // One at a time, and not inside a snapshot: BadOptions.
  [[nodiscard]] TenantTransaction begin() const;

  // What was visible before the call is on disk when it returns: for whoever acts elsewhere on what he has read here, which may be
  // read before its writer has synced it. DiskSyncFailed, DatabaseMoved.
  void sync() const;

  // The sqlite3* of this lease. See TenantReader::native.
  [[nodiscard]] sqlite3* native() const;

 private:
  std::shared_ptr<detail::LeaseState> lease_;
};

}  // namespace tenure
