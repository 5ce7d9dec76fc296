#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/secret_key.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>

namespace tenure::queue {

struct SqliteStoreOptions {
  std::filesystem::path path;
  bool create = false;  // make the control database where there is none; else DatabaseMissing
  std::size_t payload_max = 256UL * 1024;  // bytes of an envelope without its seal, to limits::kPayloadMax
  // For other processes' turns to write; then StoreBusy names them. 0 to kTurnWaitMax, else BadOptions.
  std::chrono::milliseconds turn_wait_max{30'000};
  KeyRing keys = {};  // that seal what is enqueued
};
inline constexpr std::chrono::hours kTurnWaitMax{1};

// The control database in one SQLite file. One that is new and empty gets its schema at once; an older or newer one is SchemaMismatch,
// which says what to do (upgrade.hpp), also once the schema was brought on while the store was open.
// Threads: every method from any thread.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const SqliteStoreOptions& options, const Clock& clock);

// The same file for reading: each read waits for nobody, needs no permission to write, and changes nothing on disk. DatabaseMissing;
// SchemaMismatch; what base/sqlite/look.hpp says of a look.
[[nodiscard]] std::unique_ptr<ReadableStore> look_at_sqlite_store(const std::filesystem::path& path);

}  // namespace tenure::queue
