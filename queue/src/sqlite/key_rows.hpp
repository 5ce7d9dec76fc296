#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The tables job_key, key_line and unique_key, and claim.key, inside one write transaction, in which nobody else writes: whether they
// have rows at all is asked once, and while they have none nothing else is. Internal.
namespace tenure::queue {

// As it is stored (job_key_rules.hpp).
struct StoredConcurrency {
  std::string key;
  std::int64_t running_max = 1;
};
[[nodiscard]] StoredConcurrency stored_concurrency(const ConcurrencyKey& key, TenantNumber tenant);
[[nodiscard]] ConcurrencyKey stated_concurrency(const StoredConcurrency& key);
struct StoredUnique {
  std::string key;
  UniqueUntil until = UniqueUntil::ended;
  bool is_held = false;
};

class KeyRows {
 public:
  explicit KeyRows(sqlite::Connection& connection) : connection_(connection) {}

  // --- Concurrency.
  void state(JobSeq seq, const StoredConcurrency& key);
  [[nodiscard]] std::optional<StoredConcurrency> concurrency_of(JobSeq seq);
  // Of the job's claim; empty: it has none, or no key.
  [[nodiscard]] std::string key_of_claim(JobSeq seq);
  [[nodiscard]] bool is_taken(const StoredConcurrency& key) { return running(key.key) >= key.running_max; }
  // Claims with that key.
  [[nodiscard]] std::int64_t running(const std::string& key);
  // A claim with it has come, or has gone; an empty one is none.
  void claimed(const std::string& key);
  void given_back(const std::string& key);

  [[nodiscard]] bool has_line(const std::string& key);
  void join_line(const std::string& key, const Lane& lane, const LanePlace& place);
  void leave_line(const std::string& key, const Lane& lane, const LanePlace& place);
  // The first one of the tenants behind that number.
  [[nodiscard]] std::optional<JobArrival> next_in_line(const std::string& key, std::int64_t behind_tenant);
  // The one behind that job, of its tenant or the next.
  [[nodiscard]] std::optional<JobArrival> next_behind(const std::string& key, const JobArrival& job);
  // Keys behind that one which have a line, in their order.
  [[nodiscard]] std::vector<std::string> lines(const std::string& after, std::size_t limit);

  // --- Unique.
  void hold(JobSeq seq, const StoredUnique& key);
  [[nodiscard]] std::optional<StoredUnique> unique_of(JobSeq seq);
  // Which job has the key.
  [[nodiscard]] std::optional<Enqueued> holder_of(const std::string& key);
  void hold_again(JobSeq seq);
  // Its job has ended, and could be retried.
  void free(JobSeq seq);
  // It was claimed.
  void free_at_start(JobSeq seq);
  // It has succeeded.
  void forget_unique(JobSeq seq);

  // The job is removed.
  void forget(JobSeq seq);

 private:
  struct HasAny {
    bool concurrency = false;
    bool unique = false;
  };
  [[nodiscard]] HasAny& has_any();

  sqlite::Connection& connection_;
  std::optional<HasAny> has_any_;
  std::map<std::string, std::int64_t> running_;  // of the keys that were counted
};

[[nodiscard]] std::vector<const sqlite::Query*> key_queries();

}  // namespace tenure::queue
