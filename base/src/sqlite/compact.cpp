#include "queue_file.hpp"

#include <tenure/base/sqlite/compact.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>

#include <sqlite3.h>

namespace tenure::sqlite {
namespace {

constexpr Query kVacuum{"vacuum", "vacuum"};

// No connection of ours may attach another file, and VACUUM attaches the one that it writes first.
class MayAttachOne {
 public:
  explicit MayAttachOne(sqlite3* database)
      : database_(database), former_(sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 1)) {}
  ~MayAttachOne() { sqlite3_limit(database_, SQLITE_LIMIT_ATTACHED, former_); }
  MayAttachOne(const MayAttachOne&) = delete;
  MayAttachOne& operator=(const MayAttachOne&) = delete;

 private:
  sqlite3* const database_;
  const int former_;
};

}  // namespace

CheckpointResult compact_database(const std::filesystem::path& path, std::chrono::milliseconds wait_max) {
  Connection gate(path, {});
  Connection checkpointer(path, {});
  WriterQueue queue(gate.path().string() + kQueueSuffix);
  CheckpointResult moved;
  queue.run(wait_max, [&](WriterQueue::Turn&) {
    {
      const MayAttachOne may_attach(gate.native());
      gate.execute(kVacuum);
    }
    sync_wal(gate);
    moved = checkpoint_gated(gate, checkpointer);
  });
  return moved;
}

}  // namespace tenure::sqlite
