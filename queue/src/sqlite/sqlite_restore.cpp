#include "outbox_rows.hpp"
#include "restore_rows.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"

#include <fmt/format.h>

#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// Index: primary key.
constexpr Query kCopiedWhen{"copied_when", "select value from meta where name = 'copied_us'"};
constexpr Query kForgetCopied{"forget_copied", "delete from meta where name = 'copied_us'"};
constexpr Query kRaiseStoreEpoch{"raise_store_epoch",
                                 "update meta set value = value + 1 where name = 'epoch' returning value"};

// ?1 epoch  ?2 copied_us  ?3 noticed_us  ?4 marked
constexpr Query kInsertRestore{"insert_restore", R"sql(
  insert into restore(epoch, copied_us, noticed_us, marked) values (?1, ?2, ?3, ?4))sql"};

// Index: primary key.
constexpr Query kLastRestore{"last_restore", R"sql(
  select epoch, copied_us, noticed_us, marked from restore order by epoch desc limit 1)sql"};

}  // namespace

std::optional<WallTime> copied_when(Connection& connection) {
  auto row = connection.statement(kCopiedWhen);
  return row.step() ? std::optional{from_us(row.integer(0))} : std::nullopt;
}

std::int64_t raise_store_epoch(Connection& connection) {
  connection.statement(kForgetCopied).run();
  auto row = connection.statement(kRaiseStoreEpoch);
  const std::int64_t epoch = row.row().integer(0);
  TENURE_INVARIANT(!row.step());
  return epoch;
}

void insert_restore(Connection& connection, const RestoreRecord& record) {
  connection.statement(kInsertRestore)
      .bind(record.epoch, to_us(record.copied), to_us(record.noticed), record.marked)
      .run();
}

std::vector<const Query*> restore_queries() {
  return {&kCopiedWhen, &kForgetCopied, &kRaiseStoreEpoch, &kInsertRestore, &kLastRestore};
}

std::optional<WallTime> SqliteJobReader::copied() { return copied_when(connection_); }

std::optional<RestoreRecord> SqliteJobReader::last_restore() {
  auto row = connection_.statement(kLastRestore);
  if (!row.step()) return std::nullopt;
  return RestoreRecord{.epoch = row.integer(0),
                       .copied = from_us(row.integer(1)),
                       .noticed = from_us(row.integer(2)),
                       .marked = row.integer(3)};
}

LostRows SqliteJobReader::lost_rows(const OutboxOwner& owner) { return lost_rows_of(connection_, owner); }

std::vector<LostRows> SqliteJobReader::lost_rows(std::size_t limit) {
  return newest_lost_rows(connection_, limit);
}

std::optional<RestoreRecord> SqliteWriter::accept_copy(AuditEntry entry, WallTime now) {
  const auto copied = copied_when(connection_);
  if (!copied) return std::nullopt;
  RestoreRecord record{.copied = *copied, .noticed = now};
  record.epoch = raise_store_epoch(connection_);
  record.marked = mark_outboxes_of_restore(connection_, now);
  insert_restore(connection_, record);
  entry.subject = fmt::format("epoch {}, from a copy of {}", record.epoch, to_rfc3339(*copied));
  entry.count = record.marked;
  append_audit(entry, now);
  return record;
}

}  // namespace tenure::queue
