#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/replay/run_record.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One run in one file (docs/formats/capsule.md): the tenant's database as it was before the run, and beside its tables
// `tenure_capsule` and `tenure_capsule_...` with what the run was given and what it did. The sqlite3 shell reads it.
namespace tenure::replay {

inline constexpr int kCapsuleVersion = 1;
inline constexpr std::string_view kCapsuleEnding = ".capsule";

// What the run was given, and where.
struct CapsuleHead {
  queue::AssignedJob job;       // its envelope without seal, and masked
  std::string application;      // of Global IDs
  std::string program_version;  // of the worker program
  WallTime started{};
  std::string tenure_version;  // that wrote the capsule
  // Of the mask by which it was redacted (queue::Mask::patterns): a replay's record is redacted by it too before both are compared.
  std::vector<std::string> masked;
};

struct Capsule {
  CapsuleHead head;
  RunRecord run;
};

struct CapsuleLimits {
  std::int64_t bytes_max = 256LL << 20U;       // of the file
  std::int64_t folder_bytes_max = 4LL << 30U;  // of all capsules of the folder together, this one too
};

// A snapshot that is taken when it returns; TenantHandle::begin_read alone takes it with the first read.
// Threads: the handle's.
[[nodiscard]] TenantSnapshot take_snapshot(const TenantHandle& handle);

// What `mask` leaves of a record. write_capsule does it to what it writes.
[[nodiscard]] RunRecord redacted(RunRecord run, const queue::Mask& mask);

// Writes what `before`, a snapshot that was begun before the run, sees, and the run, into a file of `folder`, which is made (0700) where
// its parent is there. Values of columns, arguments, recorded calls and changed rows whose names the mask covers are redacted; rows of
// the outbox are left out, and what the file had deleted is not in the copy. Mode 0600, by rename, on disk when it returns; returns its
// path. LimitReached (a limit above; nothing is left), ConstraintViolated (a column cannot be redacted: which one), DiskError. `go_on` is
// called after each megabyte that is copied or digested, before each further step, and each few milliseconds while SQLite is at work, but for
// its check of one table and the last sync; what it throws ends the writing and leaves nothing.
// Threads: the handle's of the snapshot.
[[nodiscard]] std::filesystem::path write_capsule(const TenantSnapshot& before, const Capsule& capsule,
                                                  const queue::Mask& mask,
                                                  const std::filesystem::path& folder,
                                                  const CapsuleLimits& limits,
                                                  const std::function<void()>& go_on = nullptr);

// Removes from a folder of capsules, if there is one, what processes that were killed have left of theirs: it holds what no mask has
// gone over. What somebody still writes stays. write_capsule does it before it counts the folder's bytes. Threads: any.
void remove_unfinished(const std::filesystem::path& folder);

// Reads and verifies: all of it is under a digest. DatabaseDamaged (no capsule, cut, flipped: which and where), SchemaMismatch (a newer
// version, or an older one that this program does not replay: both versions), DatabaseMissing, AccessRefused (a symlink).
[[nodiscard]] Capsule read_capsule(const std::filesystem::path& file);

// Only what a list shows, without the digest's look at every row. As read_capsule.
[[nodiscard]] CapsuleHead read_head(const std::filesystem::path& file);
struct CapsuleSummary {
  CapsuleHead head;
  std::optional<queue::AttemptFailure> failure;  // nothing: the run succeeded
};
[[nodiscard]] CapsuleSummary read_summary(const std::filesystem::path& file);

// Puts the tenant of the capsule, as it was before the run, in its place below `files`, a scratch root where no tenant of that name is.
// The capsule is left as it is.
void restore_tenant(const std::filesystem::path& capsule, const TenantFiles& files);

}  // namespace tenure::replay
