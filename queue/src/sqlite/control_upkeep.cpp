#include "audit_rows.hpp"
#include "control_schema.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/compact.hpp>
#include <tenure/base/sqlite/database.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/upkeep.hpp>

#include <string>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Database;

void require_ours(Database& database) {
  database.read([](Connection& connection) { require_schema(connection, control_migrations()); });
}

void record(Database& database, AuditEntry entry, std::string subject, WallTime now) {
  entry.count = 1;
  entry.subject = std::move(subject);
  database.write(sqlite::Durability::durable,
                 [&](Connection& connection) { append_audit(connection, entry, now); });
}

Descriptor lock_for_compaction(const std::filesystem::path& path) {
  auto lock = try_lock_dispatcher_file(path);
  if (lock) return std::move(*lock);
  raise(lock.error().code,
        lock.error().message + "; it would wait for as long as this takes: systemctl stop tenured", {},
        lock.error().where);
}

std::int64_t size_of(const std::filesystem::path& path) {
  return static_cast<std::int64_t>(std::filesystem::file_size(path)) + sqlite::wal_bytes(path);
}

}  // namespace

MovedLog checkpoint_control_database(const std::filesystem::path& path, const AuditEntry& entry,
                                     const Clock& clock) {
  Database database(path, {.writer_queue = true});
  require_ours(database);
  record(database, entry, "write-ahead log", clock.wall());
  MovedLog moved{.bytes = database.wal_bytes()};
  moved.is_complete = database.checkpoint().outcome != sqlite::CheckpointResult::Outcome::partial;
  return moved;
}

CompactedStore compact_control_database(const std::filesystem::path& path, const AuditEntry& entry,
                                        const Clock& clock) {
  CompactedStore compacted;
  {
    Database database(path, {.writer_queue = true});
    require_ours(database);
    const Descriptor lock = lock_for_compaction(path);
    record(database, entry, "control database", clock.wall());
    static_cast<void>(database.checkpoint());
    compacted.bytes_before = size_of(path);
    const auto moved = sqlite::compact_database(path, sqlite::WriterQueue::kWaitMax);
    compacted.is_complete = moved.outcome != sqlite::CheckpointResult::Outcome::partial;
  }
  compacted.bytes_after = size_of(path);  // the last to close it removes the log
  return compacted;
}

}  // namespace tenure::queue
