#pragma once

#include <tenure/queue/types.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Pools of worker processes: whose jobs each takes, which of its slots are kept for urgent ones, and what a dispatcher tells of them to
// whoever only looks. The rules are said here once, for the dispatcher and for who looks. Threads: values.
namespace tenure::queue {

// In lists of tenants, where a tenant's name may stand: the jobs that have none. No tenant has this name.
inline constexpr std::string_view kUntenantedName = "none";

// Whose jobs a pool takes. Its numbers are stored.
struct PoolTenants {
  enum class Rule : std::uint8_t { all = 0, only = 1, all_but = 2 };
  Rule rule = Rule::all;
  std::vector<std::string> names = {};  // of the rule, sorted
  [[nodiscard]] bool takes(std::string_view tenant) const;
  friend bool operator==(const PoolTenants&, const PoolTenants&) = default;
};
// "all", "only acme, bolt", "all but acme".
[[nodiscard]] std::string text_of(const PoolTenants& tenants);

// So many slots of a pool are kept for jobs of that priority or better.
struct ReservedSlots {
  Priority priority;
  std::int64_t slots = 0;
  friend bool operator==(const ReservedSlots&, const ReservedSlots&) = default;
};
// The same, and how many jobs of a worse priority hold slots of the pool.
struct KeptSlots {
  ReservedSlots reserved;
  std::int64_t worse = 0;
  friend bool operator==(const KeptSlots&, const KeptSlots&) = default;
};
// How many more jobs of that priority may hold slots of a pool that has so many; the greatest number where none are kept from it. `kept`:
// the best priority first.
[[nodiscard]] std::int64_t room_beside(std::span<const KeptSlots> kept, std::int64_t slots,
                                       Priority priority);
// Whether any are kept from jobs of that priority.
[[nodiscard]] bool are_kept_from(std::span<const ReservedSlots> reserved, Priority priority);

// A worker process that takes jobs, and how many at once.
struct PoolProcess {
  ProcessNumber number;
  std::int64_t slots = 0;
  friend bool operator==(const PoolProcess&, const PoolProcess&) = default;
};

// A pool of the dispatcher, as it tells whoever only looks.
struct PoolRecord {
  std::string name;
  std::vector<std::string> queues;  // that it lists, sorted
  std::int64_t workers = 0;         // live worker processes that have said hello
  // Of the last ones where there are none:
  std::vector<std::string> kinds;  // that they perform, sorted
  std::vector<std::string>
      default_queues;  // to which jobs of these kinds go by default, sorted; a pool may list them or not
  std::vector<PoolProcess> processes = {};  // by number; of no others
  // Of those kinds that want any, how many migrations a tenant must have had at least for one of the processes.
  std::map<std::string, std::int64_t> schemas = {};
  PoolTenants tenants = {};
  std::vector<ReservedSlots> reserved = {};  // the best priority first
  std::vector<std::string> reads_only =
      {};  // of those kinds, sorted, whose jobs only read, as one of the processes says
  friend bool operator==(const PoolRecord&, const PoolRecord&) = default;
};

// The slots of the worker processes of a pool.
struct PoolSlots {
  std::string name;
  std::int64_t slots = 0;
  std::int64_t taken = 0;            // by claims, the job of which may not have begun
  std::vector<KeptSlots> kept = {};  // the best priority first
  friend bool operator==(const PoolSlots&, const PoolSlots&) = default;
};

class PoolReader {
 public:
  virtual ~PoolReader() = default;
  // As the last dispatcher has told them, in the order of names, whether or not it lives.
  [[nodiscard]] virtual std::vector<PoolRecord> pools() = 0;
  // Of those that the newest dispatcher has told of. Looks at every claim.
  [[nodiscard]] virtual std::vector<PoolSlots> pool_slots() = 0;
};

class PoolWriter {
 public:
  virtual ~PoolWriter() = default;
  // What the dispatcher of that incarnation tells of its pools, in place of what was told before; where one has no worker its last
  // kinds stay. From it follows which ready jobs are shown as held while that dispatcher lives; nothing else depends on it.
  virtual void tell_pools(Incarnation incarnation, std::span<const PoolRecord> pools) = 0;
};

}  // namespace tenure::queue
