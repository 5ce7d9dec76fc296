#include "notes.hpp"

#include <gmock/gmock.h>

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;

using AWorld = Notes;

TEST_F(AWorld, PerformsWhatWasEnqueuedInTheDefaultTenant) {
  client().enqueue(AddNote{"milk"});
  EXPECT_TRUE(enqueued<AddNote>());
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_FALSE(enqueued<AddNote>());
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

TEST_F(AWorld, BringsTheJobsOfATransaction) {
  auto handle = tenants().open_current();
  client().transaction(*handle, [](JobTransaction& transaction) { transaction.enqueue(AddNote{"milk"}); });
  EXPECT_EQ(drain().size(), 1U);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

}  // namespace
}  // namespace tenure::testing
