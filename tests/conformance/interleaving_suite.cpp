#include "store_suite.hpp"

#include <tenure/queue/transitions.hpp>

#include <algorithm>
#include <array>

// One job, two holders and an operator, each with a few verbs in an order of its own: every order in which they can come.
namespace tenure::testing {
namespace {

enum class Verb : std::uint8_t {
  open,         // the holder begins, and whoever was before it is deposed
  take_back,    // reclaim_of_former_holders
  suspect_all,  // the claims of former holders make suspects
  make_ready,   // promote and unblock
  claim,        // a round: nothing where a later holder has opened the store
  succeed,
  die,
  retry,
  release,
  block,
  reclaim,
  suspect_of_process,
  cancel,
  cancel_by_operator,
  ask_to_cancel,
  retry_by_operator,
};

std::string_view text_of(Verb verb) {
  constexpr std::array<std::string_view, 16> kNames{"open",          "take_back",
                                                    "suspect_all",   "make_ready",
                                                    "claim",         "succeed",
                                                    "die",           "retry",
                                                    "release",       "block",
                                                    "reclaim",       "suspect_of_process",
                                                    "cancel",        "cancel_by_operator",
                                                    "ask_to_cancel", "retry_by_operator"};
  return kNames.at(static_cast<std::size_t>(verb));
}

// What an end of a claim makes of the job, and the attempt that it leaves.
struct EndOfClaim {
  Transition transition;
  std::optional<AttemptOutcome> attempt;
};

std::optional<EndOfClaim> end_of(Verb verb) {
  switch (verb) {
    case Verb::succeed:
      return EndOfClaim{Transition::succeed, std::nullopt};
    case Verb::die:
      return EndOfClaim{Transition::die, AttemptOutcome::failed};
    case Verb::retry:
      return EndOfClaim{Transition::retry, AttemptOutcome::failed};
    case Verb::release:
      return EndOfClaim{Transition::release, AttemptOutcome::released};
    case Verb::block:
      return EndOfClaim{Transition::block, std::nullopt};
    case Verb::reclaim:
      return EndOfClaim{Transition::reclaim, AttemptOutcome::interrupted};
    case Verb::suspect_of_process:
      return EndOfClaim{Transition::block, AttemptOutcome::interrupted};
    case Verb::cancel:
      return EndOfClaim{Transition::cancel, AttemptOutcome::interrupted};
    case Verb::open:
    case Verb::take_back:
    case Verb::suspect_all:
    case Verb::make_ready:
    case Verb::claim:
    case Verb::cancel_by_operator:
    case Verb::ask_to_cancel:
    case Verb::retry_by_operator:
      break;
  }
  return std::nullopt;
}

using VerbsInOrder = std::vector<Verb>;

// What there is to see of the job.
struct SeenJob {
  JobRecord record;
  std::vector<AttemptRecord> attempts;
  std::vector<ClaimToken> claims;  // of any holder
  std::vector<CancelRequest> asked;

  [[nodiscard]] JobState state() const {
    return record.state == ShownState::running ? JobState::ready : static_cast<JobState>(record.state);
  }
};

class InterleavingSuite : public StoreSuite {
 protected:
  struct Holder {
    Incarnation life;
    std::optional<ClaimRef> last;
  };

  // Plays every order of the three scripts, each with a job of its own; how many there are.
  int play_all(const VerbsInOrder& first, const VerbsInOrder& second, const VerbsInOrder& operators) {
    std::string order =
        std::string(first.size(), 'a') + std::string(second.size(), 'b') + std::string(operators.size(), 'o');
    world_ = GetParam().make();  // an older job costs each look a little
    int played = 0;
    do {
      play(order, first, second, operators);
      ++played;
    } while (!HasFailure() && std::ranges::next_permutation(order).found);
    return played;
  }

  int claims_made_ = 0;
  int claims_lost_ = 0;

 private:
  void play(const std::string& order, const VerbsInOrder& first, const VerbsInOrder& second,
            const VerbsInOrder& operators) {
    begin();
    std::string story;
    std::array<std::size_t, 3> at{};
    for (const char who : order) {
      const auto number = static_cast<std::size_t>(who == 'a' ? 0 : who == 'b' ? 1 : 2);
      const VerbsInOrder& script = number == 0 ? first : number == 1 ? second : operators;
      const Verb verb = script.at(at.at(number)++);
      story += std::string{" "} + who + ":" + std::string{text_of(verb)};
      SCOPED_TRACE(story);
      step(verb, holders_.at(number));
      if (HasFailure()) return;
    }
    end();
  }

  void begin() {
    job_ = put();
    live_.reset();
    holders_ = {};
    before_ = look([&](StoreWriter& writer) { holders_[0].life = writer.open_incarnation(1, "a", 1, now_); });
  }
  // The next order finds no other job.
  void end() {
    write([&](StoreWriter& writer) {
      if (live_) value_or_raise(writer.cancel({job_.seq, *live_}, false, {}, now_));
      else static_cast<void>(writer.cancel_by_operator(job_.id, now_));
    });
  }

  // What the writer sees of it in its own transaction, and a reader once that is committed.
  SeenJob look(FunctionRef<void(StoreWriter&)> work) {
    std::vector<ClaimToken> claims;
    std::vector<CancelRequest> asked;
    write([&](StoreWriter& writer) {
      work(writer);
      for (const FormerClaim& former : writer.former_claims(Incarnation{-1}, 10))
        if (former.claim.seq == job_.seq) claims.push_back(former.claim.token);
      asked = writer.cancel_requests(CancelNumber{0}, 10);
    });
    return asked_of_reader(std::move(claims), std::move(asked));
  }
  SeenJob asked_of_reader(std::vector<ClaimToken> claims, std::vector<CancelRequest> requests) {
    return asked([&](JobReader& reader) {
      return SeenJob{.record = reader.find_job(job_.id).value(),
                     .attempts = reader.attempts(job_.seq),
                     .claims = std::move(claims),
                     .asked = std::move(requests)};
    });
  }

  void step(Verb verb, Holder& holder) {
    advance(milliseconds{10});
    bool done = false;
    bool was_live = false;
    const SeenJob after = look([&](StoreWriter& writer) {
      if (end_of(verb)) {
        const ClaimRef claim = holder.last.value_or(ClaimRef{job_.seq, {holder.life, next_counter_ + 1000}});
        was_live = live_ == claim.token;
        used_ = claim.token;
        done = end_claim(writer, verb, claim);
        EXPECT_EQ(done, was_live) << "an end is for whoever has the claim now";
        if (done) live_.reset();
      } else {
        carry_out(writer, verb, holder);
      }
    });
    check(verb, done, after);
    before_ = after;
  }

  bool end_claim(StoreWriter& writer, Verb verb, ClaimRef claim) {
    const AttemptFailure failure{ErrorCode::handler_failed, "no"};
    const Result<void> result = [&]() -> Result<void> {
      if (verb == Verb::die) return writer.finish(claim, JobState::dead, JobReason::by_rule, failure, now_);
      if (verb == Verb::retry) return writer.retry(claim, now_ + milliseconds{1}, failure, now_);
      if (verb == Verb::release) return writer.release(claim, true, failure, now_);
      if (verb == Verb::block) return writer.block(claim, JobReason::envelope_newer);
      if (verb == Verb::reclaim) return writer.reclaim(claim, CrashCharge::counted, failure, now_);
      if (verb == Verb::suspect_of_process)
        return writer.suspect_of_process(claim, CrashCharge::none, failure, now_);
      if (verb == Verb::cancel) return writer.cancel(claim, true, failure, now_);
      return writer.finish_succeeded(claim, now_);
    }();
    if (result) return true;
    EXPECT_EQ(result.error().code, ErrorCode::claim_lost);
    ++claims_lost_;
    return false;
  }

  void carry_out(StoreWriter& writer, Verb verb, Holder& holder) {
    const AttemptFailure died{ErrorCode::interrupted, "the daemon died"};
    if (verb == Verb::open) holder.life = writer.open_incarnation(1, "b", 2, now_);
    if (verb == Verb::take_back && !writer.reclaim_of_former_holders(holder.life, 10, now_).empty())
      live_.reset();
    if (verb == Verb::suspect_all)
      for (const FormerClaim& former : writer.former_claims(holder.life, 10)) {
        value_or_raise(writer.suspect(former.claim, CrashCharge::none, died, now_));
        live_.reset();
      }
    if (verb == Verb::make_ready) {
      static_cast<void>(writer.promote(now_, 10));
      static_cast<void>(writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10));
    }
    if (verb == Verb::claim) claim_in_round(writer, holder);
    if (verb == Verb::cancel_by_operator) static_cast<void>(writer.cancel_by_operator(job_.id, now_));
    if (verb == Verb::retry_by_operator) static_cast<void>(writer.retry_by_operator(job_.id, now_));
    if (verb == Verb::ask_to_cancel) {
      EXPECT_EQ(writer.ask_to_cancel(job_.id, now_).has_value(), live_.has_value());
    }
  }

  // As the dispatcher's rounds do it: the newest holder alone claims, and a suspect by itself.
  void claim_in_round(StoreWriter& writer, Holder& holder) {
    if (holder.life.value == 0 || writer.newest_incarnation() != holder.life) return;
    std::vector<ClaimedJob> claimed;
    const auto lanes = writer.reader().lanes(std::nullopt, 10);
    if (!lanes.empty())
      claimed = writer
                    .claim({.queue = lanes[0].queue,
                            .priority = lanes[0].priority,
                            .tenant = lanes[0].tenant,
                            .kinds = {{lanes[0].kind, {}}},
                            .count = 2,
                            .incarnation = holder.life,
                            .first_counter = next_counter_,
                            .process = kProcess},
                           now_)
                    .jobs;
    if (claimed.empty())
      claimed = writer.claim_suspect({job_.seq, {holder.life, next_counter_}, kProcess, true}, now_).jobs;
    next_counter_ += 2;
    if (claimed.empty()) return;
    ASSERT_EQ(claimed.size(), 1U);
    ASSERT_EQ(claimed[0].seq, job_.seq);
    EXPECT_EQ(live_, std::nullopt) << "two holders have it";
    ++claims_made_;
    holder.last = ref(claimed[0]);
    live_ = claimed[0].token;
  }

  void check(Verb verb, bool done, const SeenJob& after) {
    EXPECT_EQ(after.claims, live_ ? std::vector{*live_} : std::vector<ClaimToken>{});
    EXPECT_EQ(after.record.state == ShownState::running, live_.has_value());
    EXPECT_EQ(after.record.claim, live_);
    if (!live_) {
      EXPECT_TRUE(after.asked.empty()) << "a request goes with its claim";
    }
    check_state(verb, done, after);
    check_attempts(verb, done, after);
  }

  void check_state(Verb verb, bool done, const SeenJob& after) {
    const JobState from = before_.state();
    const JobState to = after.state();
    const auto end = end_of(verb);
    if (end && !done) {
      EXPECT_EQ(to, from);
      EXPECT_EQ(after.record.reason, before_.record.reason);
      EXPECT_EQ(after.record.finished, before_.record.finished);
      EXPECT_EQ(after.record.due, before_.record.due);
      EXPECT_EQ(after.record.failures, before_.record.failures);
      EXPECT_EQ(after.record.crashes, before_.record.crashes);
      EXPECT_EQ(after.record.releases, before_.record.releases);
      return;
    }
    if (end) {
      EXPECT_TRUE(is_allowed(end->transition, from, to) || to == JobState::blocked) << from << " -> " << to;
      return;
    }
    EXPECT_TRUE(from == to || std::ranges::any_of(
                                  transitions(),
                                  [&](const TransitionRow& row) { return row.from == from && row.to == to; }))
        << from << " -> " << to;
  }

  // One more where the verb says so, of the claim that it ended; those before stay as they are.
  void check_attempts(Verb verb, bool done, const SeenJob& after) {
    const auto& old = before_.attempts;
    ASSERT_GE(after.attempts.size(), old.size());
    for (std::size_t at = 0; at < after.attempts.size(); ++at)
      EXPECT_EQ(after.attempts[at].number, static_cast<int>(at) + 1);
    for (std::size_t at = 0; at < old.size(); ++at) {
      EXPECT_EQ(after.attempts[at].claim, old[at].claim);
      EXPECT_EQ(after.attempts[at].outcome, old[at].outcome);
    }
    const bool takes = verb == Verb::take_back || verb == Verb::suspect_all;
    const bool took = takes && !before_.claims.empty() && after.claims.empty();
    std::optional<AttemptOutcome> expected;
    if (const auto end = end_of(verb); end && done) expected = end->attempt;
    if (took) expected = AttemptOutcome::interrupted;
    if (expected) {
      ASSERT_EQ(after.attempts.size(), old.size() + 1);
      EXPECT_EQ(after.attempts.back().outcome, *expected);
      EXPECT_EQ(after.attempts.back().claim, before_.claims.front());
      return;
    }
    // A loser's failure is kept as such.
    for (std::size_t at = old.size(); at < after.attempts.size(); ++at) {
      EXPECT_TRUE(end_of(verb) && !done) << "an attempt came from nowhere";
      EXPECT_EQ(after.attempts[at].outcome, AttemptOutcome::lost);
      EXPECT_EQ(after.attempts[at].claim, used_);
    }
    EXPECT_LE(after.attempts.size(), old.size() + 1);
  }

  Enqueued job_;
  ClaimToken used_;                 // of the last end
  std::optional<ClaimToken> live_;  // whose the job is, by what the verbs have answered
  std::array<Holder, 3> holders_;
  SeenJob before_;
};

constexpr std::array kEndsOfClaims{Verb::succeed,
                                   Verb::die,
                                   Verb::retry,
                                   Verb::release,
                                   Verb::block,
                                   Verb::reclaim,
                                   Verb::suspect_of_process,
                                   Verb::cancel};
constexpr std::array kOperatorVerbs{Verb::cancel_by_operator, Verb::ask_to_cancel, Verb::retry_by_operator};
constexpr int kOrders = 504;  // of 3, 5 and 1 verbs: 9! / (3! 5! 1!)

}  // namespace

// The first holder ends its claim, and is late with a second end of it; the next one opens the store at any moment, takes back what it
// finds, and claims.
TEST_P(InterleavingSuite, LSE_12_InNoOrderOfTheVerbsAreThereTwoLiveClaims) {
  int played = 0;
  for (const Verb end : kEndsOfClaims) {
    for (const Verb by_operator : kOperatorVerbs) {
      const VerbsInOrder late{Verb::claim, end, Verb::die};
      played += play_all(late, {Verb::open, Verb::take_back, Verb::make_ready, Verb::claim, Verb::succeed},
                         {by_operator});
      ASSERT_FALSE(HasFailure());
      played += play_all(late, {Verb::open, Verb::suspect_all, Verb::make_ready, Verb::claim, Verb::retry},
                         {by_operator});
      ASSERT_FALSE(HasFailure());
    }
  }
  EXPECT_EQ(played, static_cast<int>(kEndsOfClaims.size() * kOperatorVerbs.size()) * 2 * kOrders);
  EXPECT_GT(claims_made_, played) << "most have a claim of each holder";
  EXPECT_GT(claims_lost_, played) << "most have an end that comes too late";
}

INSTANTIATE_TEST_SUITE_P(EachStore, InterleavingSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
