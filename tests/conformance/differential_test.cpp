#include "store_suite.hpp"

#include <tenure/base/random.hpp>

#include <array>
#include <map>
#include <sstream>

// One seeded script of verbs, run against both stores, must be answered alike in everything but row numbers.
namespace tenure::testing {
namespace {

class Script {
 public:
  Script(StoreWorld& world, std::uint64_t seed) : world_(world), random_(seed) {}

  std::vector<std::string> run(int verbs) {
    for (const char* name : kTenants) create(name);
    for (int i = 0; i < verbs; ++i) {
      now_ += milliseconds{random_.below(500)};
      step();
      if (i % 500 == 499) dump();
    }
    dump();
    return std::move(trace_);
  }

 private:
  static constexpr std::array kTenants{"acme", "globex", "initech"};

  void say(const std::string& line) { trace_.push_back(line); }
  template <class T>
  static std::string outcome(const Result<T>& result) {
    return result ? "ok" : std::string{name_of(result.error().code)} + " " + result.error().message;
  }
  static std::string show(const FailureHistory& history) {
    std::string text = " " + show(history.first);
    for (const RuleCount& count : history.by_rule) text += " " + count.rule + std::to_string(count.failures);
    return text;
  }
  static std::string show(std::optional<WallTime> time) { return time ? std::to_string(to_us(*time)) : "-"; }

  void create(std::string_view name) {
    const auto begun = world_.store().registry().begin_create(TenantName{name}, now_);
    say("create " + std::string{name} + " " +
        (begun ? std::to_string(begun->generation.value) : outcome(begun)));
    if (begun) say(outcome(world_.store().registry().activate(TenantName{name}, begun->generation)));
  }

  // One commit of one to four verbs; one in twelve is abandoned and must leave nothing.
  void step() {
    // Bookkeeping at any moment changes no answer.
    for (std::uint64_t times = random_.below(3); times > 0; --times) static_cast<void>(world_.store().tidy());
    if (random_.below(40) == 0) return change_tenant();
    const bool abandoned = random_.below(12) == 0;
    const auto claims = claims_;
    const auto live = live_;
    const auto cancels_read = cancels_read_;
    try {
      world_.store().write(Durability::ordered, [&](StoreWriter& writer) {
        for (std::uint64_t verbs = 1 + random_.below(4); verbs > 0; --verbs) verb(writer);
        if (abandoned) throw Abandoned{};
      });
    } catch (const Abandoned&) {
      say("abandoned");
      claims_ = claims;
      live_ = live;
      cancels_read_ = cancels_read;
    }
  }

  void change_tenant() {
    constexpr std::array kStates{TenantState::active, TenantState::active,   TenantState::paused,
                                 TenantState::active, TenantState::draining, TenantState::deleted};
    const char* name = kTenants[random_.below(kTenants.size())];
    if (world_.store().registry().find(TenantName{name})->state == TenantState::deleted) return create(name);
    const TenantState state = kStates[random_.below(kStates.size())];
    world_.set_tenant_state(TenantName{name}, state);
    say(std::string{name} + " " + std::string{name_of(state)});
  }

  void verb(StoreWriter& writer) {
    switch (random_.below(21)) {
      case 0:
      case 1:
      case 2:
        return enqueue(writer);
      case 3:
      case 4:
      case 5:
        return claim(writer);
      case 6:
        return moved("promote", writer.promote(now_, 1 + random_.below(5)));
      case 7:
        return moved("unblock", writer.unblock(JobReason::envelope_newer, some_seq(), 1 + random_.below(2)));
      case 8:
        return moved("hints", writer.take_lane_hints(1 + random_.below(3)));
      case 9:
        return retry_by_operator(writer);
      case 10:
        return restart(writer);
      case 11:
        return draw_in(writer);
      case 12:
      case 13:
        return act_as_operator(writer);
      case 14:
        if (random_.below(4) == 0) return pass_over(writer);
        if (random_.below(8) == 0) return limit_keys(writer);
        if (random_.below(3) != 0) return expire(writer);
        return say("free keys until " + writer.give_free_keys("", 1 + random_.below(3)).value_or("the end"));
      default:
        return end_claim(writer);
    }
  }

  void enqueue(StoreWriter& writer) {
    NewJob job;
    if (!enqueued_.empty() && random_.below(8) == 0) {
      job = enqueued_[random_.below(enqueued_.size())];
      if (random_.below(2) == 0) job.arguments = "[2]";
    } else {
      Uuid::Bytes bytes{};
      for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(random_.next());
      job.id = JobId{Uuid{bytes}};
      if (random_.below(4) != 0) job.tenant = TenantName{kTenants[random_.below(kTenants.size())]};
      job.generation = Generation{static_cast<std::int64_t>(random_.below(10) == 0 ? 1 : 0)};
      job.queue = std::array{"default", "mail"}[random_.below(2)];
      job.kind =
          std::array{"a.one", "a.two", "b.one", "not good"}[random_.below(30) == 0 ? 3 : random_.below(3)];
      job.priority = Priority{static_cast<int>(random_.below(3)) - 1};
      job.due = now_ + milliseconds{random_.below(2'000)} - milliseconds{1'500};
      job.attempts_max = 3;
      job.arguments = "[1]";
      if (random_.below(4) == 0) job.start_before = now_ + milliseconds{random_.below(3'000)};
      state_keys(job);
      enqueued_.push_back(job);
    }
    const auto result = writer.enqueue(job, now_);
    say("enqueue " + job.id.text() + " " + outcome(result));
    if (!result) return;
    if (result->id != job.id) say("has " + result->id.text());
    say((result->existed ? "existed " : "new ") + std::to_string(result->generation.value));
    ids_[result->seq] = result->id;
  }

  // How many run of a key follows from its name.
  static int running_max_of(const std::string& key) { return key == "one" ? 1 : 2; }

  void state_keys(NewJob& job) {
    if (random_.below(3) == 0) {
      const std::string key = random_.below(2) == 0 ? "one" : "two";
      job.concurrency = ConcurrencyKey{key, running_max_of(key), random_.below(3) == 0};
    }
    if (random_.below(6) == 0)
      job.unique =
          UniqueKey{random_.below(2) == 0 ? "this" : "that",
                    random_.below(2) == 0 ? UniqueUntil::ended : UniqueUntil::started, random_.below(4) == 0};
  }

  // As a dispatcher does, for its lanes are those of what it was told.
  static void follow(LaneReader& reader) {
    while (!reader.arrivals(reader.known_until(), 100).empty()) continue;
  }

  void claim(StoreWriter& writer) {
    follow(writer.reader());
    const auto lanes = writer.reader().lanes(std::nullopt, 1'000);
    if (lanes.empty()) return say("no lanes");
    const Lane first = lanes[random_.below(lanes.size())];
    ClaimRequest request{.queue = first.queue, .priority = first.priority, .tenant = first.tenant};
    for (const Lane& lane : lanes)
      if (lane.queue == first.queue && lane.priority == first.priority && lane.tenant == first.tenant)
        request.kinds.push_back({lane.kind, {}});
    request.count = 1 + random_.below(4);
    request.incarnation = life_;
    request.first_counter = next_counter_;
    next_counter_ += static_cast<std::int64_t>(request.count);
    request.process = ProcessNumber{static_cast<std::int64_t>(random_.below(3)) + 1};
    const ClaimReply reply = writer.claim(request, now_);
    if (reply.gate) say("gate " + std::string{name_of(*reply.gate)});
    for (const ClaimedJob& job : reply.jobs) {
      say("claimed " + job.id.text() + " " + job.kind + " " + std::to_string(job.failures) + " " +
          std::to_string(job.crashes) + " " + std::to_string(job.releases) + " " + job.envelope + " " +
          job.cursor + " " + show(job.start_before) + show(job.history));
      claims_.push_back({job.seq, job.token});
      live_.push_back(job.id);
    }
  }

  void expire(StoreWriter& writer) {
    std::string line = "next expiry " + show(writer.next_expiry(now_)) + ", expired:";
    for (const ExpiredJob& job : writer.expire(now_, 1 + random_.below(4)))
      line += " " + job.id.text() + "=" + ids_[job.seq].text();
    say(line + ", next " + show(writer.next_expiry(now_)));
  }

  // By a clock that has gone back a little, now and then.
  void draw_in(StoreWriter& writer) {
    const auto wait_max = [](int failures) { return milliseconds{300} * failures; };
    const auto drawn = writer.draw_in_retries({now_, JobSeq{0}}, 1 + random_.below(5), wait_max,
                                              now_ - milliseconds{random_.below(800)});
    std::string line = drawn.read_until ? "drawn in, more:" : "drawn in:";
    for (const WallTime due : drawn.due) line += " " + show(due);
    say(line);
  }

  // Nearly always the front.
  JobSeq some_seq() {
    if (random_.below(4) != 0 || claims_.empty()) return JobSeq{0};
    return claims_[random_.below(claims_.size())].seq;
  }

  // Also with tokens that ended long ago.
  void end_claim(StoreWriter& writer) {
    if (claims_.empty()) return say("no claims");
    const std::size_t which = random_.below(3) == 0 ? random_.below(claims_.size()) : claims_.size() - 1;
    const ClaimRef claim = claims_[which];
    const AttemptFailure failure{ErrorCode::handler_failed, "error " + std::to_string(random_.below(9))};
    const bool flag = random_.below(2) == 0;
    switch (random_.below(12)) {
      case 8:
      case 9: {
        RunNews news{claim, std::nullopt, flag ? "at " + std::to_string(random_.below(9)) : ""};
        if (news.cursor.empty() || random_.below(2) == 0)
          news.progress = Progress{static_cast<std::int64_t>(random_.below(9)), 9, "x"};
        return say("tell " + outcome_without_row(writer.tell(news, now_)));
      }
      case 0:
      case 1:
        return say("succeed " + outcome_without_row(writer.finish_succeeded(claim, now_)));
      case 2:
        return say("retry " +
                   outcome_without_row(writer.retry(
                       claim, {.due = now_ + seconds{1}, .rule = std::array{"", "A", "B"}[random_.below(3)]},
                       failure, now_)));
      case 10:
        return say("put off " + outcome_without_row(writer.put_off(claim, now_ + seconds{1}, failure, now_)));
      case 3: {
        constexpr std::array kStates{JobState::dead, JobState::discarded, JobState::cancelled,
                                     JobState::ready};
        const JobState state = kStates[random_.below(kStates.size())];
        const JobReason reason = flag ? JobReason::expired : JobReason::by_rule;
        return say("finish " + outcome_without_row(writer.finish(claim, state, reason, failure, now_)));
      }
      case 4:
        return say("release " + outcome_without_row(writer.release(claim, flag, failure, now_)));
      case 6:
        say(std::string{"asked to cancel: "} + (writer.is_cancel_asked(claim) ? "yes" : "no"));
        return say("end as cancelled " + outcome_without_row(writer.cancel(claim, flag, failure, now_)));
      case 5:
        return say("block " + outcome_without_row(writer.block(claim, JobReason::envelope_newer)));
      default: {
        constexpr std::array kCharges{CrashCharge::none, CrashCharge::counted, CrashCharge::poison};
        const CrashCharge charge = kCharges[random_.below(kCharges.size())];
        return say("reclaim " + outcome_without_row(writer.reclaim(claim, charge, failure, now_)));
      }
    }
  }

  // Messages of lost claims name the row.
  template <class T>
  static std::string outcome_without_row(const Result<T>& result) {
    return result ? "ok" : std::string{name_of(result.error().code)};
  }

  void retry_by_operator(StoreWriter& writer) {
    if (live_.empty()) return;
    const JobId id = live_[random_.below(live_.size())];
    say("operator " + id.text() + " " + outcome(writer.retry_by_operator(id, now_)));
  }

  // Also on jobs that run, are gone, or have never been claimed.
  void act_as_operator(StoreWriter& writer) {
    if (enqueued_.empty()) return;
    const std::size_t recent = std::min<std::size_t>(enqueued_.size(), 60);
    const JobId id = enqueued_[enqueued_.size() - 1 - random_.below(recent)].id;
    switch (random_.below(8)) {
      case 0:
        return say("cancel " + id.text() + " " + outcome(writer.cancel_by_operator(id, now_)));
      case 1:
        return say("run " + id.text() + " " + outcome(writer.run_by_operator(id, now_)));
      case 2:
        return say("discard " + id.text() + " " + outcome(writer.discard_by_operator(id, now_)));
      case 3:
        return change(writer, id);
      case 4:
        return copy(writer, id);
      case 5:
      case 6:
        return ask_to_cancel(writer);
      default:
        return say("delete " + id.text() + " " + outcome(writer.delete_by_operator(id)));
    }
  }

  // Nearly always of one that was claimed.
  void ask_to_cancel(StoreWriter& writer) {
    const JobId id = live_.empty() || random_.below(8) == 0
                         ? enqueued_.back().id
                         : live_[live_.size() - 1 - random_.below(std::min<std::size_t>(live_.size(), 5))];
    say("ask to cancel " + id.text() + " " + outcome(writer.ask_to_cancel(id, now_)));
    const auto requests = writer.cancel_requests(cancels_read_, 1 + random_.below(3));
    std::string line = "requests:";
    for (const CancelRequest& request : requests) {
      line += " " + request.id.text() + "@" + std::to_string(request.claim.token.counter);
      cancels_read_ = request.number;
    }
    say(line);
  }

  void change(StoreWriter& writer, JobId id) {
    JobChange change;
    if (random_.below(2) == 0) change.queue = random_.below(2) == 0 ? "default" : "moved";
    if (random_.below(2) == 0) change.priority = Priority{static_cast<int>(random_.below(3)) - 1};
    if (random_.below(2) == 0)
      change.due = now_ + std::chrono::seconds{static_cast<std::int64_t>(random_.below(120)) - 60};
    say("change " + id.text() + " " + outcome(writer.change_by_operator(id, change, now_)));
  }

  void copy(StoreWriter& writer, JobId id) {
    Uuid::Bytes bytes = id.uuid.bytes();
    bytes[0] = static_cast<std::uint8_t>(200 + random_.below(50));
    const auto copied = writer.copy_by_operator(id, JobId{Uuid{bytes}}, now_);
    say("copy " + id.text() + " " + (copied ? "ok" : std::string{name_of(copied.error().code)}));
    if (copied && copied->arrival) ids_[copied->seq] = copied->id;
  }

  void restart(StoreWriter& writer) {
    if (random_.below(10) != 0) return;
    life_ = writer.open_incarnation(static_cast<std::int64_t>(random_.below(5'000)), "node", 1, now_);
    next_counter_ = 1;
    say("life " + std::to_string(life_.value));
    moved("reclaimed", writer.reclaim_of_former_holders(life_, 1 + random_.below(20), now_));
  }

  // By a job that has come out of a line, or any other one; some lanes are gated.
  void pass_over(StoreWriter& writer) {
    if (arrived_.empty()) return say("nobody arrived");
    const JobArrival passed = arrived_[random_.below(arrived_.size())];
    std::vector<Lane> gated{passed.lane};
    for (std::uint64_t more = random_.below(3); more > 0; --more)
      gated.push_back(arrived_[random_.below(arrived_.size())].lane);
    std::vector<JobArrival> next;
    if (const auto job = writer.pass_over(passed.seq, gated)) next.push_back(*job);
    moved("pass over " + ids_[passed.seq].text(), next);
  }

  // With the look that the dispatcher makes then.
  void limit_keys(StoreWriter& writer) {
    const NewLimit limit{.name = "keys",
                         .target = LimitTarget{.kind = "a.*", .per = {.key = true}},
                         .bounds = {.running = 1 + static_cast<std::int64_t>(random_.below(2))}};
    if (random_.below(2) == 0) say("unset " + outcome(writer.unset_limit(limit.name)));
    else say("limit " + outcome(writer.set_limit(limit, now_)));
    static_cast<void>(writer.give_free_keys("", 1'000));
  }

  void moved(std::string_view verb, const std::vector<JobArrival>& jobs) {
    std::string line{verb};
    arrived_.insert(arrived_.end(), jobs.begin(), jobs.end());
    for (const JobArrival& job : jobs)
      line += " " + ids_[job.seq].text() + ":" + std::string{name_of(job.state)} + "@" +
              std::to_string(to_us(job.due));
    say(line);
  }

  void dump() {
    world_.store().read([&](JobReader& reader) {
      std::map<std::string, KeyUse> uses;
      for (const JobRecord& job : reader.list_jobs({}, {.limit = 1'000'000}, now_).jobs) {
        dump_job(reader, job);
        dump_keys(reader.job_keys(job), job, uses);
      }
      check_keys(uses);
      for (const QueueRecord& queue : reader.queues())
        say(queue.name + " " + std::to_string(queue.ready) + " " + std::to_string(queue.held) + " " +
            std::to_string(queue.running) + " " + std::to_string(queue.scheduled) + " " +
            show(queue.oldest_ready));
    });
    world_.store().write(Durability::ordered, [&](StoreWriter& writer) {
      LaneReader& reader = writer.reader();
      follow(reader);
      for (const Lane& lane : reader.lanes(std::nullopt, 1'000'000))
        say("lane " + reader.queue_name(lane.queue) + " " + std::to_string(lane.priority.value) + " " +
            std::to_string(lane.tenant.value) + " " + reader.kind_name(lane.kind));
      say("next due " + show(reader.next_due()));
    });
  }

  void dump_job(JobReader& reader, const JobRecord& job) {
    std::ostringstream line;
    line << job.id.text() << ' ' << (job.tenant ? job.tenant->text() : "none") << ' ' << job.generation.value
         << ' ' << name_of(job.tenant_state) << ' ' << job.queue << ' ' << job.kind << ' '
         << job.priority.value << ' ' << job.state << ' ' << job.reason << ' ' << show(job.created) << ' '
         << show(job.due) << ' ' << show(job.started) << ' ' << show(job.finished) << ' ' << job.attempts_max
         << ' ' << job.failures << ' ' << job.crashes << ' ' << job.releases << ' ' << job.size_bytes << ' '
         << job.error << ' ' << (job.claim ? job.claim->counter : -1) << ' '
         << (job.process ? job.process->value : -1) << ' ' << show(job.cancel_asked) << ' '
         << show(job.start_before) << ' '
         << (job.progress ? std::to_string(job.progress->progress.done) + "@" + show(job.progress->told)
                          : "-");
    for (const AttemptRecord& attempt : reader.attempts(job.seq))
      line << " | " << attempt.number << ' ' << attempt.outcome << ' '
           << (attempt.error_code ? name_of(*attempt.error_code) : "-") << ' ' << attempt.error << ' '
           << show(attempt.started) << ' ' << show(attempt.finished) << ' ' << attempt.claim.incarnation.value
           << '.' << attempt.claim.counter << ' ' << attempt.process.value << ' ' << attempt.node;
    say(line.str());
  }

  struct KeyUse {
    std::int64_t running_max = 0, running = 0, ready = 0, waiting = 0;
    std::int64_t least_max = kRunningMax;  // of its jobs, by what limits per key say
  };

  void dump_keys(const JobKeys& keys, const JobRecord& job, std::map<std::string, KeyUse>& uses) {
    std::ostringstream line;
    if (const auto& key = keys.concurrency) {
      const std::string owner = key->is_global ? "*"
                                : job.tenant   ? job.tenant->text() + std::to_string(job.generation.value)
                                               : "-";
      KeyUse& use = uses[owner + "/" + key->key];
      use.running_max = key->running_max;
      use.least_max = std::min(use.least_max, keys.running_max);
      use.running = keys.running;
      use.ready += job.state == ShownState::ready || job.state == ShownState::held ? 1 : 0;
      use.waiting += job.state == ShownState::blocked && job.reason == JobReason::limit_key ? 1 : 0;
      line << "key " << owner << '/' << key->key << ' ' << key->running_max << ' ' << keys.running_max << ' '
           << keys.limit << ' ' << keys.running << ' ' << keys.ahead;
      for (const KeyHolder& holder : keys.holders)
        line << ' ' << holder.id.text() << '@' << show(holder.started);
    }
    if (keys.unique)
      line << " unique " << keys.unique->key << ' ' << static_cast<int>(keys.unique->until) << ' '
           << keys.unique->is_global << ' ' << keys.is_unique_held;
    say(line.str());
  }

  // Never more than may, and never fewer while jobs wait, but those that are ready and only have not started.
  static void check_keys(const std::map<std::string, KeyUse>& uses) {
    for (const auto& [key, use] : uses) {
      EXPECT_LE(use.running, use.running_max) << key;
      if (use.waiting > 0) {
        EXPECT_GE(use.running + use.ready, use.least_max) << key;
      }
    }
  }

  StoreWorld& world_;
  Random random_;
  WallTime now_ = from_us(1'700'000'000'000'000);
  Incarnation life_{1};
  std::int64_t next_counter_ = 1;
  std::map<JobSeq, JobId> ids_;
  std::vector<NewJob> enqueued_;
  std::vector<ClaimRef> claims_;  // of this script's whole life
  std::vector<JobId> live_;
  std::vector<JobArrival> arrived_;  // of this script's whole life
  CancelNumber cancels_read_;
  std::vector<std::string> trace_;
};

}  // namespace

TEST(Differential, BothStoresAnswerASeededScriptAlike) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto memory = make_memory_world();
    const auto expected = Script{*memory, seed}.run(3'000);
    for (auto* const make : {&make_sqlite_world, &make_eager_sqlite_world}) {
      const auto sqlite = make();
      const auto actual = Script{*sqlite, seed}.run(3'000);
      for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i)
        ASSERT_EQ(actual[i], expected[i]) << "seed " << seed << ", line " << i;
      ASSERT_EQ(actual.size(), expected.size());
      EXPECT_GT(actual.size(), 6'000U);
    }
  }
}

}  // namespace tenure::testing
