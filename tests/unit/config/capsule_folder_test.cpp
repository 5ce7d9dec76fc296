#include <tenure/config/capsule_folder.hpp>

#include <gtest/gtest.h>

namespace tenure::config {
namespace {

TEST(CapsuleFolder, LiesBesideTheControlDatabaseOrWhereItIsSaid) {
  Settings settings;
  EXPECT_EQ(capsule_folder(settings), "/var/lib/tenure/capsules") << "as the service has it";
  settings.store.path = "/srv/data/control.db";
  EXPECT_EQ(capsule_folder(settings), "/srv/data/capsules");
  settings.replay.folder = "/srv/capsules";
  EXPECT_EQ(capsule_folder(settings), "/srv/capsules");
}

}  // namespace
}  // namespace tenure::config
