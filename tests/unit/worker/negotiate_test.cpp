#include <gtest/gtest.h>

#include <supervisor/worker_link.hpp>

namespace tenure::daemon {
namespace {

TEST(Negotiate, RUN_16_ARangeWithOurVersionIsWelcome) {
  const auto welcome = negotiate({.protocol_min = 0, .protocol_max = 7}, 5);
  ASSERT_TRUE(welcome.has_value());
  EXPECT_EQ(*welcome, (WelcomeFrame{.protocol = kProtocolVersion, .slots = 5}));
}

TEST(Negotiate, RUN_16_AnUnknownVersionIsRefusedNamingBoth) {
  const auto refused = negotiate({.protocol_min = 2, .protocol_max = 3}, 5);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::protocol_violation);
  EXPECT_NE(refused.error().message.find("2 to 3"), std::string::npos);
  EXPECT_NE(refused.error().message.find("this tenured 1"), std::string::npos);
}

}  // namespace
}  // namespace tenure::daemon
