#pragma once

#include <tenure/queue/job_keys.hpp>
#include <tenure/queue/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Limits as a store keeps them. A key's running jobs are counted by the claims that there are, so that nothing can be forgotten.
//   A job that would become ready while its key is taken, or others wait for it, is blocked instead: it waits in the key's line.
//   A claim takes none whose key is taken; it puts that one into the line.
//   Whatever ends a claim, or takes a ready job away, makes the next one of the line ready in the same commit, with a lane hint: the
//   least priority, then due time, then sequence; of a global key the tenants in turn.
// So while jobs wait for a key as many have it, or are ready, as may run.
namespace tenure::queue {

struct JobArrival;
struct JobRecord;

struct KeyHolder {
  JobId id;
  WallTime started{};  // of its claim
  friend bool operator==(const KeyHolder&, const KeyHolder&) = default;
};
inline constexpr std::size_t kKeyHoldersShown = 20;

// What a job has stated, and how its keys stand.
struct JobKeys {
  std::optional<ConcurrencyKey> concurrency;
  std::int64_t running = 0;         // jobs that have the concurrency key
  std::vector<KeyHolder> holders;   // of those the first by sequence, at most kKeyHoldersShown
  std::int64_t ahead = 0;           // in its line before a job that waits there; of its own tenant
  std::optional<UniqueKey> unique;  // gone where the job has succeeded
  bool is_unique_held = false;      // else it has passed to whoever states it next
};

class LimitReader {
 public:
  virtual ~LimitReader() = default;
  // Of a job of this snapshot.
  [[nodiscard]] virtual JobKeys job_keys(const JobRecord& job) = 0;
};

class LimitWriter {
 public:
  virtual ~LimitWriter() = default;
  // Of keys behind `after`, at most `limit`, that have jobs in their lines: where fewer run than the next one says, that one becomes ready,
  // with a lane hint. For keys whose ready jobs cannot start, since their lanes are gated. The last key that was looked at; nothing: there
  // are no more behind it.
  [[nodiscard]] virtual std::optional<std::string> give_free_keys(const std::string& after,
                                                                  std::size_t limit) = 0;
};

}  // namespace tenure::queue
