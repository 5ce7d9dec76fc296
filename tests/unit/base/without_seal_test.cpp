#include <tenure/base/secret_key.hpp>

#include <gtest/gtest.h>

#include <string>

// A build that has no libsodium.
namespace tenure {
namespace {

TEST(SecretKey, ABuildWithoutTheSealHasNoneAndSaysWhatToDo) {
  EXPECT_FALSE(has_secret_keys());
  const auto key = SecretKey::from_text(std::string(64, '1'));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::bad_configuration);
  EXPECT_NE(key.error().message.find("-DTENURE_SEAL=ON"), std::string::npos);
  EXPECT_FALSE(KeyRing().has_current());
  EXPECT_EQ(KeyRing().mark_of_current(), std::nullopt);
}

}  // namespace
}  // namespace tenure
