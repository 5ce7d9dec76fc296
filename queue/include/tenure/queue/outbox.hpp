#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/secret_key.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Jobs that a transaction of a tenant's database has enqueued, on their way from its table tenure_outbox into the control database.
// A row's number grows in the order of commits and is never given twice, so that one number, the watermark, says which rows have been
// taken over, for ever: whoever comes late with rows that he has read before brings nothing in twice.
// Threads: values.
namespace tenure::queue {

struct NewJob;

// Of a row in its file.
using OutboxSeq = Strong<struct OutboxSeqTag, std::int64_t>;

// Whose file it is.
struct OutboxOwner {
  TenantName tenant;
  Generation generation;
  friend bool operator==(const OutboxOwner&, const OutboxOwner&) = default;
};

struct OutboxRow {
  OutboxSeq seq;
  std::string text;
  friend bool operator==(const OutboxRow&, const OutboxRow&) = default;
};

// Some of the rows of one file as one snapshot has them, from its first row and without a gap.
struct OutboxRows {
  OutboxSeq newest{0};  // the greatest number that the file has given, also of rows that are gone
  std::vector<OutboxRow> rows;
  friend bool operator==(const OutboxRows&, const OutboxRows&) = default;
};

// Of one page, for one commit: as many as a frame of the worker protocol holds. The first row may have any size.
inline constexpr std::size_t kOutboxPageRows = 1000;
inline constexpr std::size_t kOutboxPageBytes = 1024UL * 1024;

// What a worker process tells of one file at the end of a run: its first rows, which are on disk. Rows behind the run's own are left to
// those who have put them there.
struct OutboxReport {
  OutboxOwner owner;
  OutboxRows rows;
  bool is_all = true;  // else somebody has to look at the file for more
  friend bool operator==(const OutboxReport&, const OutboxReport&) = default;
};

// What a row holds, version 1 (docs/formats/tenant-database.md): one line and the envelope.
//   tenure-outbox/1 QUEUE PRIORITY DUE_US ATTEMPTS_MAX\n
//   ENVELOPE
// A sixth word, START_BEFORE_US, is there where the job must start before some time.
// With keys its version is 2, with a batch 3, and these stand behind a blank at the end of the line, as JSON.
// The job's generation is known. Sealed where there is a key.
[[nodiscard]] std::string write_outbox_row(const NewJob& job, const KeyRing& keys);
// The same, and what an enqueue would say of the job: BadOptions; PayloadTooLarge, by the bytes of its envelope; MissingTenant for an
// untenanted job, which no tenant's database can hold.
[[nodiscard]] Result<std::string> make_outbox_row(const NewJob& job, std::size_t payload_max,
                                                  const KeyRing& keys);
// Whether the row is of that job, whatever its times, attempts and seal: what an enqueue of the same id is compared by.
[[nodiscard]] bool says_same_job(std::string_view row, const NewJob& job);
// BadPayload, whose message begins with the reason (NotAnOutboxRow, OutOfRange, and those of read_envelope); NewerEnvelope for a row or
// an envelope of a later version; WrongTenant and StaleGeneration where it is not this owner's; BadSeal.
[[nodiscard]] Result<NewJob> read_outbox_row(std::string_view text, const OutboxOwner& owner,
                                             const KeyRing& keys);

// The first row that could not be taken over. It stays, and those behind it wait.
struct RefusedOutboxRow {
  OutboxSeq seq;
  Failure failure;
};

// What became of rows that were brought to the control database.
struct Relayed {
  // Rows up to it have been taken over: when that is on disk they may be deleted. Below what it was before: never.
  OutboxSeq watermark{0};
  int inserted = 0;
  int existed = 0;  // their ids were there already, with the same content
  // Numbers between the watermark and the first row, whose rows are in neither database: one of them was restored from a backup.
  std::int64_t missing = 0;
  // When the rows were read the file had given fewer numbers than are taken over by now: others have gone on since, or it is an older copy
  // (who wants to know asks the file again, after the watermark, as relay_file does), or it was found to be one before. Nothing was changed.
  bool is_file_behind = false;
  bool has_ready = false;  // of what was inserted some is due
  std::optional<RefusedOutboxRow> refused = std::nullopt;
  std::optional<TenantNumber> owner = std::nullopt;  // nothing: the registry does not know it
};

using OutboxMarkNumber = Strong<struct OutboxMarkNumberTag, std::int64_t>;

// Of a mark that stands for all marks of the file that were there before the control database was put back from a copy, and that
// processes may remember. A stamp's begins at 1.
inline constexpr std::int64_t kEpochOfRestore = 0;

// "This tenant's file may hold rows."
struct OutboxMark {
  OutboxMarkNumber number;  // grows for ever
  OutboxOwner owner;
  std::optional<std::int64_t> epoch;  // of the file's stamp for which it stands; nothing: whatever it is
  WallTime marked{};
  // Nobody is at work there who brings his rows himself: the file is looked at soon, and the mark goes with the first look that finds it
  // empty.
  [[nodiscard]] bool is_for_one_look() const { return !epoch || *epoch == kEpochOfRestore; }
  friend bool operator==(const OutboxMark&, const OutboxMark&) = default;
};

// What a file says of its outbox, to a transaction that has its writers' lock.
struct OutboxState {
  std::int64_t epoch = 0;  // of its stamp
  OutboxSeq newest{0};     // the greatest number that it has given
  friend bool operator==(const OutboxState&, const OutboxState&) = default;
};

struct MarkedOutbox {
  bool existed = false;
};

}  // namespace tenure::queue
