#include "notes.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Later {
  static constexpr std::string_view kind = "loop.later";
};

struct Urgent {
  static constexpr std::string_view kind = "test.urgent";
  static JobOptions options() { return {.priority = -100}; }
};

struct Drains {
  static constexpr std::string_view kind = "test.drains";
};

struct Child {
  static constexpr std::string_view kind = "test.child";
};

struct Parent {
  static constexpr std::string_view kind = "test.parent";
};

class Draining : public Notes {
 protected:
  struct Again {
    static constexpr std::string_view kind = "loop.again";
  };
  void add_loop() {
    jobs().add<Again>([](const Again&, JobContext& context) {
      context.once("again", [](JobTransaction& transaction) { transaction.enqueue(Again{}); });
    });
  }
};

TEST_F(Draining, TST_03_PerformsWhatWasThereAndAllOfItHasALoopGuard) {
  client().enqueue(AddNotes{3});
  client().enqueue(AddNote{"milk"});
  EXPECT_EQ(drain().size(), 2U);
  EXPECT_TRUE(enqueued<AddNote>({.times = 3}));
  EXPECT_THAT(notes(), ElementsAre("milk"));
  client().enqueue(AddNotes{2});
  EXPECT_EQ(drain_all().size(), 3U + 1U + 2U);
  EXPECT_FALSE(enqueued<AddNote>());

  add_loop();
  client().enqueue(Again{});
  try {
    drain_all({.runs_max = 100});
    ADD_FAILURE() << "it has an end";
  } catch (const LoopGuardReached& guard) {
    EXPECT_THAT(guard.what(), AllOf(HasSubstr("100 runs"), HasSubstr("loop.again 100 times")));
  }
  EXPECT_TRUE(enqueued<Again>({.times = 1}));
  EXPECT_EQ(drain().size(), 1U);  // of a job that enqueues itself, too
}

TEST_F(Draining, AsManyRunsAsAreMeantAreNoLoop) {
  client().enqueue_all({AddNote{"1"}, AddNote{"2"}, AddNote{"3"}});
  EXPECT_EQ(drain_all({.runs_max = 3}).size(), 3U);
}

TEST_F(Draining, TheLoopGuardWatchesTimeThatGoesOn) {
  jobs().add<Later>([&](const Later&, JobContext&) { client().enqueue(Later{}, {.run_in = 1s}); });
  client().enqueue(Later{});
  EXPECT_THROW(advance(1h, {.runs_max = 10}), LoopGuardReached);
}

TEST_F(Draining, ChildrenThatAreMoreUrgentWaitAsWell) {
  jobs().add<Urgent>([&](const Urgent&, JobContext&) {
    for (int child = 0; child < 200; ++child) client().enqueue(Urgent{});
  });
  client().enqueue(Urgent{});
  client().enqueue(AddNote{"milk"});
  EXPECT_EQ(drain().size(), 2U);
  EXPECT_THAT(notes(), ElementsAre("milk"));
  EXPECT_TRUE(enqueued<Urgent>({.times = 200}));
}

TEST_F(Draining, FiltersLeaveTheRestEnqueuedAsIfNothingHadTouchedIt) {
  with_tenants("acme", "bolt");
  for (const char* const tenant : {"acme", "bolt"}) {
    client().enqueue(AddNote{"milk"}, {.tenant = tenant});
    client().enqueue(AddNotes{1}, {.tenant = tenant});
    client().enqueue(Fail{}, {.tenant = tenant});
  }
  EXPECT_EQ(drain({.kinds = {"notes.add_note"}, .tenants = {TenantName{"acme"}}}).size(), 1U);
  EXPECT_FALSE(enqueued<AddNote>({.tenant = "acme"}));
  EXPECT_TRUE(enqueued<AddNote>({.tenant = "bolt"}));
  EXPECT_EQ(drain({.queues = {"bulk"}}).size(), 2U);
  EXPECT_TRUE(enqueued<Fail>({.times = 2}));
  for (const auto& left : world().all_enqueued<Fail>()) {
    EXPECT_EQ(left.record.state, queue::ShownState::ready);
    EXPECT_EQ(left.record.failures + left.record.releases + left.record.crashes, 0);
  }
  EXPECT_EQ(drain_all({.kinds = {"notes.fail"}}).failed(), 2U);
}

TEST_F(Draining, WhatAChoiceLeavesKeepsNobodyFromASlot) {
  jobs().add<Urgent>([&](const Urgent&, JobContext&) {
    // More than a process is given ahead of its slots.
    client().enqueue_all(std::vector<Fail>(1000), {.priority = -100});
    if (world().runs().empty()) client().enqueue(Urgent{}, {.priority = 100});
  });
  client().enqueue(Urgent{});
  EXPECT_EQ(drain_all({.kinds = {"test.urgent"}}).succeeded(), 2U);
  EXPECT_TRUE(enqueued<Fail>({.times = 2000}));
}

TEST_F(Draining, AChoiceLeavesSoManyJobsAsItMay) {
  client().enqueue_all({AddNote{"1"}, AddNote{"2"}, AddNote{"3"}});
  client().enqueue(AddNotes{1});
  EXPECT_EQ(drain_all({.kinds = {"notes.add_notes"}, .left_max = 4}).size(), 1U);
  client().enqueue(AddNotes{1});
  try {
    drain_all({.kinds = {"notes.add_notes"}, .left_max = 4});
    ADD_FAILURE() << "it has left 5";
  } catch (const LoopGuardReached& guard) {
    EXPECT_THAT(guard.what(), HasSubstr("more than 4 jobs that are due are left"));
  }
  EXPECT_TRUE(enqueued<AddNote>({.times = 5}));
}

TEST_F(Draining, AJobOfAQueueThatNobodyServesWaits) {
  client().enqueue(AddNote{"milk"}, {.queue = "elsewhere"});
  EXPECT_EQ(drain_all().size(), 0U);
  EXPECT_TRUE(enqueued<AddNote>({.queue = "elsewhere"}));
}

TEST_F(Draining, APausedTenantsJobsWait) {
  client().enqueue(AddNote{"milk"});
  queue::set_tenant_state_for_test(world().store(), TenantName{kDefaultTenant}, TenantState::paused);
  EXPECT_EQ(drain_all().size(), 0U);
  queue::set_tenant_state_for_test(world().store(), TenantName{kDefaultTenant}, TenantState::active);
  EXPECT_EQ(drain_all().size(), 1U);
}

TEST_F(Draining, AHandlerThatDrainsItsWorldIsWrong) {
  jobs().add<Drains>([&](const Drains&, JobContext&) { drain(); });
  client().enqueue(Drains{});
  const Runs runs = drain();
  ASSERT_EQ(runs.failed(), 1U);
  EXPECT_THAT(runs.front().failure->error, HasSubstr("a handler must not drain its world"));
}

TEST_F(Draining, InlineEachEnqueueIsPerformedWithAllThatFollows) {
  perform_inline();
  client().enqueue(AddNotes{2});
  EXPECT_THAT(notes(), ElementsAre("note 1", "note 2"));
  {
    auto handle = tenants().open_current();
    client().transaction(*handle, [](JobTransaction& transaction) { transaction.enqueue(AddNote{"milk"}); });
  }
  EXPECT_THAT(notes(), ElementsAre("note 1", "note 2", "milk"));
  client().enqueue(AddNote{"later"}, {.run_in = 1s});
  EXPECT_TRUE(enqueued<AddNote>({.due_in = 1s}));
  perform_inline(false);
  client().enqueue(AddNote{"bread"});
  EXPECT_TRUE(enqueued<AddNote>({.due_in = 0s}));
}

TEST_F(Draining, InlineAJobWhoseTenantTheTestWritesToWaitsForTheNextDrain) {
  perform_inline();
  {
    const auto handle = tenants().open_current();
    const TenantTransaction transaction = handle.handle().begin();
    client().enqueue(AddNote{"milk"});
    EXPECT_TRUE(enqueued<AddNote>());
  }
  EXPECT_EQ(drain().succeeded(), 1U);
}

TEST_F(Draining, InlineWhatAnotherThreadEnqueuesWaitsForTheNextDrain) {
  perform_inline();
  std::thread([this] { client().enqueue(AddNote{"milk"}, {.tenant = kDefaultTenant}); }).join();
  EXPECT_TRUE(enqueued<AddNote>());
  EXPECT_EQ(drain().succeeded(), 1U);
}

TEST_F(Draining, InlineAHandlersJobIsPerformedBehindIt) {
  std::vector<std::string> order;
  jobs().add<Child>([&](const Child&, JobContext&) { order.emplace_back("child"); });
  jobs().add<Parent>([&](const Parent&, JobContext&) {
    client().enqueue(Child{});
    order.emplace_back("parent");
  });
  perform_inline();
  client().enqueue(Parent{});
  EXPECT_THAT(order, ElementsAre("parent", "child"));
}

}  // namespace
}  // namespace tenure::testing
