#include <tenure/base/error.hpp>

#include <gtest/gtest.h>

namespace tenure {
namespace {

TEST(Failure, TextNamesErrorSentenceAndPlace) {
  const Failure failure{ErrorCode::wrong_tenant, "the id belongs to acme", "acme", "$.invoice"};
  EXPECT_EQ(failure.text(), "WrongTenant: the id belongs to acme (at $.invoice)");
  EXPECT_EQ((Failure{ErrorCode::store_busy, "the store is busy"}.text()), "StoreBusy: the store is busy");
}

TEST(Raise, ThrowsTheTypeOfTheCode) {
  try {
    raise(ErrorCode::wrong_tenant, "no", "acme", "$.invoice");
    FAIL();
  } catch (const WrongTenant& error) {
    EXPECT_EQ(error.failure(), (Failure{ErrorCode::wrong_tenant, "no", "acme", "$.invoice"}));
    EXPECT_EQ(error.permanence(), Permanence::permanent);
  }
  EXPECT_THROW(raise(ErrorCode::store_busy, "busy"), StoreBusy);
  EXPECT_THROW(raise(ErrorCode::store_busy, "busy"), Error);
}

TEST(Raise, TreatsAnUnknownNumberAsInternal) {
  EXPECT_EQ(name_of(static_cast<ErrorCode>(9999)), "Internal");
  EXPECT_THROW(raise(static_cast<ErrorCode>(9999), "?"), Error);
}

TEST(ValueOrRaise, GivesTheValueOrThrowsTheFailure) {
  EXPECT_EQ(value_or_raise(Result<int>{7}), 7);
  EXPECT_NO_THROW(value_or_raise(Result<void>{}));
  EXPECT_THROW(value_or_raise(Result<int>{fail(ErrorCode::claim_lost, "gone")}), ClaimLost);
}

TEST(Permanence, OfTenantErrorsDecidesWhetherAnAttemptBurns) {
  EXPECT_EQ(permanence_of(ErrorCode::tenant_not_ready), Permanence::transient);
  EXPECT_EQ(permanence_of(ErrorCode::tenant_busy), Permanence::transient);
  EXPECT_EQ(permanence_of(ErrorCode::stale_generation), Permanence::permanent);
  EXPECT_EQ(permanence_of(ErrorCode::tenant_deleted), Permanence::permanent);
}

TEST(InvariantDeathTest, StopsTheProcessAndSaysWhere) {
  const auto violate = [] { TENURE_INVARIANT(1 + 1 == 3); };
  EXPECT_DEATH(violate(), "invariant broken: 1 \\+ 1 == 3 .*error_test.cpp");
}

}  // namespace
}  // namespace tenure
