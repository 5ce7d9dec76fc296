#include "notes.hpp"

#include <gmock/gmock.h>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using World_ = Notes;

TEST_F(World_, PerformsWhatWasEnqueuedInTheDefaultTenant) {
  client().enqueue(AddNote{"milk"});
  EXPECT_TRUE(enqueued<AddNote>());
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_FALSE(enqueued<AddNote>());
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

TEST_F(World_, BringsTheJobsOfATransaction) {
  auto handle = tenants().open_current();
  client().transaction(*handle, [](JobTransaction& transaction) { transaction.enqueue(AddNote{"milk"}); });
  EXPECT_EQ(drain().size(), 1U);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

}  // namespace
}  // namespace tenure::testing
