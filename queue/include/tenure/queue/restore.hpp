#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/audit.hpp>
#include <tenure/queue/outbox.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

// A control database that was put back from a copy lacks what came since: ends of jobs, marks of outboxes, how far they were taken
// over. So it takes a new epoch before anything is claimed on it, and every tenant's file is looked at once (decision 39).
// Threads: values.
namespace tenure::queue {

class Store;

// Whether somebody has said that steps of jobs may be repeated, whose receipts may be gone.
enum class AcceptRepeats : bool { no, yes };

// The times of two machines may differ by so much before a copy counts as one of another time.
inline constexpr std::chrono::hours kCopyAheadMax{1};

// That it happened.
struct RestoreRecord {
  std::int64_t epoch = 0;   // of the store, from then on
  WallTime copied{};        // when the copy was made
  WallTime noticed{};       // in the commit that has made it the control database
  std::int64_t marked = 0;  // tenants' files that were marked to be looked at
  friend bool operator==(const RestoreRecord&, const RestoreRecord&) = default;
};

// Numbers of an outbox whose rows are in neither database: their jobs came into a control database that is no more.
struct LostRows {
  OutboxOwner owner;
  std::int64_t count = 0;
  WallTime found{};  // the last of them
  friend bool operator==(const LostRows&, const LostRows&) = default;
};

// A part of JobReader.
class RestoreReader {
 public:
  virtual ~RestoreReader() = default;

  // Where the database is a copy that nobody has accepted yet: when it was made. A store in memory is none.
  [[nodiscard]] virtual std::optional<WallTime> copied() = 0;
  [[nodiscard]] virtual std::optional<RestoreRecord> last_restore() = 0;
  // Of one owner; `count` 0: none.
  [[nodiscard]] virtual LostRows lost_rows(const OutboxOwner& owner) = 0;
  // Of all that have lost any, those found last first.
  [[nodiscard]] virtual std::vector<LostRows> lost_rows(std::size_t limit) = 0;
};

// A part of StoreWriter.
class RestoreWriter {
 public:
  virtual ~RestoreWriter() = default;

  // Makes a copy the control database from this commit on: the next epoch, a mark for the file of each tenant that lives, a record, and
  // the audit's, whose subject and count it sets. Nothing where it is no copy. Commit it durably, before anything is claimed.
  virtual std::optional<RestoreRecord> accept_copy(AuditEntry entry, WallTime now) = 0;
  // The owner's file has given numbers up to `newest` and holds no row; the caller has synced it since he read that. What lies above the
  // watermark is in neither database: it is counted, and the watermark raised. How many that were; 0 also where the file was found to be
  // an older copy. Commit it durably.
  virtual std::int64_t note_lost_rows(const OutboxOwner& owner, OutboxSeq newest, WallTime now) = 0;
};

// AccessRefused where receipts may be gone that were there when the copy was made, or where it is from a time to come, so that nobody
// knows; the message says what may happen and which command accepts that.
[[nodiscard]] Result<void> check_age_of_copy(WallTime copied, AcceptRepeats accept, WallTime now);

// Whoever is to dispatch, or has the dispatcher's lock, before anything is claimed: accepts the copy where the store is one. Raises what
// check_age_of_copy says.
std::optional<RestoreRecord> accept_if_copied(Store& store, AcceptRepeats accept, const AuditEntry& entry,
                                              const Clock& clock);

// The same by an operator, for the control database at that path. Takes the dispatcher's lock meanwhile: LockHeld. DatabaseMissing, SchemaMismatch.
std::optional<RestoreRecord> accept_control_copy(const std::filesystem::path& path, AcceptRepeats accept,
                                                 const AuditEntry& entry, const Clock& clock);

}  // namespace tenure::queue
