#include "installation.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace tenure::testing {
namespace {

class WithoutHttp : public Installation {};

TEST_F(WithoutHttp, ProbesThatNobodyWouldAnswerEndTheStart) {
  configure();
  std::ofstream(config_file(), std::ios::app)
      << "[http]\nprobe_listen = \"unix:" << (folder_ / "probe.sock").string() << "\"\n";
  const auto daemon = start_daemon(false);
  EXPECT_EQ(daemon->wait(), "exit 78");
  EXPECT_THAT(daemon->output(), ::testing::HasSubstr("was built without HTTP"));
}

}  // namespace
}  // namespace tenure::testing
