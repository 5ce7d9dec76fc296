#pragma once

#include "interned_names.hpp"
#include "sqlite_reader.hpp"

#include <tenure/queue/store.hpp>

#include <cstddef>
#include <map>
#include <vector>

// The verbs of the store as SQL on one connection inside one transaction. Internal.
//   sqlite_enqueue.cpp   a job comes in
//   sqlite_claim.cpp     a job is given to a process
//   sqlite_endings.cpp   a claim ends: finish, retry, release, block, reclaim
//   sqlite_moves.cpp     jobs become ready without a claim; holders and hints
namespace tenure::queue {

class SqliteWriter final : public StoreWriter {
 public:
  SqliteWriter(sqlite::Connection& connection, TransactionNames& names, const StoreFacts& facts)
      : connection_(connection), names_(names), facts_(facts), reader_(connection, names, facts) {}

  Result<Enqueued> enqueue(const NewJob& job, WallTime now) override;
  ClaimReply claim(const ClaimRequest& request, WallTime now) override;
  Result<void> finish_succeeded(ClaimRef claim, WallTime now) override;
  Result<void> finish(ClaimRef claim, JobState state, JobReason reason, const AttemptFailure& failure,
                      WallTime now) override;
  Result<void> retry(ClaimRef claim, WallTime due, const AttemptFailure& failure, WallTime now) override;
  Result<void> release(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) override;
  Result<void> block(ClaimRef claim, JobReason reason, WallTime now) override;
  Result<void> reclaim(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                       WallTime now) override;
  std::vector<JobArrival> reclaim_of_former_holders(Incarnation current, std::size_t limit,
                                                    WallTime now) override;
  std::vector<JobArrival> promote(WallTime now, std::size_t limit) override;
  std::vector<JobArrival> unblock(JobReason reason, JobSeq after, std::size_t limit, WallTime now) override;
  std::vector<JobArrival> take_lane_hints(std::size_t limit) override;
  Incarnation open_incarnation(std::int64_t seconds_since_2020, std::string_view node, std::int64_t pid,
                               WallTime now) override;
  Result<void> retry_by_operator(JobId id, WallTime now) override;
  StoreReader& reader() override { return reader_; }

 private:
  struct Owner {
    TenantNumber number = kUntenanted;
    Generation generation{0};
  };
  // A job on its way in, with everything looked up.
  struct Incoming {
    Owner owner;
    std::string envelope;
  };
  struct Names {
    QueueNumber queue;
    KindNumber kind;
  };
  // The claim that has just been deleted.
  struct EndedClaim {
    std::int64_t started_us = 0;
    std::int64_t process = 0;
  };

  Result<Incoming> look_up(const NewJob& job);
  Result<Owner> owner_of(const TenantName& name, Generation wanted);
  Result<Names> intern(const NewJob& job);
  // Nothing: no such id. IdConflict: it has other content.
  Result<std::optional<Enqueued>> existing(const NewJob& job);
  void insert_payload(JobSeq seq, std::string_view envelope);

  [[nodiscard]] std::vector<ClaimedJob> front_of_lanes(const ClaimRequest& request);
  void read_lane(const ClaimRequest& request, const LaneCursor& cursor, std::vector<ClaimedJob>& front);
  void read_envelopes(ClaimReply& reply, const ClaimRequest& request);
  void insert_claim(const ClaimedJob& job, ProcessNumber process, WallTime now);

  [[nodiscard]] std::optional<EndedClaim> end_claim(ClaimRef claim);
  void add_attempt(ClaimRef claim, const EndedClaim& ended, AttemptOutcome outcome,
                   const AttemptFailure& failure, WallTime now);
  void add_release(ClaimRef claim, const EndedClaim& ended, const AttemptFailure& why, WallTime now);
  void add_lost_attempt(ClaimRef claim, const AttemptFailure& failure, WallTime now);
  [[nodiscard]] bool is_ready(JobSeq seq);
  void charge_crash(ClaimRef claim, CrashCharge charge, const EndedClaim& ended, WallTime now);

  void move_to_ready(JobSeq seq, JobState from);
  Result<void> check_tenant_of_retry(TenantNumber number);

  sqlite::Connection& connection_;
  TransactionNames& names_;
  const StoreFacts& facts_;
  SqliteReader reader_;
  // Live tenants that accept jobs, as this transaction has read them: nobody else writes while it lasts, and none of the
  // verbs changes a tenant.
  std::map<TenantName, Owner> owners_;
};

[[nodiscard]] std::vector<const sqlite::Query*> enqueue_queries();
[[nodiscard]] std::vector<const sqlite::Query*> claim_queries();
[[nodiscard]] std::vector<const sqlite::Query*> ending_queries();
[[nodiscard]] std::vector<const sqlite::Query*> move_queries();

}  // namespace tenure::queue
