#pragma once

#include "remembered.hpp"

#include <tenure/queue/types.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

// The fair order of one pool: which tenant is next. Buckets in strict order (rank of the queue, then priority); inside a
// bucket the tenant with the least virtual time, in slot microseconds. It knows neither lanes nor gates: a tenant is in a
// bucket exactly while it has something there that may start. Where processes of the pool offer different kinds, each offer (the set of
// kinds) has an order of its own over what it performs; a tenant has one virtual time in all of them.
namespace tenure::daemon {

// Newcomers that are remembered until somebody asks: past so many, the others wait their turn.
inline constexpr std::size_t kNewcomersMax = 64;

// The ready jobs of one queue and priority.
struct Bucket {
  queue::QueueNumber queue;
  queue::Priority priority;
  friend auto operator<=>(const Bucket&, const Bucket&) = default;
};

class Ring {
 public:
  // Where the queue stands in the pool's list, before anything joins a bucket of it.
  void list_queue(queue::QueueNumber queue, std::size_t rank) { ranks_[queue] = rank; }
  [[nodiscard]] bool lists(queue::QueueNumber queue) const { return ranks_.contains(queue); }
  // In the strict order. Both queues are listed.
  [[nodiscard]] bool is_before(const Bucket& a, const Bucket& b) const { return key_of(a) < key_of(b); }

  // Both do nothing where it is so already. A tenant that was in no bucket starts at the least virtual time present, less what is
  // charged for runs that have not begun, or where its own runs have left it if that is later: no credit for idling, and nobody
  // sheds what it used by a short absence.
  void join(const Bucket& bucket, TenantNumber tenant, std::size_t offer = 0);
  void leave(const Bucket& bucket, TenantNumber tenant, std::size_t offer = 0);
  [[nodiscard]] bool is_in(const Bucket& bucket, TenantNumber tenant, std::size_t offer) const;

  // In advance, for a start; negative to take it back.
  void charge(TenantNumber tenant, std::int64_t us);
  // At the end of a run, the real time less what was charged.
  void correct(TenantNumber tenant, std::int64_t us);

  // What is charged by now for jobs that are assigned ahead.
  void set_ahead(std::int64_t us) { ahead_us_ = us; }

  // Jobs of a tenant in a process begin and end to be outstanding.
  void assigned(TenantNumber tenant, queue::ProcessNumber process, int jobs);
  void ended(TenantNumber tenant, queue::ProcessNumber process);
  [[nodiscard]] int outstanding(TenantNumber tenant) const;
  [[nodiscard]] int outstanding(TenantNumber tenant, queue::ProcessNumber process) const;

  // Where a tenant stands in the order.
  struct Standing {
    Bucket bucket;
    std::int64_t virtual_us = 0;
    TenantNumber tenant;
    friend auto operator<=>(const Standing&, const Standing&) = default;
  };
  [[nodiscard]] std::optional<Standing> first(std::size_t offer = 0) const;
  // The one behind `standing` in the order.
  [[nodiscard]] std::optional<Standing> after(const Standing& standing, std::size_t offer = 0) const;
  // The first behind all of its bucket.
  [[nodiscard]] std::optional<Standing> after_bucket(const Bucket& bucket, std::size_t offer = 0) const;
  // A visit has come to `standing`: newcomers to an empty bucket start from there.
  void served(const Standing& standing);

  // 0 for a tenant that is unknown.
  [[nodiscard]] std::int64_t virtual_us(TenantNumber tenant) const;
  // Those that came into the ring since the last call, with nothing outstanding.
  [[nodiscard]] std::vector<TenantNumber> take_newcomers();
  // Where the tenant stands in its best bucket, of whatever offer.
  [[nodiscard]] std::optional<Standing> standing_of(TenantNumber tenant) const;
  [[nodiscard]] std::size_t flows() const { return flows_.size(); }
  // How often tenants stand in it, over all buckets and offers.
  [[nodiscard]] std::size_t entries() const { return entries_; }

 private:
  using Order = std::set<std::pair<std::int64_t, TenantNumber>>;
  // A bucket in the pool's strict order.
  struct Key {
    std::size_t rank = 0;
    queue::Priority priority;
    queue::QueueNumber queue;
    friend auto operator<=>(const Key&, const Key&) = default;
    [[nodiscard]] Bucket bucket() const { return {queue, priority}; }
  };
  using Buckets = std::map<Key, Order>;  // none is empty
  // One of the tenant's entries in the orders.
  struct Entry {
    std::size_t offer = 0;
    Key key;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  struct Flow {
    std::int64_t virtual_us = 0;
    // Lifted by so much while a run was still going: its correction counts only beyond that.
    std::int64_t lifted_us = 0;
    int outstanding = 0;
    std::vector<Entry> entries;
    std::vector<std::pair<queue::ProcessNumber, int>> processes;
    [[nodiscard]] bool is_present() const { return outstanding > 0 || !entries.empty(); }
  };
  [[nodiscard]] Key key_of(const Bucket& bucket) const;
  void move(Flow& flow, TenantNumber tenant, std::int64_t virtual_us);
  void came(TenantNumber tenant, const Flow& flow);
  void went(TenantNumber tenant, const Flow& flow);
  void forget_old_absences();
  [[nodiscard]] std::int64_t start_in(const Key& key) const;
  [[nodiscard]] std::int64_t least_in(const Key& key) const;

  std::unordered_map<queue::QueueNumber, std::size_t> ranks_;  // never iterated
  std::vector<Buckets> offers_;
  std::size_t entries_ = 0;
  std::unordered_map<TenantNumber, Flow> flows_;  // never iterated
  Order absent_;  // flows that are not present, kept until the others have caught up with them
  std::vector<TenantNumber> newcomers_;  // at most kNewcomersMax
  std::size_t present_ = 0;
  std::int64_t served_us_ = 0;
  std::int64_t ahead_us_ = 0;

  TENURE_REMEMBERS(ranks, offers, entries, flows, absent, newcomers, present, served_us, ahead_us)
};

}  // namespace tenure::daemon
