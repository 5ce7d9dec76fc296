#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

// Copies of a control database: made while others work on it, and looked at where there is no daemon and no tenant.
namespace tenure::queue {

struct CopyProgress {
  std::int64_t bytes_done = 0;
  std::int64_t bytes = 0;
};

// Copies the control database at `path`, as it is at one moment, to `target`, which comes to be at once and whole or not at all: it
// is built beside it (".partial"), looked through, synced and renamed. What was acknowledged before the call is in it. Returns its
// size in bytes. The writers of the store are not held up; their log grows until the copy is done. An older schema is copied as it is.
// AccessRefused where something lies at `target` or in the place of the unfinished copy. DatabaseMissing, SchemaMismatch;
// DatabaseDamaged where the copy has a damaged page, which it has from the source. `progress` may throw, which ends it.
// Threads: any.
std::int64_t copy_control_database(const std::filesystem::path& path, const std::filesystem::path& target,
                                   const Clock& clock, FunctionRef<void(const CopyProgress&)> progress);

// A copy that is only looked at: it is taken to change no more, and nothing on disk is touched, locked or made, so that its folder may
// be read-only. Nobody is seen to dispatch it. DatabaseMissing, SchemaMismatch (of an older one when it is read); AccessRefused where a
// log lies beside it.
struct ControlCopy {
  std::unique_ptr<ReadableStore> store;
  WallTime
      as_of{};  // when it was copied; of one that copy_control_database has not made, when its file was last written
};
[[nodiscard]] ControlCopy open_control_copy(const std::filesystem::path& path);

}  // namespace tenure::queue
