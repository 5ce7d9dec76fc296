#pragma once

#include "busy_tenants.hpp"
#include "remembered.hpp"
#include "ring.hpp"
#include "start_limits.hpp"
#include "tenants_of_pools.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

// Every lane that may hold a job which can be claimed, its cursor, and the gates before it. What is open to a pool stands in
// that pool's ring; what is parked at a gate stands in none, so nobody searches past it.
//
// A claim does not touch the job's row, so running jobs keep standing at the front of their lane: the cursor is the place behind
// the last one claimed, and whatever becomes ready before it takes it back.
namespace tenure::daemon {

// Of the lanes of a queue and kind, whose tenants have no gate as far as is known: why nobody performs them.
struct HeldLane {
  queue::JobReason reason = queue::JobReason::none;
  std::string queue;
  std::string kind;
};

class Lanes {
 public:
  explicit Lanes(const std::vector<PoolSettings>& pools);

  // --- What is known.

  // A lane from the scan of the store: everything in it is unknown.
  void scanned(const queue::Lane& lane);
  // Somebody says that there is a job: believed for lanes whose queue and kind are known, until a claim finds nothing there.
  void rumoured(const queue::Lane& lane);
  // Whether there is nothing that any pool could claim now.
  [[nodiscard]] bool none_open() const { return open_ == 0; }
  // Whether no pool could claim from this one now; not while its names are asked for. Nothing: no job is known to stand there.
  [[nodiscard]] std::optional<bool> is_gated(const queue::Lane& lane) const;
  // One job is, or has become, ready.
  void arrived(const queue::Lane& lane, const queue::LanePlace& place);
  // What a claim answered. `known_until`: the last sequence whose arrival was read.
  void settle(const queue::ClaimRequest& request, const queue::ClaimReply& reply, queue::JobSeq known_until);

  // --- Gates.

  // Numbers that were seen and have no name yet: they gate their lanes. At most `limit`.
  [[nodiscard]] std::vector<queue::QueueNumber> unnamed_queues(std::size_t limit) const;
  [[nodiscard]] std::vector<queue::KindNumber> unnamed_kinds(std::size_t limit) const;
  void name_queue(queue::QueueNumber number, const std::string& name);
  // Empty where it has none yet.
  [[nodiscard]] std::string queue_name(queue::QueueNumber number) const;
  [[nodiscard]] std::string kind_name(queue::KindNumber number) const;
  void name_kinds(const std::vector<queue::KindNumber>& numbers, const std::vector<std::string>& names);
  // The same of tenants, while pools name some: those pools take nothing of it.
  [[nodiscard]] std::vector<TenantNumber> unnamed_tenants(std::size_t limit) const {
    return tenants_of_pools_.unnamed(limit);
  }
  void name_tenant(TenantNumber tenant, const std::string& name);
  // Has its name asked for where it is wanted and not known; also of one that has no lane.
  void met(TenantNumber tenant) { tenants_of_pools_.met(tenant); }
  void set_pool_tenants(std::size_t pool, queue::PoolTenants tenants);
  [[nodiscard]] bool is_known(TenantNumber tenant) const { return tenants_of_pools_.is_known(tenant); }
  [[nodiscard]] bool takes_tenant(std::size_t pool, TenantNumber tenant) const {
    return tenants_of_pools_.takes(pool, tenant);
  }
  // A process of the pool offers these kinds, sorted. Returns its offer: the number, in the pool, of this set of kinds. A lane
  // is open in a pool while a process of it offers its kind.
  [[nodiscard]] std::size_t process_came(std::size_t pool, const std::vector<std::string>& kinds,
                                         const std::vector<std::string>& default_queues = {},
                                         const std::map<std::string, std::int64_t>& schemas = {},
                                         const std::vector<std::string>& reads_only = {},
                                         const std::map<std::string, std::int64_t>& newest_schemas = {});
  // With the last process of an offer the lanes that only it performed are parked. The pool's last offer of all is
  // remembered until the next hello: its lanes are parked too, and their tenants keep their accounts.
  void process_went(std::size_t pool, std::size_t offer);
  // All tenants whose databases are known to have had fewer migrations than that: their lanes are parked where each process that offers
  // the kind wants as many.
  void set_behind(const std::map<TenantNumber, std::int64_t>& behind);
  // One more, or less of it.
  void is_behind(TenantNumber tenant, std::int64_t wanted);
  // Nothing is known of it any more.
  void is_level(TenantNumber tenant);
  // A process of the offer could not use the tenant's database, which may have had more migrations than its kind takes. While one that takes
  // more of them lives, of any pool that performs the lane, the tenant's jobs are that one's; else they are tried as before.
  void was_refused(std::size_t pool, std::size_t offer, const queue::Lane& lane);
  // Whether its jobs migrate their tenants.
  [[nodiscard]] bool is_migration(queue::KindNumber kind) const { return kind == migrate_kind_; }
  // Whether the offer performs such jobs.
  [[nodiscard]] bool migrates(std::size_t pool, std::size_t offer) const {
    return performs(pool, offer, std::string{queue::kMigrateKind});
  }
  // How many migrations the offer wants for the kind; 0: it does not matter.
  [[nodiscard]] std::int64_t schema_of(std::size_t pool, std::size_t offer, queue::KindNumber kind) const {
    return pools_[pool].offers[offer].wants(kind);
  }
  // By their names: lanes of a queue or a kind that is paused are parked, as long as it is.
  void set_paused(std::set<std::string> queues, std::set<std::string> kinds);
  [[nodiscard]] bool is_paused(const std::string& queue, const std::string& kind) const {
    return paused_queues_.contains(queue) || paused_kinds_.contains(kind);
  }
  // In place of those before; `claims` are those that stand. Lanes of whom no more may start are parked until one more may.
  void set_limits(std::vector<queue::OpenLimit> limits, const std::vector<queue::Lane>& claims);
  void restore_starts(const std::vector<queue::StartBucket>& buckets, Now now);
  // `active` opens the tenant's lanes, `read_only` those of kinds that only read; everything else parks them.
  // Of one that is deleted nothing is kept: its number never comes back.
  void set_tenant_state(TenantNumber tenant, TenantState state);
  [[nodiscard]] bool is_read_only(TenantNumber tenant) const {
    return !read_only_.empty() && read_only_.contains(tenant);
  }
  // Tenants to ask about, the next `limit` in turn: those parked for their state.
  [[nodiscard]] std::vector<TenantNumber> parked_tenants(std::size_t limit);
  // A job of the tenant was released, or has ended otherwise: see BusyTenants.
  void park_busy(TenantNumber tenant, Instant now, TenantPause pause = TenantPause::growing);
  void not_busy(TenantNumber tenant, Instant now);
  // A job of it came back without having run, or its process died under it.
  void tried_in_vain(TenantNumber tenant);
  void unpark_due(Instant now);
  [[nodiscard]] std::optional<Instant> next_unpark() const;

  // --- Planning. What was planned counts as gone until settle() or forget_plan().

  [[nodiscard]] Ring& ring(std::size_t pool) { return rings_[pool]; }
  [[nodiscard]] const Ring& ring(std::size_t pool) const { return rings_[pool]; }
  // Offer are 0 to less than this.
  [[nodiscard]] std::size_t offers(std::size_t pool) const { return pools_[pool].offers.size(); }
  // fn(cursor) for each lane of the tenant in that bucket that the offer performs.
  template <class Function>
  void for_each_kind(std::size_t pool, std::size_t offer, const Ring::Standing& standing,
                     Function&& fn) const {
    const TenantLanes& lanes = lanes_of(standing);
    for (const KindLane& kind : lanes.kinds) {
      const Offer& of = pools_[pool].offers[offer];
      if (may_try(of, standing.bucket.queue, standing.tenant, kind.kind) && !is_paused(kind.kind) &&
          !kind.is_limited)
        fn(queue::LaneCursor{kind.kind, kind.after});
    }
  }
  [[nodiscard]] bool performs(std::size_t pool, std::size_t offer, const queue::Lane& lane) const;
  // The same, of a kind in no lane.
  [[nodiscard]] bool performs(std::size_t pool, std::size_t offer, const std::string& kind) const;
  // Whether the pool takes the tenant, lists the queue and has, or had last, a process that performs the kind, and neither is paused.
  [[nodiscard]] bool is_for(std::size_t pool, TenantNumber tenant, const std::string& queue,
                            const std::string& kind) const;
  // Whether a process of the pool says, or the last one has said, that jobs of the kind only read.
  [[nodiscard]] bool is_read_in(std::size_t pool, const std::string& kind) const;
  // The first such pool.
  [[nodiscard]] std::optional<std::size_t> pool_for(TenantNumber tenant, const std::string& queue,
                                                    const std::string& kind) const;
  // How many jobs may still be planned there for the offer, as far as is known.
  [[nodiscard]] std::size_t jobs_max(std::size_t pool, std::size_t offer,
                                     const Ring::Standing& standing) const;
  // `kinds`: that they are asked of.
  void planned(std::size_t pool, std::size_t offer, const Ring::Standing& standing,
               const std::vector<queue::LaneCursor>& kinds, std::size_t jobs);
  void forget_plan(const queue::ClaimRequest& request);

  // --- What limits count (StartLimits). A claim that a round plans is counted once: as planned, then as it was answered.

  [[nodiscard]] bool has_limits() const { return limits_.is_any(); }
  enum class Ahead : std::uint8_t { no, yes };
  // Leaves those of `kinds` that the same limits count, for one claim: which, changes by turns. How many jobs of them those allow. Where
  // they start later than they are claimed, none if a rate counts any of them: it may start now, and would find no free slot behind others.
  [[nodiscard]] std::int64_t keep_together(const Ring::Standing& standing,
                                           std::vector<queue::LaneCursor>& kinds, Ahead ahead) const;
  // As far as is known, how many jobs of these may still be planned there.
  [[nodiscard]] std::int64_t jobs_of(const Ring::Standing& standing,
                                     const std::vector<queue::LaneCursor>& kinds) const;
  // Whether one more may start.
  [[nodiscard]] bool has_room(const queue::Lane& lane) const;
  // Starts that are to come of those that limits count, before they are planned.
  using Expected = std::map<queue::LimitGroup, std::int64_t>;
  void expect(const queue::Lane& lane, Expected& expected) const;
  // Whether one more may start beside them.
  [[nodiscard]] bool has_room(const queue::Lane& lane, const Expected& expected) const;
  // Of one that is claimed by itself.
  void plan_start(const queue::Lane& lane);
  void started(const queue::Lane& lane, Instant now);
  void claim_ended(const queue::Lane& lane);
  // The round that has planned is over.
  void forget_start_plans();
  [[nodiscard]] std::optional<std::vector<queue::BucketNote>> take_bucket_notes(Instant now) {
    return limits_.take_notes(now);
  }
  void not_noted(const std::vector<queue::BucketNote>& notes);
  [[nodiscard]] const StartLimits& limits() const { return limits_; }

  // --- Figures.
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t parked() const { return count_ - open_; }
  [[nodiscard]] std::vector<KnownLane> all() const;
  // Who performs what, for those who only look.
  [[nodiscard]] std::vector<queue::PoolRecord> pools() const;
  [[nodiscard]] bool is_listed(std::string_view queue) const;
  // Whether held() may find something: cheap, and true too often at most.
  [[nodiscard]] bool may_hold() const { return may_hold_; }
  // Looks at every lane. One of each queue and kind and reason, in their order; what has no name yet is left out. `asked`: of how many lanes
  // it has asked who would perform them, which is what it costs.
  [[nodiscard]] std::vector<HeldLane> held(std::size_t* asked = nullptr);

 private:
  struct KindLane {
    queue::KindNumber kind;
    std::optional<queue::LanePlace> after;
    std::optional<std::int64_t> jobs;  // nothing: unknown, until a claim comes back short
    std::int64_t planned = 0;
    bool is_limited = false;  // no more of them may start, by the last refresh()
  };
  // Those of one tenant in one bucket.
  struct TenantLanes {
    std::vector<KindLane> kinds;
    std::int64_t open = 0;
    std::size_t entries = 0;  // in rings
    std::size_t visits = 0;   // while there are limits
    void forget_plan() {
      for (KindLane& kind : kinds) kind.planned = 0;
    }
  };
  using Tenants = std::map<TenantNumber, TenantLanes>;
  struct Tenant {
    std::vector<Bucket> buckets;
    std::optional<TenantState> gate;
  };
  struct QueueEntry {
    std::string name;                // "" until named
    std::vector<std::size_t> pools;  // that list it
    bool is_paused = false;
  };
  struct Offer {
    std::vector<std::string> kind_names;          // sorted
    std::unordered_set<queue::KindNumber> kinds;  // those of them that have a number; never iterated
    std::vector<std::string> default_queues;      // of these kinds, as the last of its processes has said
    std::size_t processes = 0;
    std::map<std::string, std::int64_t> schemas;         // WorkerReady::schemas
    std::map<queue::KindNumber, std::int64_t> wanted;    // the same, of those that have a number
    std::vector<std::string> reads_only;                 // WorkerReady::reads_only
    std::set<queue::KindNumber> reading;                 // the same, of those that have a number
    std::map<std::string, std::int64_t> newest_schemas;  // WorkerReady::newest_schemas
    std::map<queue::KindNumber, std::int64_t> newest;    // the same, of those that have a number
    [[nodiscard]] bool knows(queue::KindNumber kind) const { return kinds.contains(kind); }
    [[nodiscard]] std::int64_t wants(queue::KindNumber kind) const {
      const auto found = wanted.empty() ? wanted.end() : wanted.find(kind);
      return found == wanted.end() ? 0 : found->second;
    }
    [[nodiscard]] std::int64_t newest_of(queue::KindNumber kind) const {
      const auto found = newest.find(kind);
      return found == newest.end() ? std::numeric_limits<std::int64_t>::max() : found->second;
    }
    void number_kind(queue::KindNumber number, const std::string& name);
  };
  struct Pool {
    std::string name;
    std::vector<std::string> queues;
    std::vector<Offer> offers;
    [[nodiscard]] bool knows(queue::KindNumber kind) const;
    [[nodiscard]] std::size_t processes() const;
  };

  [[nodiscard]] const TenantLanes& lanes_of(const Ring::Standing& standing) const;
  KindLane& lane_at(const queue::Lane& lane, bool& is_new);
  [[nodiscard]] bool is_parked(TenantNumber tenant) const;
  // Whether the offer knows the kind, what it knows may run in the tenant, and the tenant's database is not known to be too old for it.
  [[nodiscard]] bool takes(const Offer& offer, TenantNumber tenant, queue::KindNumber kind) const {
    return has_schema(offer, tenant, kind) && (!is_read_only(tenant) || offer.reading.contains(kind));
  }
  [[nodiscard]] bool has_schema(const Offer& offer, TenantNumber tenant, queue::KindNumber kind) const {
    if (!offer.knows(kind)) return false;
    const auto behind = behind_.empty() ? behind_.end() : behind_.find(tenant);
    return behind == behind_.end() || offer.wants(kind) < behind->second;
  }
  [[nodiscard]] bool takes(std::size_t pool, TenantNumber tenant, queue::KindNumber kind) const;
  // The same, and it gives way to no newer one.
  [[nodiscard]] bool may_try(const Offer& offer, queue::QueueNumber queue, TenantNumber tenant,
                             queue::KindNumber kind) const {
    return takes(offer, tenant, kind) && (refused_.empty() || !gives_way(offer, queue, tenant, kind));
  }
  [[nodiscard]] bool gives_way(const Offer& offer, queue::QueueNumber queue, TenantNumber tenant,
                               queue::KindNumber kind) const;
  [[nodiscard]] bool has_newer(std::int64_t than, queue::QueueNumber queue, TenantNumber tenant,
                               queue::KindNumber kind) const;
  [[nodiscard]] std::int64_t jobs_for(const Offer& offer, queue::QueueNumber queue, TenantNumber tenant,
                                      const TenantLanes& lanes) const;
  [[nodiscard]] bool is_paused(queue::KindNumber kind) const { return paused_kind_numbers_.contains(kind); }
  [[nodiscard]] std::size_t offer_with(std::size_t pool, const std::vector<std::string>& kinds,
                                       const std::map<std::string, std::int64_t>& schemas,
                                       const std::vector<std::string>& reads_only,
                                       const std::map<std::string, std::int64_t>& newest_schemas);
  void settle_kind(const queue::LaneCursor& asked, KindLane& lane, const queue::ClaimReply& reply,
                   queue::JobSeq known_until);
  void forget_tenant(TenantNumber tenant);
  void remove_empty(const Bucket& id, TenantNumber tenant, TenantLanes& lanes);
  void refresh(const Bucket& id, TenantNumber tenant, TenantLanes& lanes);
  [[nodiscard]] std::int64_t open_lanes(const QueueEntry& queue, TenantNumber tenant,
                                        const TenantLanes& lanes) const;
  [[nodiscard]] bool has_unperformed(const QueueEntry& queue, TenantNumber tenant,
                                     const TenantLanes& lanes) const;
  void check() const;
  [[nodiscard]] bool is_performed(const QueueEntry& queue, TenantNumber tenant, const KindLane& lane) const;
  [[nodiscard]] std::vector<queue::PoolForLane> pools_for(const QueueEntry& queue, TenantNumber tenant,
                                                          queue::KindNumber kind) const;
  [[nodiscard]] static std::map<std::string, std::int64_t> schemas_of(const Pool& pool);
  [[nodiscard]] std::vector<queue::LimitGroup> limit_groups(const queue::Lane& lane) const;
  void add_limits(const queue::Lane& lane, queue::LaneFacts& facts) const;
  // Tenants of which it is the same are performed by the same processes.
  using TenantClass = std::pair<std::int64_t, std::vector<bool>>;
  [[nodiscard]] TenantClass class_of(TenantNumber tenant) const;
  void note_limited(const Bucket& id, TenantNumber tenant, TenantLanes& lanes);
  // Of groups that were opened or closed.
  void refresh_limited();
  void refresh_group(const queue::LimitGroup& group);
  void refresh_tenant(TenantNumber tenant);
  void refresh_all();

  std::vector<Pool> pools_;
  std::vector<Ring> rings_;
  std::map<Bucket, Tenants> buckets_;
  std::unordered_map<TenantNumber, Tenant> tenants_;  // those with lanes; never iterated
  std::map<queue::QueueNumber, QueueEntry> queues_;
  std::map<queue::KindNumber, std::string> kinds_;  // "" until named
  std::set<queue::QueueNumber> unnamed_queues_;
  std::set<queue::KindNumber> unnamed_kinds_;
  std::set<std::string> paused_queues_, paused_kinds_;
  std::set<queue::KindNumber> paused_kind_numbers_;  // those of them that have one
  std::map<TenantNumber, std::int64_t> behind_;
  std::map<TenantNumber, std::int64_t> refused_;  // by processes that take at most so many migrations
  std::optional<queue::KindNumber> migrate_kind_;
  std::set<TenantNumber> gated_;
  std::set<TenantNumber> read_only_;  // of those
  std::optional<TenantNumber> asked_until_;
  BusyTenants busy_;
  StartLimits limits_;
  TenantsOfPools tenants_of_pools_;
  std::int64_t count_ = 0;
  std::int64_t open_ = 0;
  bool may_hold_ = false;
  std::size_t entries_ = 0;  // in rings

  TENURE_REMEMBERS(pools, rings, buckets, tenants, queues, kinds, unnamed_queues, unnamed_kinds,
                   paused_queues, paused_kinds, paused_kind_numbers, behind, refused, migrate_kind, gated,
                   read_only, asked_until, busy, start_limits, tenants_of_pools, count, open, may_hold,
                   entries)
};

}  // namespace tenure::daemon
