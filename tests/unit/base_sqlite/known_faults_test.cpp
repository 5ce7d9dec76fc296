#include <tenure/base/sqlite/known_faults.hpp>

#include <gtest/gtest.h>

namespace tenure::sqlite {
namespace {

TEST(KnownFaults, KnowTheVersionsThatCanDamageADatabase) {
  for (const char* const version :
       {"3.7.0", "3.40.1", "3.44.5", "3.45.0", "3.50.6", "3.51.0", "3.51.2", "2.8.17"})
    EXPECT_TRUE(has_wal_reset_fault(version)) << version;
  for (const char* const version : {"3.44.6", "3.44.7", "3.50.7", "3.50.8", "3.51.3", "3.52.0", "4.0.0"})
    EXPECT_FALSE(has_wal_reset_fault(version)) << version;
}

TEST(KnownFaults, TakeWhatIsNoVersionForAffected) {
  for (const char* const version : {"", "3", "3.51", "3.51.x", "x.y.z", "3..3", "3.99999999999.1"})
    EXPECT_TRUE(has_wal_reset_fault(version)) << version;
}

}  // namespace
}  // namespace tenure::sqlite
