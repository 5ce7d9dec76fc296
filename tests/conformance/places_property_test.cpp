#include "sqlite/places.hpp"
#include "sqlite/sqlite_store.hpp"
#include "sqlite/stored_values.hpp"
#include "store_suite.hpp"
#include "support/job_places.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <rapidcheck.h>

#include <array>
#include <cstdlib>
#include <map>
#include <set>

// Random scripts of verbs against the store in a file, with bookkeeping so small that jobs are absorbed and settled all the time.
// After each step every job stands in exactly one place, in the tables and in memory, and is what a plain model says; in the end
// each that waits is claimed, once. A script that fails is shrunk by rapidcheck, which prints it.
// TENURE_TEST_SCRIPTS is how many; RC_PARAMS repeats one.
namespace tenure::testing {
namespace {

using sqlite::Connection;
using sqlite::Query;

struct Step {
  int verb = 0;
  int choice = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << '{' << step.verb << ", " << step.choice << '}';
}

constexpr Query kFresh{"fresh_by_definition", R"sql(
  select queue, priority, tenant, kind, due_us, seq from job
  where seq > (select seq from mark where name = 'absorbed') and seq <= ?1 and state = 2
    and not exists (select 1 from claim where claim.seq = job.seq)
    and not exists (select 1 from ended where ended.seq = job.seq))sql"};

// A range grows with the size of a script, and at max_size 60 its upper part would never come: not the last verbs.
rc::Gen<int> whole_range(int end) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, end)); }

class Places {
 public:
  Places() {
    for (const char* name : kTenants) {
      const TenantName tenant{name};
      const auto record = value_or_raise(other_->registry().begin_create(tenant, now_));
      value_or_raise(other_->registry().activate(tenant, record.generation));
    }
    start_dispatcher();
  }

  void run(const std::vector<Step>& script) {
    for (const Step& step : script) {
      carry_out(step);
      check();
    }
    store_.reset();
    start_dispatcher();
    check();
    drain();
  }

 private:
  static constexpr std::array kTenants{"acme", "globex"};
  struct Model {
    JobState state = JobState::ready;
    std::optional<ClaimToken> claim;
    WallTime due{};
    Lane lane;
    bool has_failed = false;  // and waits, or waited last, for its retry
  };

  void start_dispatcher() {
    if (!store_)
      store_ = std::make_unique<SqliteStore>(SqliteStoreOptions{.path = path_}, clock_, eager_bookkeeping());
    store_->write(Durability::durable, [&](StoreWriter& writer) {
      life_ = writer.open_incarnation(0, "node", 1, now_);
      for (const JobArrival& job : writer.reclaim_of_former_holders(life_, 1'000, now_))
        model_.at(job.seq).claim.reset();
    });
    next_counter_ = 1;
    known_until_ = JobSeq{0};
  }

  void carry_out(const Step& step) {
    const auto before = model_;
    switch (step.verb) {
      case 0:
        return enqueue(*other_, step.choice);
      case 1:
        return enqueue(*store_, step.choice);
      case 2:
      case 3:
        return claim(step.choice);
      case 4:
      case 5:
        return end(step.choice);
      case 6:
        return move(step.choice);
      case 7:
        return retry_by_operator(step.choice);
      case 8:
        if (step.choice % 3 == 0) return claim_blindly();
        static_cast<void>(store_->tidy());
        return;
      case 9:
        return set_tenant_state(step.choice);
      case 10:
        return abandon(step.choice, before);
      case 11:
        return act_as_operator(step.choice);
      case 12:
        return act_on_what_the_dispatcher_has_heard_of(step.choice);
      default:
        if (step.choice % 2 == 0) store_.reset();
        return start_dispatcher();
    }
  }

  void enqueue(Store& store, int choice) {
    store.write(Durability::ordered, [&](StoreWriter& writer) { enqueue(writer, 1 + choice % 6, choice); });
  }

  void enqueue(StoreWriter& writer, int jobs, int choice) {
    for (int i = 0; i < jobs; ++i) {
      NewJob job;
      Uuid::Bytes bytes{};
      bytes[14] = static_cast<std::uint8_t>(++last_id_ / 256);
      bytes[15] = static_cast<std::uint8_t>(last_id_ % 256);
      job.id = JobId{Uuid{bytes}};
      job.tenant = TenantName{kTenants[static_cast<std::size_t>((choice + i) % 2)]};
      job.queue = "default";
      job.kind = (choice + i) % 3 == 0 ? "a.one" : "a.two";
      job.attempts_max = 3;
      // Some are due later, and some were due long ago and belong in front of others.
      job.due = now_ + seconds{choice % 5 == 0 ? 10 : choice % 7 == 0 ? -50 + i : 0};
      job.arguments = "{}";
      const auto enqueued = value_or_raise(writer.enqueue(job, now_));
      ids_[enqueued.seq] = job.id;
      model_[enqueued.seq] = {enqueued.arrival->state, std::nullopt, job.due, enqueued.arrival->lane};
    }
  }

  // As a dispatcher does: arrivals first, then one of the lanes.
  void claim(int choice) {
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      claim(writer, choice, 1 + static_cast<std::size_t>(choice % 5));
    });
  }

  void follow(LaneReader& reader) {
    for (;;) {
      const auto page = reader.arrivals(known_until_, 4);
      for (const JobArrival& row : page) {
        RC_ASSERT(row.seq > known_until_);
        RC_ASSERT(row.state == model_.at(row.seq).state);
        known_until_ = row.seq;
      }
      if (page.size() < 4) return;
    }
  }

  std::size_t claim(StoreWriter& writer, int choice, std::size_t count) {
    follow(writer.reader());
    const auto lanes = writer.reader().lanes(std::nullopt, 100);
    if (lanes.empty()) return 0;
    const Lane first = lanes[static_cast<std::size_t>(choice) % lanes.size()];
    ClaimRequest request{.queue = first.queue, .priority = first.priority, .tenant = first.tenant};
    for (const Lane& lane : lanes)
      if (lane.tenant == first.tenant) request.kinds.push_back({lane.kind, {}});
    request.count = count;
    request.incarnation = life_;
    request.first_counter = next_counter_;
    request.process = kProcess;
    last_request_ = request;
    const ClaimReply reply = writer.claim(request, now_);
    const LanePlace* last = nullptr;
    for (const ClaimedJob& job : reply.jobs) {
      Model& model = model_.at(job.seq);
      RC_ASSERT(model.state == JobState::ready);
      RC_ASSERT(!model.claim);
      RC_ASSERT(job.id == ids_.at(job.seq));
      RC_ASSERT((last == nullptr || *last < job.place));
      model.claim = job.token;
      last = &job.place;
    }
    next_counter_ += static_cast<std::int64_t>(count);
    if (!reply.gate && reply.jobs.size() < count) check_nothing_left(request);
    return reply.gate ? 0 : reply.jobs.size();
  }

  // A short claim has taken all that its lanes hold of the jobs that the dispatcher was told of.
  void check_nothing_left(const ClaimRequest& request) const {
    for (const auto& [seq, model] : model_) {
      const bool is_asked = model.lane.tenant == request.tenant && model.lane.queue == request.queue &&
                            model.lane.priority == request.priority &&
                            std::ranges::any_of(request.kinds, [&](const LaneCursor& cursor) {
                              return cursor.kind == model.lane.kind;
                            });
      RC_ASSERT((!is_asked || seq > known_until_ || model.claim || model.state != JobState::ready));
    }
  }

  std::optional<JobSeq> running(int choice) const {
    std::vector<JobSeq> seqs;
    for (const auto& [seq, model] : model_)
      if (model.claim) seqs.push_back(seq);
    if (seqs.empty()) return std::nullopt;
    return seqs[static_cast<std::size_t>(choice) % seqs.size()];
  }

  void end(int choice) {
    const auto seq = running(choice);
    if (!seq) return;
    Model& model = model_.at(*seq);
    const ClaimRef claim{*seq, *model.claim};
    const AttemptFailure failure{ErrorCode::handler_failed, "no"};
    model.claim.reset();
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      switch (choice % 9) {
        case 8:
          model.state = JobState::cancelled;
          return value_or_raise(writer.cancel(claim, choice % 2 == 0, failure, now_));
        case 0:
          model.state = JobState::scheduled;
          model.due = now_ + seconds{3};
          model.has_failed = true;
          return value_or_raise(writer.retry(claim, model.due, failure, now_));
        case 1:
          model.state = JobState::dead;
          return value_or_raise(writer.finish(claim, JobState::dead, JobReason::by_rule, failure, now_));
        case 2:
          return value_or_raise(writer.release(claim, choice % 3 == 0, failure, now_));
        case 3:
          model.state = JobState::blocked;
          return value_or_raise(writer.block(claim, JobReason::envelope_newer));
        case 4:
          if (choice % 3 == 0) model.state = JobState::dead;
          return value_or_raise(writer.reclaim(
              claim, choice % 3 == 0 ? CrashCharge::poison : CrashCharge::counted, failure, now_));
        default:
          model.state = JobState::succeeded;
          return value_or_raise(writer.finish_succeeded(claim, now_));
      }
    });
  }

  void move(int choice) {
    now_ += seconds{choice % 4};
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      const auto limit = static_cast<std::size_t>(1 + choice % 3);
      const auto moved = choice % 3 == 0 ? writer.unblock(JobReason::envelope_newer, JobSeq{0}, limit)
                                         : writer.promote(now_, limit);
      for (const JobArrival& job : moved) {
        RC_ASSERT(job.state == JobState::ready);
        model_.at(job.seq).state = JobState::ready;
      }
      for (const JobArrival& job : writer.take_lane_hints(limit))
        RC_ASSERT(job.state == model_.at(job.seq).state);
    });
  }

  // From another process, also where it is refused.
  void retry_by_operator(int choice) {
    if (model_.empty()) return;
    const auto which = std::next(
        model_.begin(), static_cast<std::ptrdiff_t>(static_cast<std::size_t>(choice) % model_.size()));
    other_->write(Durability::durable, [&](StoreWriter& writer) {
      const bool retried = writer.retry_by_operator(ids_.at(which->first), now_).has_value();
      const JobState state = which->second.state;
      RC_ASSERT(retried ==
                (state == JobState::dead || state == JobState::discarded || state == JobState::cancelled));
      if (retried) which->second = {JobState::ready, std::nullopt, now_, which->second.lane};
    });
  }

  // From another process or from the dispatcher's own, also where it is refused.
  void act_as_operator(int choice) {
    if (model_.empty()) return;
    // Mostly one of the newest, which may be fresh.
    const std::size_t range = choice % 5 == 0 ? model_.size() : std::min<std::size_t>(model_.size(), 10);
    const JobSeq seq =
        std::next(model_.rbegin(), static_cast<std::ptrdiff_t>(static_cast<std::size_t>(choice) / 8 % range))
            ->first;
    Store& store = choice % 2 == 0 ? *other_ : *store_;
    switch (choice / 2 % 4) {
      case 0:
        return cancel(store, seq);
      case 1:
        return change(store, seq, choice / 8);
      case 2:
        return choice % 3 == 0 ? discard(store, seq) : run_now(store, seq);
      default:
        return remove(store, seq);
    }
  }

  void act_on_what_the_dispatcher_has_heard_of(int choice) {
    store_->write(Durability::ordered, [&](StoreWriter& writer) { follow(writer.reader()); });
    act_as_operator(choice);
    if (choice % 3 == 0) retry_by_operator(choice);
    static_cast<void>(store_->tidy());
  }

  bool is_waiting(JobSeq seq) const {
    const Model& model = model_.at(seq);
    return !model.claim && !is_final(model.state);
  }

  void cancel(Store& store, JobSeq seq) {
    store.write(Durability::ordered, [&](StoreWriter& writer) {
      RC_ASSERT(writer.cancel_by_operator(ids_.at(seq), now_).has_value() == is_waiting(seq));
      const bool is_asked = writer.ask_to_cancel(ids_.at(seq), now_).has_value();
      RC_ASSERT(is_asked == model_.at(seq).claim.has_value());
    });
    if (!is_waiting(seq)) return;
    // Of this one the dispatcher's memory may go on to know.
    if (&store == other_.get() && model_.at(seq).state == JobState::ready) ++withdrawn_elsewhere_;
    model_.at(seq).state = JobState::cancelled;
  }

  void change(Store& store, JobSeq seq, int choice) {
    Model& model = model_.at(seq);
    const bool may_be = is_waiting(seq) && model.state != JobState::blocked;
    JobChange change;
    if (choice % 2 == 0) change.priority = Priority{choice % 3 - 1};
    if (choice % 5 < 3) change.due = now_ + std::chrono::seconds{choice % 4 * 30 - 45};
    store.write(Durability::ordered, [&](StoreWriter& writer) {
      RC_ASSERT(writer.change_by_operator(ids_.at(seq), change, now_).has_value() == may_be);
    });
    if (!may_be) return;
    if (&store == other_.get() && model.state == JobState::ready) ++withdrawn_elsewhere_;
    model.lane.priority = change.priority.value_or(model.lane.priority);
    if (!change.due) return;
    model.due = *change.due;
    model.state = model.due <= now_ ? JobState::ready : JobState::scheduled;
    model.has_failed = false;
  }

  void discard(Store& store, JobSeq seq) {
    Model& model = model_.at(seq);
    store.write(Durability::ordered, [&](StoreWriter& writer) {
      const bool discarded = writer.discard_by_operator(ids_.at(seq), now_).has_value();
      RC_ASSERT(discarded == (model.state == JobState::scheduled && model.has_failed));
      if (discarded) model.state = JobState::discarded;
    });
  }

  void run_now(Store& store, JobSeq seq) {
    Model& model = model_.at(seq);
    store.write(Durability::ordered, [&](StoreWriter& writer) {
      const bool is_due = writer.run_by_operator(ids_.at(seq), now_).has_value();
      RC_ASSERT(is_due == (model.state == JobState::scheduled));
      if (!is_due) return;
      model.state = JobState::ready;
      model.due = std::min(model.due, now_);
    });
  }

  void remove(Store& store, JobSeq seq) {
    const bool may_go = is_final(model_.at(seq).state) && seq != model_.rbegin()->first;
    store.write(Durability::ordered, [&](StoreWriter& writer) {
      RC_ASSERT(writer.delete_by_operator(ids_.at(seq)).has_value() == may_go);
    });
    if (may_go) model_.erase(seq);
  }

  void set_tenant_state(int choice) {
    constexpr Query kSetState{"set_state", "update tenant set state = ?2 where name = ?1"};
    Connection connection(path_, {});
    connection.statement(kSetState)
        .bind(kTenants[static_cast<std::size_t>(choice % 2)],
              static_cast<int>(choice % 3 == 0 ? TenantState::paused : TenantState::active))
        .run();
  }

  // As the first thing in its transaction, of lanes that were known before.
  void claim_blindly() {
    if (!last_request_) return;
    ClaimRequest request = *last_request_;
    request.incarnation = life_;
    request.first_counter = next_counter_;
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      const ClaimReply reply = writer.claim(request, now_);
      for (const ClaimedJob& job : reply.jobs) {
        Model& model = model_.at(job.seq);
        RC_ASSERT(model.state == JobState::ready);
        RC_ASSERT(!model.claim);
        model.claim = job.token;
      }
      if (!reply.gate && reply.jobs.size() < request.count) check_nothing_left(request);
    });
    next_counter_ += static_cast<std::int64_t>(request.count);
  }

  // What a transaction did is undone, in memory too. Nothing asks between that and what comes next, so that a claim or an end is
  // the first to meet memory that has to be read anew.
  void abandon(int choice, const std::map<JobSeq, Model>& before) {
    const JobSeq known_until = known_until_;
    try {
      store_->write(Durability::ordered, [&](StoreWriter& writer) {
        enqueue(writer, 1 + choice % 9, choice);
        claim(writer, choice, 3);
        throw Abandoned{};
      });
    } catch (const Abandoned&) {
      known_until_ = known_until;
      model_ = before;
    }
    if (choice % 3 == 0) claim_blindly();
    if (choice % 3 == 1) end(choice / 3);
  }

  void check() {
    Connection connection(path_, {});
    const auto misplaced = misplaced_jobs(connection);
    for (const std::string& line : misplaced) RC_LOG() << line << '\n';
    RC_ASSERT(misplaced.empty());
    check_memory(connection);
    other_->read([&](JobReader& reader) {
      RC_ASSERT(reader.count_jobs({}, {.limit = 100'000}, now_).count == std::ssize(model_));
      for (const auto& [seq, model] : model_) {
        const auto job = reader.find_job(ids_.at(seq));
        RC_ASSERT(job.has_value());
        RC_ASSERT(job->claim == model.claim);
        const auto stored = job->state == ShownState::running || job->state == ShownState::held
                                ? JobState::ready
                                : static_cast<JobState>(job->state);
        RC_ASSERT(stored == model.state);
        RC_ASSERT(job->due == model.due);
      }
    });
  }

  void check_memory(Connection& connection) {
    store_->write(Durability::ordered,
                  [](StoreWriter& writer) { static_cast<void>(writer.reader().known_until()); });
    const FreshJobs& fresh = store_->fresh_for_test();
    auto row = connection.statement(kFresh);
    row.bind(fresh.tailed().value);
    std::size_t count = 0;
    while (row.step()) {
      ++count;
      RC_ASSERT(fresh.is_held(lane_in(row, 0).value(), {from_us(row.integer(4)), JobSeq{row.integer(5)}}));
    }
    RC_ASSERT(fresh.count() >= count);
    RC_ASSERT(fresh.count() <= count + withdrawn_elsewhere_);
    RC_ASSERT(fresh.absorbed() <= fresh.tailed());
  }

  // Everything that waits is claimed, and nothing twice.
  void drain() {
    for (int tenant = 0; tenant < 2; ++tenant) set_tenant_state(tenant == 0 ? 4 : 1);
    now_ += hours{1};
    store_->write(Durability::ordered, [&](StoreWriter& writer) {
      for (const JobArrival& job : writer.promote(now_, 10'000)) model_.at(job.seq).state = JobState::ready;
      for (const JobArrival& job : writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10'000))
        model_.at(job.seq).state = JobState::ready;
      for (int choice = 0; claim(writer, choice, 50) > 0; ++choice) continue;
    });
    for (const auto& [seq, model] : model_) RC_ASSERT((model.state != JobState::ready || model.claim));
    check();
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  WallTime now_ = from_us(1'700'000'000'000'000);
  std::unique_ptr<Store> other_ = open_sqlite_store({.path = path_, .create = true}, clock_);
  std::unique_ptr<SqliteStore> store_;
  Incarnation life_{0};
  std::int64_t next_counter_ = 1;
  JobSeq known_until_{0};
  std::size_t withdrawn_elsewhere_ = 0;
  int last_id_ = 0;
  std::map<JobSeq, JobId> ids_;
  std::map<JobSeq, Model> model_;
  std::optional<ClaimRequest> last_request_;
};

}  // namespace

TEST(Places, EachJobStandsInExactlyOnePlaceAfterAnyScript) {
  const char* const scripts = std::getenv("TENURE_TEST_SCRIPTS");
  const std::string params = "seed=20261129 max_size=60 max_success=" + std::string{scripts ? scripts : "60"};
  ::setenv("RC_PARAMS", params.c_str(), 0);
  const auto steps = rc::gen::container<std::vector<Step>>(rc::gen::apply(
      [](int verb, int choice) {
        return Step{verb, choice};
      },
      whole_range(14), whole_range(1000)));
  EXPECT_TRUE(rc::check("each job stands in exactly one place", [&] {
    const auto script = *steps;
    Places places;
    places.run(script);
  }));
}

}  // namespace tenure::testing
