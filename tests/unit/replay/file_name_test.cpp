#include <tenure/replay/file_name.hpp>

#include <gmock/gmock.h>

#include <string>

namespace tenure::replay {
namespace {

using ::testing::HasSubstr;
using Outcome = Expectation::Outcome;

std::string expected_by(const std::string& file) {
  const auto expected = expectation_of(file);
  return expected ? text_of(*expected) : expected.error().message;
}

TEST(CapsuleFileName, SaysWhatTheReplayMustShow) {
  EXPECT_EQ(expected_by("send.capsule"), "the same");
  EXPECT_EQ(expected_by("/srv/capsules/billing.send_invoice.capsule"), "the same");
  EXPECT_EQ(expected_by("send.passes.capsule"), "passes");
  EXPECT_EQ(expected_by("send.fails.capsule"), "fails");
  EXPECT_EQ(expected_by("send.v2.fails.TenantBusy.capsule"), "fails by TenantBusy");
  EXPECT_EQ(expectation_of("a.fails.TenantBusy.capsule")->error, ErrorCode::tenant_busy);
}

// Of the last word alone something is expected: a kind may have the others in its name.
TEST(CapsuleFileName, WordsInFrontAreOnlyAName) {
  EXPECT_EQ(expected_by("fails.send.it.capsule"), "the same");
  EXPECT_EQ(expected_by("passes.capsule"), "the same");
  EXPECT_EQ(expected_by("send.passes.TenantBusy.capsule"), "the same");
}

TEST(CapsuleFileName, WhatIsNoNameIsRefusedWithTheFormsThatThereAre) {
  for (const char* name : {"send.caps", "send", "send.capsule.bak", ".capsule", ".passes.capsule", ""})
    EXPECT_THAT(expected_by(name), HasSubstr("NAME.fails.ERROR.capsule")) << name;
}

TEST(CapsuleFileName, AnErrorThatThereIsNotIsRefusedWithTheNearestOne) {
  EXPECT_THAT(expected_by("send.fails.TenantBussy.capsule"), HasSubstr("did you mean TenantBusy?"));
  EXPECT_THAT(expected_by("send.fails.tenantbusy.capsule"), HasSubstr("there is no error tenantbusy"));
  EXPECT_THAT(expected_by("send.fails.capsul.capsule"), HasSubstr("there is no error capsul"));
}

TEST(CapsuleFileName, WhatIsAlmostOneOfTheWordsIsAMistake) {
  EXPECT_THAT(expected_by("send.pases.capsule"), HasSubstr("did you mean .passes.capsule?"));
  EXPECT_THAT(expected_by("send.fail.capsule"), HasSubstr("did you mean .fails.capsule?"));
}

}  // namespace
}  // namespace tenure::replay
