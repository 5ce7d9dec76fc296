#include <tenure/base/operator_identity.hpp>

#include <climits>
#include <gtest/gtest.h>

#include <array>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace tenure {
namespace {

TEST(OperatorIdentity, IsThatOfTheProcess) {
  const OperatorIdentity who = identify_operator("");
  std::array<char, HOST_NAME_MAX + 1> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  EXPECT_EQ(who.uid, ::getuid());
  EXPECT_EQ(who.host, host.data());
  EXPECT_EQ(who.sudo_uid, std::nullopt);
}

TEST(OperatorIdentity, BelievesAVariableOnlyWhereItIsAUid) {
  if (::getuid() != 0) GTEST_SKIP() << "of root only";
  EXPECT_EQ(identify_operator("1000").sudo_uid, 1000);
  EXPECT_EQ(identify_operator("0").sudo_uid, 0);
  for (const char* const text : {"", "root", "-1", "10x", "4294967295", "4294967296", " 7"})
    EXPECT_EQ(identify_operator(text).sudo_uid, std::nullopt) << text;
}

TEST(OperatorIdentity, BelievesNobodyButRootThatSudoWasUsed) {
  if (::getuid() == 0) {
    // Of this thread only, by the kernel's own call, so that the process stays what it is.
    std::thread([] {
      ASSERT_EQ(::syscall(SYS_setresuid, 1234, 1234, 1234), 0);
      EXPECT_EQ(identify_operator("1000").uid, 1234);
      EXPECT_EQ(identify_operator("1000").sudo_uid, std::nullopt);
    }).join();
  } else {
    EXPECT_EQ(identify_operator("1000").sudo_uid, std::nullopt);
  }
}

}  // namespace
}  // namespace tenure
