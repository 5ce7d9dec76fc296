#include "notes.hpp"

#include <gmock/gmock.h>

#include <string>

// Batches, by what an application writes.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Adds a note, and another one by a job of the same batch.
struct AddTwo {
  static constexpr std::string_view kind = "notes.add_two";
  std::string batch;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(batch));
  }
};

struct OnlyOne {
  static constexpr std::string_view kind = "notes.only_one";
  static JobOptions options() { return {.unique = UniqueKey{"one"}}; }
  template <class Archive>
  void serialize(Archive&) {}
};

class ABatch : public Notes {
 protected:
  ABatch() {
    jobs().add<AddTwo>([](const AddTwo& job, JobContext& context) {
      context.once("add", [&](JobTransaction& transaction) {
        transaction.execute("insert into note (text) values (?)", std::string{"first"});
        transaction.enqueue(AddNote{"second"}, {.batch = BatchId{Uuid::parse(job.batch).value()}});
      });
    });
    jobs().add<OnlyOne>([](const OnlyOne&, JobContext&) {});
  }
};

TEST_F(ABatch, MakesItsCallbacksWhenItsMembersHaveSucceeded) {
  const BatchId batch = client().open_batch({.name = "notes",
                                             .on_complete = AddNote{"complete"},
                                             .on_success = BatchJob{AddNote{"success"}, {.priority = 5}}});
  client().enqueue(AddNote{"a"}, {.batch = batch});
  client().enqueue_all({AddNote{"b"}, AddNote{"c"}}, {.batch = batch});
  EXPECT_TRUE(enqueued<AddNote>({.batch = batch, .times = 3}));
  EXPECT_EQ(drain().succeeded(), 3U);
  EXPECT_FALSE(client().batch(batch)->is_complete);
  client().close_batch(batch);
  EXPECT_TRUE(client().batch(batch)->has_succeeded);
  EXPECT_EQ(drain().succeeded(), 2U);
  EXPECT_THAT(notes(), ElementsAre("a", "b", "c", "complete", "success"));
  EXPECT_THROW(client().enqueue(AddNote{"late"}, {.batch = batch}), StateChanged);
  EXPECT_TRUE(performed<AddNote>({.batch = batch, .times = 3})) << "callbacks are no members";
}

TEST_F(ABatch, GetsMembersFromAStepOfAMember) {
  const BatchId batch = client().open_batch({.on_complete = AddNote{"complete"}});
  client().enqueue(AddTwo{batch.text()}, {.batch = batch});
  client().close_batch(batch);
  EXPECT_EQ(drain_all().succeeded(), 3U);
  EXPECT_THAT(notes(), ElementsAre("first", "second", "complete"));
  EXPECT_EQ(client().batch(batch)->members, 2);
}

TEST_F(ABatch, GetsMembersFromATransactionOfTheApplication) {
  const BatchId batch = client().open_batch({.on_complete = AddNote{"complete"}});
  auto handle = tenants().open_current();
  client().transaction(
      *handle, [&](JobTransaction& transaction) { transaction.enqueue(AddNote{"a"}, {.batch = batch}); });
  client().close_batch(batch);
  EXPECT_EQ(drain_all().succeeded(), 2U);
  EXPECT_THAT(notes(), ElementsAre("a", "complete"));
}

TEST_F(ABatch, WithADeadMemberIsCompleteAndHasNotSucceeded) {
  const BatchId batch =
      client().open_batch({.on_complete = AddNote{"complete"}, .on_success = AddNote{"success"}});
  client().enqueue(Fail{}, {.attempts_max = 1, .batch = batch});
  client().close_batch(batch);
  EXPECT_EQ(drain_all().succeeded(), 1U);
  EXPECT_THAT(notes(), ElementsAre("complete"));
  const BatchStatus status = client().batch(batch).value();
  EXPECT_TRUE(status.is_complete);
  EXPECT_FALSE(status.has_succeeded);
  EXPECT_EQ(status.dead, 1);
  EXPECT_EQ(status.ended(), 1);
}

TEST_F(ABatch, IsThereWithAllItsJobsOrNotAtAll) {
  const BatchOptions options{.on_complete = AddNote{"complete"},
                             .id = BatchId{uuids_of_process().next(clock().wall())}};
  EXPECT_THROW(client().enqueue_batch(options,
                                      [&](BatchJobs& jobs) {
                                        jobs.enqueue(AddNote{"a"});
                                        jobs.enqueue(AddNote{"b"}, {.queue = "NO QUEUE"});
                                      }),
               BadOptions);
  EXPECT_FALSE(client().batch(*options.id).has_value());
  const auto fill = [](BatchJobs& jobs) {
    jobs.enqueue(AddNote{"a"});
    jobs.enqueue(AddNote{"b"});
  };
  EXPECT_EQ(client().enqueue_batch(options, fill), options.id);
  EXPECT_EQ(client().enqueue_batch(options, fill), options.id) << "its answer may have been lost";
  EXPECT_EQ(client().batch(*options.id)->members, 2);
  EXPECT_EQ(drain_all().succeeded(), 3U);
  EXPECT_THAT(notes(), ElementsAre("a", "b", "complete"));
  const BatchId open = client().open_batch();
  EXPECT_THROW(client().enqueue_batch({.id = open}, fill), IdConflict);
}

TEST_F(ABatch, TakesNoOptionOfACallbackThatItSaysItself) {
  const auto refused = [&](const EnqueueOptions& options) {
    EXPECT_THROW(client().open_batch({.on_complete = BatchJob{AddNote{"x"}, options}}), BadOptions);
  };
  refused({.run_at = clock().wall()});
  refused({.start_before = clock().wall()});
  refused({.id = uuids_of_process().next(clock().wall())});
  refused({.tenant = "acme"});
  refused({.untenanted = true});
  refused({.batch = client().open_batch()});
  EXPECT_NO_THROW(client().open_batch({.on_complete = OnlyOne{}})) << "its kind's unique key does not count";
}

TEST_F(ABatch, OfNoTenantTakesJobsOfEach) {
  with_tenants("acme", "bolt");
  const BatchId batch = client().open_batch({.untenanted = true});
  for (const char* const tenant : {"acme", "bolt"})
    client().enqueue(AddNote{"x"}, {.tenant = tenant, .batch = batch});
  const BatchId of_acme = client().open_batch({.tenant = "acme"});
  EXPECT_THROW(client().enqueue(AddNote{"x"}, {.tenant = "bolt", .batch = of_acme}), WrongTenant);
  client().close_batch(batch);
  EXPECT_EQ(drain().succeeded(), 2U);
  EXPECT_TRUE(client().batch(batch)->has_succeeded);
}

}  // namespace
}  // namespace tenure::testing
