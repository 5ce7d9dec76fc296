#include "capsules.hpp"

#include <gmock/gmock.h>

namespace tenure::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class ReplaysInADebugger : public Replays {
 protected:
  // gdb by itself, with these commands.
  std::string debug(const std::string& commands, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"--debugger=gdb -q -nx -batch " + commands + " --args"};
    words.insert(words.end(), more.begin(), more.end());
    return replay("", words);
  }
};

TEST_F(ReplaysInADebugger, RPL_02_AFailedRunIsTheSameElsewhereAndAroundABreakpointInItsHandler) {
  ASSERT_EQ(replay(), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("the same: failed, HandlerFailed"));
  ASSERT_EQ(debug("-ex 'break pay_at_rate' -ex run -ex 'info threads' -ex continue"), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("set a breakpoint in the handler, then type run"));
  EXPECT_THAT(output_, HasSubstr("Breakpoint 1, "));
  EXPECT_THAT(output_, ContainsRegex("\\* 1 .*pay_at_rate")) << "on the main thread";
  EXPECT_THAT(output_, HasSubstr("the same: failed, HandlerFailed"));
}

TEST_F(ReplaysInADebugger, FromAStepOnItStopsWhereTheStepBegins) {
  ASSERT_EQ(debug("-ex run -ex bt -ex continue", {"--from", "log"}), "exit 0") << output_;
  EXPECT_THAT(output_, ContainsRegex("between the steps(.|\n)*SIGTRAP(.|\n)*::pay \\((.|\n)*pay ends"));
  EXPECT_THAT(output_, HasSubstr("the same: "));
}

TEST_F(ReplaysInADebugger, OneThatIsLeftEarlyHasNoVerdict) {
  EXPECT_EQ(debug("-ex 'break pay_at_rate' -ex run"), "exit 75") << output_;
  EXPECT_THAT(output_, HasSubstr("the debugger was left before the run had ended"));
  EXPECT_EQ(debug("-ex 'print 1'"), "exit 75") << output_;
  EXPECT_THAT(output_, HasSubstr("left before the program had come to worker_main"));
  EXPECT_TRUE(is_scratch_empty());
}

}  // namespace
}  // namespace tenure::testing
