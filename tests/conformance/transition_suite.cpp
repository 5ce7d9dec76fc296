#include "store_suite.hpp"

#include <tenure/queue/transitions.hpp>

#include <algorithm>
#include <array>

// The store allows exactly what the table of transitions has: each verb is tried on a job in each state.
namespace tenure::testing {
namespace {

constexpr std::array kStates{JobState::scheduled, JobState::ready, JobState::blocked,
                             JobState::succeeded, JobState::dead,  JobState::discarded,
                             JobState::cancelled};
constexpr std::array kTransitions{Transition::promote,
                                  Transition::succeed,
                                  Transition::retry,
                                  Transition::die,
                                  Transition::discard,
                                  Transition::cancel,
                                  Transition::block,
                                  Transition::unblock,
                                  Transition::release,
                                  Transition::reclaim,
                                  Transition::retry_by_operator,
                                  Transition::run_by_operator,
                                  Transition::cancel_by_operator,
                                  Transition::discard_by_operator,
                                  Transition::change_by_operator,
                                  Transition::hold_for_restore};

class TransitionSuite : public StoreSuite {
 protected:
  // A job in that state and the claim that it has or had last.
  struct Prepared {
    JobId id;
    ClaimRef claim;
  };
  Prepared prepare(JobState state) {
    NewJob job = new_job();
    put(job);
    const ClaimedJob claimed = claim_one();
    const ClaimRef claim = ref(claimed);
    write([&](StoreWriter& writer) {
      switch (state) {
        case JobState::ready:
          break;
        case JobState::scheduled:
          value_or_raise(writer.retry(claim, now_ + seconds{1}, {}, now_));
          break;
        case JobState::blocked:
          value_or_raise(writer.block(claim, JobReason::envelope_newer));
          break;
        case JobState::succeeded:
          value_or_raise(writer.finish_succeeded(claim, now_));
          break;
        case JobState::dead:
        case JobState::discarded:
        case JobState::cancelled:
          value_or_raise(writer.finish(claim, state, JobReason::by_rule, {}, now_));
          break;
      }
    });
    return {job.id, claim};
  }

  // Whether the store did something.
  bool attempt(Transition transition, const Prepared& job) {
    advance(seconds{2});
    const auto claim = job.claim;
    return written([&](StoreWriter& writer) -> bool {
      switch (transition) {
        case Transition::promote:
          return !writer.promote(now_, 10).empty();
        case Transition::succeed:
          return writer.finish_succeeded(claim, now_).has_value();
        case Transition::retry:
          return writer.retry(claim, now_, {}, now_).has_value();
        case Transition::die:
          return writer.finish(claim, JobState::dead, JobReason::by_rule, {}, now_).has_value();
        case Transition::discard:
          return writer.finish(claim, JobState::discarded, JobReason::by_rule, {}, now_).has_value();
        case Transition::cancel:
          return writer.finish(claim, JobState::cancelled, JobReason::by_rule, {}, now_).has_value();
        case Transition::block:
          return writer.block(claim, JobReason::envelope_newer).has_value();
        case Transition::unblock:
          return !writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10).empty();
        case Transition::release:
          return writer.release(claim, true, {}, now_).has_value();
        case Transition::reclaim:
          return writer.reclaim(claim, CrashCharge::counted, {}, now_).has_value();
        case Transition::retry_by_operator:
          return writer.retry_by_operator(job.id, now_).has_value();
        case Transition::run_by_operator:
          return writer.run_by_operator(job.id, now_).has_value();
        case Transition::cancel_by_operator:
          return writer.cancel_by_operator(job.id, now_).has_value();
        case Transition::discard_by_operator:
          return writer.discard_by_operator(job.id, now_).has_value();
        case Transition::change_by_operator:
          return writer.change_by_operator(job.id, {.priority = Priority{3}}, now_).has_value();
        case Transition::hold_for_restore:
          return writer.hold_for_restore(job.id).has_value();
      }
      return false;
    });
  }

  // What needs no claim is not done to a job that has one.
  static bool needs_no_claim(Transition transition) {
    return std::ranges::none_of(transitions(), [&](const TransitionRow& row) {
      return row.transition == transition && row.needs_claim;
    });
  }

  JobState stored_state(JobId id) {
    const ShownState shown = record(id).state;
    return shown == ShownState::running ? JobState::ready : static_cast<JobState>(shown);
  }
};

}  // namespace

TEST_P(TransitionSuite, TheStoreDoesWhatTheTableHasAndNothingElse) {
  for (const JobState from : kStates) {
    for (const Transition transition : kTransitions) {
      world_ = GetParam().make();
      const Prepared job = prepare(from);
      ASSERT_EQ(stored_state(job.id), from);
      if (from == JobState::ready && needs_no_claim(transition)) {
        EXPECT_FALSE(attempt(transition, job)) << name_of(transition) << " while it runs";
        EXPECT_EQ(record(job.id).state, ShownState::running);
        write([&](StoreWriter& writer) { value_or_raise(writer.release(job.claim, false, {}, now_)); });
      }
      const bool done = attempt(transition, job);
      const JobState to = stored_state(job.id);
      const bool in_table = std::ranges::any_of(transitions(), [&](const TransitionRow& row) {
        return row.transition == transition && row.from == from;
      });
      EXPECT_EQ(done, in_table) << name_of(transition) << " from " << from;
      EXPECT_TRUE(done ? is_allowed(transition, from, to) : to == from)
          << name_of(transition) << " " << from << " -> " << to;
    }
  }
}

TEST_P(TransitionSuite, FinishGivesOnlyTheStatesOfItsContract) {
  for (const JobState to : {JobState::scheduled, JobState::ready, JobState::blocked, JobState::succeeded}) {
    const Prepared job = prepare(JobState::ready);
    write([&](StoreWriter& writer) {
      EXPECT_EQ(code_of(writer.finish(job.claim, to, JobReason::by_rule, {}, now_)),
                ErrorCode::state_changed);
    });
    EXPECT_EQ(record(job.id).state, ShownState::running) << to;
  }
}

TEST_P(TransitionSuite, TransitionsThatNeedAClaimAreRefusedWithoutOne) {
  for (const TransitionRow& row : transitions()) {
    if (!row.needs_claim) continue;
    world_ = GetParam().make();
    Prepared job = prepare(JobState::ready);
    job.claim.token.counter += 1;
    EXPECT_FALSE(attempt(row.transition, job)) << name_of(row.transition);
    EXPECT_EQ(record(job.id).state, ShownState::running);
  }
}

INSTANTIATE_TEST_SUITE_P(EachStore, TransitionSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
