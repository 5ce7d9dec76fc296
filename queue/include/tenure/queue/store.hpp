#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/queue/audit.hpp>
#include <tenure/queue/batch.hpp>
#include <tenure/queue/capture.hpp>
#include <tenure/queue/fan_out.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/inspection.hpp>
#include <tenure/queue/job_change.hpp>
#include <tenure/queue/job_owner.hpp>
#include <tenure/queue/job_result.hpp>
#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/limit.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/pause.hpp>
#include <tenure/queue/pool.hpp>
#include <tenure/queue/records.hpp>
#include <tenure/queue/restore.hpp>
#include <tenure/queue/retention.hpp>
#include <tenure/queue/retry_writer.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/schedule.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/start_before.hpp>
#include <tenure/queue/suspect.hpp>
#include <tenure/queue/tenant_life.hpp>
#include <tenure/queue/tenant_schema.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/queue/unsucceeded.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Where jobs are kept: a dozen dumb verbs over rows. It enforces which states may follow each other and that a claim's
// token matches; it decides nothing about order, fairness, gates or retries, and asks nobody for the time.
// Not for users to implement.
namespace tenure::queue {

using sqlite::Durability;

// One row that a dispatcher did not know yet.
struct JobArrival {
  JobSeq seq;
  Lane lane;
  WallTime due{};
  JobState state = JobState::ready;
};

// What became of one page of scheduled jobs whose retries were drawn in.
struct DrawnIn {
  std::vector<WallTime> due;            // of each job that was drawn in, its new due time
  std::optional<LanePlace> read_until;  // the last job of the page; nothing: there are no more behind it
};

struct Enqueued {
  JobId id;
  JobSeq seq;
  Generation generation;
  bool existed = false;  // the same job was there already, or another one that has its unique key
  std::optional<JobArrival> arrival;  // of a job that is new
};

struct LaneCursor {
  KindNumber kind;
  std::optional<LanePlace> after;  // nothing: from the front
};

// Claims up to `count` jobs of one (queue, priority, tenant), over several kinds in order of due time and sequence.
// The jobs get the tokens (incarnation, first_counter), (incarnation, first_counter + 1), ...
struct ClaimRequest {
  QueueNumber queue;
  Priority priority;
  TenantNumber tenant;
  std::vector<LaneCursor> kinds;
  bool reads_only = false;  // their jobs only read: they may be claimed where the tenant is read-only, too
  std::size_t count = 1;
  // Of envelopes and cursors together.
  std::size_t bytes_max = std::numeric_limits<std::size_t>::max();
  // The first job is claimed whatever its size: or something could be too big to be claimed at all.
  bool first_of_any_size = true;
  Incarnation incarnation;
  std::int64_t first_counter = 0;
  ProcessNumber process;
};

struct ClaimedJob {
  JobSeq seq;
  JobId id;
  Lane lane;
  LanePlace place;
  ClaimToken token;
  std::optional<TenantName> tenant;
  Generation generation;
  std::string queue;
  std::string kind;
  WallTime created{};
  int attempts_max = 0;
  int failures = 0;
  int crashes = 0;
  int releases = 0;
  std::string envelope;
  std::string cursor = {};                              // that a run before has saved; empty: none
  std::optional<WallTime> start_before = std::nullopt;  // while it has not started
  FailureHistory history = {};                          // where it has failed
  // Of whoever assigns it; a store leaves it empty.
  std::optional<CaptureWish> capture = std::nullopt;
};

struct ClaimReply {
  std::vector<ClaimedJob> jobs;   // fewer than asked: the lanes hold no more, unless
  bool stopped_by_bytes = false;  // the next job would have passed bytes_max
  bool stopped_by_keys = false;   // so many of them had to be put into the lines of their keys
  // Where the tenant may not be claimed from now; then there are no jobs.
  std::optional<TenantState> gate;
};

// Numbers requests in the order in which they were made; grows for ever.
using CancelNumber = Strong<struct CancelNumberTag, std::int64_t>;

// An operator has cancelled a job that runs.
struct CancelRequest {
  CancelNumber number;
  ClaimRef claim;
  JobId id;
};

// What a dispatcher learns from: lanes, what has come since, and names. Inside Store::write.
//   scan      lanes() page by page, then known_until(): the jobs up to it are in these lanes, or come as moved jobs
//   follow    arrivals(known_until()), and so on from the last row of each page
// A claim finds the jobs that scan and arrivals have told of; of later ones it may find some.
class LaneReader {
 public:
  virtual ~LaneReader() = default;

  // Lanes that hold a ready job which nobody runs, in order. `after` pages.
  [[nodiscard]] virtual std::vector<Lane> lanes(const std::optional<Lane>& after, std::size_t limit) = 0;
  // The sequence up to which lanes() knows all jobs. Ask after the first page: it never falls.
  [[nodiscard]] virtual JobSeq known_until() = 0;
  // Rows with a sequence above `after`, in its order, as they stand now; also those that have ended since.
  [[nodiscard]] virtual std::vector<JobArrival> arrivals(JobSeq after, std::size_t limit) = 0;
  [[nodiscard]] virtual std::optional<WallTime> next_due() = 0;
  [[nodiscard]] virtual std::optional<TenantState> tenant_state(TenantNumber tenant) = 0;
  // kUntenantedName of kUntenanted; empty of one that is not there.
  [[nodiscard]] virtual std::string tenant_name(TenantNumber tenant) = 0;
  [[nodiscard]] virtual std::string queue_name(QueueNumber queue) = 0;
  [[nodiscard]] virtual std::string kind_name(KindNumber kind) = 0;
  [[nodiscard]] virtual std::optional<QueueNumber> queue_number(std::string_view name) = 0;
  [[nodiscard]] virtual std::optional<KindNumber> kind_number(std::string_view name) = 0;
  // By sequence from behind `after`.
  [[nodiscard]] virtual std::vector<Suspect> suspects(JobSeq after, std::size_t limit) = 0;
};

enum class ListOrder : std::uint8_t { newest_first, oldest_first };

struct ListOptions {
  std::size_t limit = 50;
  std::optional<JobSeq> after;  // the last job of the page before
  ListOrder order = ListOrder::newest_first;
  // Succeeded jobs are in no index, so a filter finds them by looking at each: how many of the newest jobs are looked at.
  std::int64_t looks_max = std::numeric_limits<std::int64_t>::max();
};

struct JobPage {
  std::vector<JobRecord> jobs;
  bool left_out = false;  // older succeeded jobs were not looked at; see looks_max
};

struct JobCount {
  std::int64_t count = 0;
  bool left_out = false;
};

// What operators ask. Inside Store::read: one snapshot, true whether a daemon lives or not.
class JobReader : public RestoreReader,
                  public PauseReader,
                  public PoolReader,
                  public LimitReader,
                  public RetentionReader,
                  public ResultReader,
                  public TenantLifeReader,
                  public SchemaReader,
                  public HasBatchReader,
                  public HasFanOutReader,
                  public JobOwners {
 public:
  [[nodiscard]] virtual JobPage list_jobs(const Filter& filter, const ListOptions& options, WallTime now) = 0;
  // Counts no further than options.limit; `after` and order do not matter.
  [[nodiscard]] virtual JobCount count_jobs(const Filter& filter, const ListOptions& options,
                                            WallTime now) = 0;
  // fn(job) for what matches, one by one and in no order that holds, at most options.limit of them; it returns whether it wants
  // another. True where older succeeded jobs were not looked at.
  virtual bool visit_jobs(const Filter& filter, const ListOptions& options, WallTime now,
                          FunctionRef<bool(const JobRecord&)> fn) = 0;
  [[nodiscard]] virtual std::optional<JobRecord> find_job(JobId id) = 0;
  [[nodiscard]] virtual std::vector<AttemptRecord> attempts(JobSeq seq) = 0;
  [[nodiscard]] virtual std::optional<std::string> envelope(JobSeq seq) = 0;
  [[nodiscard]] virtual std::vector<QueueRecord> queues() = 0;
  [[nodiscard]] virtual std::vector<KindRecord> kinds() = 0;
  // In the order of names, after `after`.
  [[nodiscard]] virtual std::vector<TenantSummary> tenants(const std::optional<TenantName>& after,
                                                           std::size_t limit) = 0;
  // Those of these names that live, in the order given.
  [[nodiscard]] virtual std::vector<TenantSummary> tenants_named(std::span<const TenantName> names) = 0;
  // How many live tenants there are in each state.
  [[nodiscard]] virtual std::map<TenantState, std::int64_t> tenant_counts() = 0;
  // Its newest generation, also when it is deleted.
  [[nodiscard]] virtual std::optional<TenantSummary> tenant(const TenantName& name) = 0;
  [[nodiscard]] virtual StoreSummary summary() = 0;
  // Whether a dispatcher holds this store, as far as this process is told.
  [[nodiscard]] virtual bool has_dispatcher() = 0;

  // fn(record) for what operators have changed, the newest first, of those with a number below `before`, until it answers false.
  virtual void for_each_audit(std::optional<std::int64_t> before,
                              FunctionRef<bool(const AuditRecord&)> fn) = 0;
  // Whether the records follow each other, and whether `known`, a head that was noted before, is still among them.
  [[nodiscard]] virtual AuditVerdict check_audit(const std::optional<AuditMark>& known) = 0;

  // Of the jobs behind `after` up to `until` those that had not succeeded before `by`, by sequence; looks at so many rows at most. One
  // that had may be among them for a while yet.
  [[nodiscard]] virtual UnsucceededJobs unsucceeded_jobs(JobSeq after, JobSeq until, WallTime by,
                                                         std::size_t looks_max) = 0;
  // Which keys are in force.
  [[nodiscard]] virtual SealMarks seal_marks() = 0;
  // Files that may hold rows of an outbox: by number from behind `after`, at most `limit`.
  [[nodiscard]] virtual std::vector<OutboxMark> outbox_marks(OutboxMarkNumber after, std::size_t limit) = 0;
  // How far one file's rows have been taken over; 0: none ever were.
  [[nodiscard]] virtual OutboxSeq outbox_watermark(const OutboxOwner& owner) = 0;
  // Where the owner's file was found to be an older copy, and nobody has put that right: the greatest number that it had given.
  [[nodiscard]] virtual std::optional<OutboxSeq> outbox_behind(const OutboxOwner& owner) = 0;
  // What no store of ours leaves behind, each kind once, in the order of Defect. Looks at every row.
  [[nodiscard]] virtual std::vector<DefectRecord> defects(PageCheck page_check) = 0;
  // Of one kind what can be mended without a decision, for StoreWriter::mend; at most `limit`. Looks at every row.
  [[nodiscard]] virtual std::vector<DefectPlace> places_to_mend(Defect defect, std::size_t limit) = 0;
  // By the name and generation of the owner.
  [[nodiscard]] virtual std::vector<DanglingWork> dangling_work() = 0;
  [[nodiscard]] virtual ClaimCensus claims() = 0;
  // Of the newest incarnation, alive or not.
  [[nodiscard]] virtual std::optional<HolderRecord> last_holder() = 0;
  // Of a job of this snapshot: what may hold its lane, by the pools that the newest dispatcher has told of, whether or not it lives.
  [[nodiscard]] virtual LaneFacts lane_facts(const JobRecord& job) = 0;
  // Where a job of this snapshot stands, or would stand if it were ready.
  [[nodiscard]] virtual Lane lane_of(const JobRecord& job) = 0;
  [[nodiscard]] virtual WayAhead way_ahead(const JobRecord& job) = 0;
  // Requests for capsules that are open, by number; those too whose time is over and that nobody has removed yet.
  [[nodiscard]] virtual std::vector<CaptureRecord> captures() = 0;
  // What became of captures of that job, or of all jobs, the newest first: of the last kCapsulesKept.
  [[nodiscard]] virtual std::vector<CapsuleNote> capsules(const std::optional<JobId>& job) = 0;
  // schedule.hpp. As long as this reader lives.
  [[nodiscard]] virtual ScheduleReader& schedules() = 0;
};

// Inside Store::write. Results are values where the next line branches on them; a broken world throws.
class StoreWriter : public RestoreWriter,
                    public ExpiryWriter,
                    public PauseWriter,
                    public PoolWriter,
                    public LimitWriter,
                    public RetryWriter,
                    public RetentionWriter,
                    public ResultWriter,
                    public TenantLifeWriter,
                    public SchemaWriter,
                    public HasBatchWriter,
                    public HasFanOutWriter,
                    public JobOwners {
 public:
  // The same id with the same content is the job that is there (`existed`), and so is whichever has its unique key. IdConflict, TenantDoesNotExist,
  // TenantNotReady(draining), TenantDeleted, StaleGeneration, LimitReached (too many kinds or queues), PayloadTooLarge,
  // BadOptions (a name, key, priority or number of attempts that no store takes), BadConfiguration (seal.hpp: its keys are not those in
  // force). Of its batch: RecordNotFound, WrongTenant, StateChanged (it is closed). Sealed where the store has a key.
  [[nodiscard]] virtual Result<Enqueued> enqueue(const NewJob& job, WallTime now) = 0;
  [[nodiscard]] virtual ClaimReply claim(const ClaimRequest& request, WallTime now) = 0;
  // What a run tells of itself: its progress, which shows until the claim ends, and its cursor, which later claims of the job hand out
  // and which goes when the job has succeeded or is removed. ClaimLost, and nothing was changed.
  [[nodiscard]] virtual Result<void> tell(const RunNews& news, WallTime now) = 0;

  // The outbox (outbox.hpp). Says that the owner's file may hold rows from now on; commit it durably before the first of them is. One for
  // that epoch may be there already (`existed`), visible and not yet on disk. TenantDoesNotExist, TenantNotReady (draining; or the file is an
  // older copy, whose next numbers were taken over: it is marked and noted as one, which is to be committed), TenantDeleted, StaleGeneration,
  // BadConfiguration (as enqueue).
  [[nodiscard]] virtual Result<MarkedOutbox> mark_outbox(const OutboxOwner& owner, const OutboxState& file,
                                                         WallTime now) = 0;
  // The same for whatever epoch, in the commit by which a run of that tenant has ended of which nobody says what it wrote. One that is there
  // gets another number, so that whoever has read it before does not end it.
  virtual void mark_outbox_of(TenantNumber tenant, WallTime now) = 0;
  // The same of each tenant with a claim of another incarnation.
  virtual void mark_outboxes_of_former_claims(Incarnation current, WallTime now) = 0;
  // Takes over the rows above the watermark, in order, each as enqueue() would, and raises it. The caller has synced the file since he
  // read them. From the commit on, once it is durable, the file's rows up to the watermark may be deleted; after `refused` none are
  // taken over. Nothing here depends on who brings them, how often, or when he has read them.
  [[nodiscard]] virtual Relayed relay_outbox(const OutboxOwner& owner, const OutboxRows& rows,
                                             WallTime now) = 0;
  // The file is an older copy: it has given numbers up to `newest` only, asked after `watermark` was read here. From this commit on nothing of
  // it is taken over, and its tenant is `failed` where it was active, paused or read-only, with an audit record of this process.
  virtual void note_older_copy(const OutboxOwner& owner, OutboxSeq newest, OutboxSeq watermark,
                               WallTime now) = 0;
  // The right file is in place again, and has given numbers up to `newest`; the caller has synced it since he read that. A tenant that has failed
  // for it becomes what it was before; the state that it has then. StateChanged where the file was not found behind, or where it still is.
  [[nodiscard]] virtual Result<TenantState> recheck_outbox(const OutboxOwner& owner, OutboxSeq newest) = 0;
  // An operator gives up the first row above the watermark: where it is refused once more, for what is not the caller's own keys (BadConfiguration), the watermark is raised
  // to it, and `refused` says why; else it is taken over as by relay_outbox.
  [[nodiscard]] virtual Relayed pass_over_outbox(const OutboxOwner& owner, OutboxSeq newest,
                                                 const OutboxRow& row, WallTime now) = 0;
  // Those that were read before their file was found empty and its stamp's epoch raised.
  virtual void unmark_outbox(std::span<const OutboxMarkNumber> marks) = 0;

  // The ends of a claim. ClaimLost: it has moved on, and nothing was changed; where an attempt failed the loser's
  // outcome is recorded as `lost`. Also where a damaged file has a claim on a job that has ended: the claim goes and the
  // job stays as it is, so that one such row does not stop everybody's round; finish_succeeded, which looks at no job's row,
  // does not notice and answers as if.
  [[nodiscard]] virtual Result<void> finish_succeeded(ClaimRef claim, WallTime now) = 0;
  // `state` is dead, discarded or cancelled; StateChanged for any other. Counts a failure, but not for a cancelled job
  // (its attempt is recorded as interrupted) nor for an expired one (it had no attempt, and has not started).
  [[nodiscard]] virtual Result<void> finish(ClaimRef claim, JobState state, JobReason reason,
                                            const AttemptFailure& failure, WallTime now) = 0;
  // Given back unfinished, ready at its old place. A `started` one is counted as a release and leaves an attempt row that says
  // why; releases in a row share one, which tells the last of them, so that a tenant may be busy for days.
  [[nodiscard]] virtual Result<void> release(ClaimRef claim, bool started, const AttemptFailure& why,
                                             WallTime now) = 0;
  // Ready -> blocked, for an envelope that no worker knows yet.
  [[nodiscard]] virtual Result<void> block(ClaimRef claim, JobReason reason) = 0;
  // The run ended with its process, and the attempt is recorded as interrupted. The job gets the state that the charge says:
  // ready, or dead with the reason poison.
  [[nodiscard]] virtual Result<void> reclaim(ClaimRef claim, CrashCharge charge,
                                             const AttemptFailure& failure, WallTime now) = 0;

  // The end of a claim whose job an operator has cancelled, reason by_operator: it starts no more. A `started` run is recorded as an
  // interrupted attempt, one that never began leaves nothing. A suspect is none any more. ClaimLost.
  [[nodiscard]] virtual Result<void> cancel(ClaimRef claim, bool started, const AttemptFailure& why,
                                            WallTime now) = 0;
  // Requests of ask_to_cancel whose claims still stand, by number from behind `after`, at most `limit`. While there are none both cost
  // next to nothing. Whoever ends a claim asks, so that no job starts again that was cancelled a moment ago.
  [[nodiscard]] virtual std::vector<CancelRequest> cancel_requests(CancelNumber after, std::size_t limit) = 0;
  [[nodiscard]] virtual bool is_cancel_asked(ClaimRef claim) = 0;

  // Takes back every claim of another incarnation, uncharged: at most `limit`. Their lanes become known again; suspects of a worker
  // process become blocked. The caller is the newest dispatcher: a claim of a later one was made by nobody.
  [[nodiscard]] virtual std::vector<JobArrival> reclaim_of_former_holders(Incarnation current,
                                                                          std::size_t limit,
                                                                          WallTime now) = 0;

  // Where the holder before has died, its claims make suspects instead, one by one.
  // Claims of any other incarnation, which stay as they are: by sequence, at most `limit`.
  [[nodiscard]] virtual std::vector<FormerClaim> former_claims(Incarnation current, std::size_t limit) = 0;
  // The attempt is recorded as interrupted. The job becomes a suspect, or dead with the reason poison, as the charge says.
  // ClaimLost.
  [[nodiscard]] virtual Result<void> suspect(ClaimRef claim, CrashCharge charge,
                                             const AttemptFailure& failure, WallTime now) = 0;
  // The same of a run that ended with its worker process. Until it is acquitted, or has ended for good, the job is claimed by itself
  // only: whatever would make it ready again makes it blocked, as a suspect, instead.
  [[nodiscard]] virtual Result<void> suspect_of_process(ClaimRef claim, CrashCharge charge,
                                                        const AttemptFailure& failure, WallTime now) = 0;
  // As release(), of such a suspect, which it stays also where nothing notes it as one any more.
  [[nodiscard]] virtual Result<void> release_suspect(ClaimRef claim, bool started, const AttemptFailure& why,
                                                     WallTime now) = 0;
  // Begins the trial of one suspect: it is claimed. No job: it is no suspect any more, or waits for its concurrency key as others do (after
  // which it is one again only if its worker process had ended under it), or its tenant is gated.
  [[nodiscard]] virtual ClaimReply claim_suspect(const SuspectRequest& request, WallTime now) = 0;
  // It performs on, and others beside it.
  virtual void end_trial(JobSeq seq) = 0;
  // Its claim has ended otherwise than with the daemon. Both do nothing where it is none.
  virtual void acquit(JobSeq seq) = 0;

  // Scheduled jobs that are due become ready, by due time, at most `limit`; suspects of a worker process become blocked.
  [[nodiscard]] virtual std::vector<JobArrival> promote(WallTime now, std::size_t limit) = 0;
  // Looks at the `limit` scheduled jobs next behind `after`, in the order of (due, seq). Those among them that wait for a retry, and
  // are due later than `wait_max` of their failures from now, are due then; what an enqueue has scheduled stays as it is.
  [[nodiscard]] virtual DrawnIn draw_in_retries(LanePlace after, std::size_t limit,
                                                FunctionRef<std::chrono::microseconds(int)> wait_max,
                                                WallTime now) = 0;
  // Jobs that were blocked for that reason become ready, by sequence from behind `after`, at most `limit`; suspects of a worker process
  // stay blocked, as such.
  [[nodiscard]] virtual std::vector<JobArrival> unblock(JobReason reason, JobSeq after,
                                                        std::size_t limit) = 0;
  // Jobs that other processes made ready, left for the dispatcher in the commit that did it. Taking deletes them.
  [[nodiscard]] virtual std::vector<JobArrival> take_lane_hints(std::size_t limit) = 0;
  // Starts a new incarnation: the greater of the last one plus one and `seconds_since_2020`. Commit it durably.
  [[nodiscard]] virtual Incarnation open_incarnation(std::int64_t seconds_since_2020, std::string_view node,
                                                     std::int64_t pid, WallTime now) = 0;
  // The last one that was opened, by whomever; 0 before the first.
  [[nodiscard]] virtual Incarnation newest_incarnation() = 0;

  // An operator's retry: dead, discarded or cancelled -> ready, with a new budget and its history, and a lane hint.
  // Failures and crashes count from 0 again. JobNotFound; StateChanged for any other state; TenantDeleted,
  // TenantNotReady(draining), StaleGeneration; LimitReached where another job has its unique key by now, which the message names, or its
  // schedule allows no other beside one that has not ended; while a key of seals is in force BadSeal, and BadConfiguration where the store
  // has none of its keys.
  [[nodiscard]] virtual Result<void> retry_by_operator(JobId id, WallTime now) = 0;
  // What an operator does to a job that waits. JobNotFound; StateChanged for any other state, and where it has a claim, which none
  // of them touches. Without a look at its tenant: what was accepted may go or be due whatever has become of it.
  // Scheduled -> ready, due now, or where it was due already; with a lane hint. A suspect of a worker process becomes due and stays
  // scheduled, for promote(); the same holds of change_by_operator.
  [[nodiscard]] virtual Result<void> run_by_operator(JobId id, WallTime now) = 0;
  // Scheduled, ready or blocked -> cancelled; a suspect is none any more. A claim that was planned on it finds it gone.
  [[nodiscard]] virtual Result<void> cancel_by_operator(JobId id, WallTime now) = 0;
  // Asks for the cancel of a job that has a claim, which the request goes with, however it ends; asked again, the first one stays.
  // Commit it durably. JobNotFound; StateChanged for a job that does not run.
  [[nodiscard]] virtual Result<void> ask_to_cancel(JobId id, WallTime now) = 0;
  // Scheduled for a retry -> discarded.
  [[nodiscard]] virtual Result<void> discard_by_operator(JobId id, WallTime now) = 0;
  // Scheduled or ready -> ready where its due time is, or becomes, at most `now`, else scheduled, for that time and no retry any more;
  // without a new due time it stays what it is. With a lane hint where it is ready. BadOptions (a name or priority that no store
  // takes), LimitReached (too many queues).
  [[nodiscard]] virtual Result<void> change_by_operator(JobId id, const JobChange& change, WallTime now) = 0;
  // A new job under the id `copy`, due now, with the tenant, generation, kind, arguments, queue, priority and attempts_max of that one,
  // whatever has become of it: JobNotFound, NewerEnvelope, BadPayload (a damaged row, or one whose envelope is of another job), BadSeal
  // (a key is in force, or a forged job would get a good one), and what enqueue says. Sealed where the seal of that one is right.
  [[nodiscard]] virtual Result<Enqueued> copy_by_operator(JobId id, JobId copy, WallTime now) = 0;
  // Removes a job that has ended, with its attempts: its id is free again. JobNotFound; StateChanged for one that has not ended;
  // LimitReached for the newest job of all, from whose number the next one is made.
  [[nodiscard]] virtual Result<void> delete_by_operator(JobId id) = 0;

  // Mends what a reader has found, each after another look at it: rows without a job are removed, and so are ranges that name too
  // little; jobs that are blocked without cause become ready, with a lane hint. Looks at no other row. Returns how many.
  [[nodiscard]] virtual std::int64_t mend(std::span<const DefectPlace> places) = 0;

  // Which keys are in force from this commit on. Of a dispatcher, by put_in_force alone.
  virtual void set_seal_marks(const SealMarks& marks) = 0;
  // fn(envelope) for the jobs that have not ended and that came behind `after`, or that somebody has made ready since a dispatcher took
  // the lane hints; once more for one that is both.
  virtual void visit_news(JobSeq after, FunctionRef<void(std::string_view envelope)> fn) = 0;

  // Requests for capsules (capture.hpp). BadOptions (the target, the count or the time is none that can be asked for; the job has no
  // tenant), JobNotFound, StateChanged (the job has succeeded), UnknownKind (no job and no worker program has it), TenantDoesNotExist,
  // TenantDeleted, LimitReached.
  [[nodiscard]] virtual Result<CaptureNumber> ask_for_capture(const NewCapture& request, WallTime now) = 0;
  // False where it is not open (any more).
  [[nodiscard]] virtual bool withdraw_capture(CaptureNumber number) = 0;
  // Those that are open, where any of them has changed since that mark; one seek where none has.
  [[nodiscard]] virtual std::optional<OpenCaptures> open_captures(CapturesMark known) = 0;
  virtual void remove_expired_captures(WallTime now) = 0;
  // A run has ended as was asked, in this transaction. Counts it, also where no capsule could be made: a request ends after as many tries
  // as it may have.
  virtual void note_capsule(JobSeq seq, const TakenCapsule& capsule, WallTime now) = 0;

  // The record of what an operator changes in this transaction, or of a job that was refused in it; see audit.hpp.
  virtual void append_audit(const AuditEntry& entry, WallTime now) = 0;
  // schedule.hpp. As long as this writer lives.
  [[nodiscard]] virtual ScheduleWriter& schedules() = 0;
  // What this transaction has seen and written.
  [[nodiscard]] virtual LaneReader& reader() = 0;
};
// A store that is only looked at. Threads: every method from any thread.
class ReadableStore {
 public:
  virtual ~ReadableStore() = default;
  // One snapshot.
  virtual void read(FunctionRef<void(JobReader&)> work) = 0;
};

class Store : public ReadableStore, public TraceEraser {
 public:
  // One commit. Calls of several threads may share it; one that throws undoes only itself. `work` must not call the store.
  virtual void write(Durability durability, FunctionRef<void(StoreWriter&)> work) = 0;
  // Makes durable what is visible ("sync first").
  virtual void sync() = 0;
  // The row by which a tenant's outbox brings this job here, sealed where the store has a key: make_outbox_row (outbox.hpp).
  [[nodiscard]] virtual Result<std::string> outbox_row(const NewJob& job) = 0;
  // Grows when another process may have written something; one cheap statement.
  [[nodiscard]] virtual std::int64_t change_counter() = 0;
  // Moves the log into the database where it has grown past `wal_bytes_min`. Safe at any time.
  virtual void checkpoint(std::int64_t wal_bytes_min) = 0;
  // A bit of bookkeeping that only saves time later, for the dispatcher's idle moments: one commit of a bounded number of rows.
  // True where it did something, and may have left more. Safe at any time, safe to leave out.
  virtual bool tidy() = 0;
  [[nodiscard]] virtual TenantRegistry& registry() = 0;
  // The same registry for an operator: each change has its audit record in its own commit, with the tenant and what became of it for
  // its subject. Store and clock outlive it.
  [[nodiscard]] virtual std::unique_ptr<TenantRegistry> audited_registry(AuditEntry entry,
                                                                         const Clock& clock) = 0;
};

}  // namespace tenure::queue
