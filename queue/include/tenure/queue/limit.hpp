#pragma once

#include <tenure/queue/job_keys.hpp>
#include <tenure/queue/limit_rule.hpp>
#include <tenure/queue/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Limits as a store keeps them. A key's running jobs are counted by the claims that there are, so that nothing can be forgotten.
//   A job that would become ready while its key is taken, or others wait for it, is blocked instead: it waits in the key's line.
//   A claim takes none whose key is taken; it puts that one into the line.
//   Whatever ends a claim, or takes a ready job away, makes the next one of the line ready in the same commit, with a lane hint: the
//   least priority, then due time, then sequence; of a global key the tenants in turn.
// So while jobs wait for a key as many have it, or are ready, as may run.
// How many of a key may run when a job would start is what the job states, and no more than each limit per key says that takes it.
// Limits that are declared (limit_rule.hpp) are rows here: the dispatcher counts, and starts nothing that they do not allow. What a
// reader tells of them it counts by the claims, and by the buckets that dispatchers have noted.
namespace tenure::queue {

struct JobArrival;
struct JobRecord;

struct KeyHolder {
  JobId id;
  WallTime started{};  // of its claim
  friend bool operator==(const KeyHolder&, const KeyHolder&) = default;
};
inline constexpr std::size_t kKeyHoldersShown = 20;
inline constexpr int kLetInMax = 100;

// What a job has stated, and how its keys stand.
struct JobKeys {
  std::optional<ConcurrencyKey> concurrency;
  std::int64_t running_max =
      0;  // of the concurrency key, for this job: its own number, or a lesser one of a limit per key
  std::string limit = {};           // the name of that limit; empty: it is the job's own number
  std::int64_t running = 0;         // jobs that have the concurrency key
  std::vector<KeyHolder> holders;   // of those the first by sequence, at most kKeyHoldersShown
  std::int64_t ahead = 0;           // in its line before a job that waits there; of its own tenant
  std::optional<UniqueKey> unique;  // gone where the job has succeeded
  bool is_unique_held = false;      // else it has passed to whoever states it next
};

// How a limit stands for those of it that are counted together.
struct LimitStanding {
  LimitRecord limit;
  // Whose count it is, as far as the limit counts by them: "none" for the untenanted jobs; "" where it does not.
  std::string tenant = {}, queue = {}, kind = {};
  std::string key = {};  // of a limit per key; its tenant is "" where the key is one for all tenants
  LimitUse use = {};
  std::vector<KeyHolder> holders = {};  // of those that run the first by sequence, at most kKeyHoldersShown
  // JobReason::none: it lets another one start.
  [[nodiscard]] JobReason gate() const { return limit_gate(limit.bounds(), use); }
};

class LimitReader {
 public:
  virtual ~LimitReader() = default;
  // Of a job of this snapshot.
  [[nodiscard]] virtual JobKeys job_keys(const JobRecord& job) = 0;

  // When everything that is asked from here on is asked. Before it no rate holds anything.
  virtual void set_now(WallTime now) = 0;
  // Limits, by name.
  [[nodiscard]] virtual std::vector<LimitRecord> limits() = 0;
  // Of one limit, those of whom anything runs or has started in the window, the fullest first; at most `limit`.
  [[nodiscard]] virtual std::vector<LimitStanding> limit_standings(LimitNumber number, std::size_t limit) = 0;
  // All that take a job of this snapshot, by name. Not those per key: job_keys() tells of them.
  [[nodiscard]] virtual std::vector<LimitStanding> limits_of(const JobRecord& job) = 0;
};

class LimitWriter {
 public:
  virtual ~LimitWriter() = default;
  // Of keys behind `after`, at most `limit`, that have jobs in their lines: where fewer run than the next one says, that one becomes ready,
  // with a lane hint, and so on, at most kLetInMax of a key. For keys whose ready jobs cannot start, since their lanes are gated, and of
  // which more may run since a limit was changed. The last key that was looked at; nothing: there are no more behind it.
  [[nodiscard]] virtual std::optional<std::string> give_free_keys(const std::string& after,
                                                                  std::size_t limit) = 0;
  // `passed` is ready and cannot start, since its lane is gated, as all of `gated` are: while its key is free the next one of the line that
  // stands in none of these lanes becomes ready, without a hint. Nothing: the key is taken, or among the next ones of the line there is
  // no such one.
  [[nodiscard]] virtual std::optional<JobArrival> pass_over(JobSeq passed, std::span<const Lane> gated) = 0;

  // Those of the configuration, in place of what it declared before; what operators have set stays. Wrong ones are left out.
  virtual void declare_limits(std::span<const DeclaredLimit> limits) = 0;
  // Whether it is new. BadOptions (a name, pattern or bound that no limit has; a target of one that is there, or none of one that is not),
  // LimitReached. Commit it durably.
  [[nodiscard]] virtual Result<bool> set_limit(const NewLimit& limit, WallTime now) = 0;
  // One that the configuration does not declare goes. RecordNotFound; StateChanged where nobody has set it.
  [[nodiscard]] virtual Result<void> unset_limit(std::string_view name) = 0;
  // All, where any has changed since that mark; one seek where none has.
  [[nodiscard]] virtual std::optional<OpenLimits> open_limits(LimitsMark known) = 0;
  // All that dispatchers have noted and that may still count, by group and number.
  [[nodiscard]] virtual std::vector<StartBucket> start_buckets(WallTime now) = 0;
  // In the commit of the starts that they count. Writes nothing of those that are no news and whose last start is known to be as late.
  virtual void note_buckets(std::span<const BucketNote> notes, WallTime now) = 0;
};

}  // namespace tenure::queue
