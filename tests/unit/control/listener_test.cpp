#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <control/listener.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <support/temporary_folder.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::daemon::control {
namespace {

using ::testing::HasSubstr;

class ListenerTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path run() const { return folder_ / "run"; }
  [[nodiscard]] std::filesystem::path path() const { return run() / "control.sock"; }
  [[nodiscard]] Listener bind() const { return Listener::bind(path(), ::geteuid()); }
  std::string refusal() const {
    try {
      const Listener listener = bind();
    } catch (const Error& error) {
      return error.what();
    }
    return "served";
  }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
  [[nodiscard]] int connect() const {
    const UnixAddress address(path());
    const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return ::connect(socket.number(), address.get(), UnixAddress::size()) == 0 ? 0 : errno;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ListenerTest, SEC_07_TheSocketIsForUserAndGroupInAFolderThatOthersCannotEnter) {
  const mode_t before = ::umask(0);
  const Listener listener = bind();
  ::umask(before);
  EXPECT_EQ(mode_of(path()), 0660U);
  EXPECT_EQ(mode_of(run()) & 0777U, 0750U);
  EXPECT_EQ(connect(), 0);
}

TEST_F(ListenerTest, SEC_07_AFolderThatOthersMayWriteIsRefused) {
  for (const mode_t mode : {0770U, 0752U, 01777U}) {
    std::filesystem::create_directory(run());
    ::chmod(run().c_str(), mode);
    EXPECT_THAT(refusal(), HasSubstr("others may write to its folder")) << std::oct << mode;
    std::filesystem::remove(run());
  }
}

TEST_F(ListenerTest, SEC_07_LinkedPathsAreRefused) {
  std::filesystem::create_directory(folder_ / "elsewhere");
  std::filesystem::create_symlink(folder_ / "elsewhere", run());
  EXPECT_THAT(refusal(), HasSubstr("its folder is a symbolic link to"));
  std::filesystem::remove(run());
  std::filesystem::create_directory(run());
  ::chmod(run().c_str(), 0750);
  std::filesystem::create_symlink(folder_ / "target", path());
  EXPECT_THAT(refusal(), HasSubstr("a symbolic link to"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "target"));
  EXPECT_TRUE(std::filesystem::is_symlink(path())) << "it is somebody's, and stays";
}

TEST_F(ListenerTest, SEC_07_WhatIsNoSocketIsRefusedAndKept) {
  static_cast<void>(bind());
  std::ofstream(path()) << "mine\n";
  EXPECT_THAT(refusal(), HasSubstr("a file has its name"));
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(ListenerTest, SEC_07_SquattedPathsAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "not run here: only root can give a file to another user";
  constexpr uid_t kSomebody = 4711;
  std::filesystem::create_directory(run());
  ::chmod(run().c_str(), 0750);
  ASSERT_EQ(::chown(run().c_str(), kSomebody, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("its folder belongs to uid 4711"));
  EXPECT_NO_THROW(static_cast<void>(Listener::bind(path(), kSomebody))) << "whose control database it is";
  ASSERT_EQ(::chown(run().c_str(), 0, 0), 0);
  std::filesystem::remove(path());
  const UnixAddress address(path());
  const Descriptor squatter{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(::bind(squatter.number(), address.get(), UnixAddress::size()), 0);
  ASSERT_EQ(::chown(path().c_str(), kSomebody, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("a socket of uid 4711 has its name"));
}

TEST_F(ListenerTest, ASocketThatIsServedIsRefusedAndOneOfTheDeadIsReplaced) {
  {
    const UnixAddress address((std::filesystem::create_directory(run()), path()));
    ::chmod(run().c_str(), 0750);
    const Descriptor dead{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::bind(dead.number(), address.get(), UnixAddress::size()), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path()));
  const Listener living = bind();
  EXPECT_THAT(refusal(), HasSubstr("process " + std::to_string(::getpid()) + " serves it"));
  EXPECT_EQ(connect(), 0);
}

TEST_F(ListenerTest, ItsFileGoesWithItUnlessItIsAnothersByThen) {
  static_cast<void>(bind());
  EXPECT_FALSE(std::filesystem::exists(path()));
  {
    const Listener listener = bind();
    std::filesystem::remove(path());
    std::ofstream(path()) << "mine\n";
  }
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(ListenerTest, ALongPathIsServedAndFound) {
  const auto deep = folder_ / std::string(120, 'a');
  std::filesystem::create_directory(deep);
  ::chmod(deep.c_str(), 0750);
  const Listener listener = Listener::bind(deep / "control.sock", ::geteuid());
  const UnixAddress address(deep / "control.sock");
  const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  EXPECT_EQ(::connect(socket.number(), address.get(), UnixAddress::size()), 0);
}

TEST(MayAsk, SEC_07_RootTheDaemonsUserAndMembersOfTheGroup) {
  const auto peer = [](uid_t uid, gid_t gid, std::vector<gid_t> groups = {}) {
    return Peer{.pid = 1, .uid = uid, .gid = gid, .groups = std::move(groups)};
  };
  EXPECT_TRUE(may_ask(peer(0, 0), 990, 990));
  EXPECT_TRUE(may_ask(peer(990, 5), 990, 7));
  EXPECT_TRUE(may_ask(peer(1000, 990), 990, 990));
  EXPECT_TRUE(may_ask(peer(1000, 1000, {4, 990}), 990, 990));
  EXPECT_FALSE(may_ask(peer(1000, 1000, {4, 27}), 990, 990));
}

TEST(PassedSocket, IsFoundByItsName) {
  EXPECT_EQ(passed_as("control", "control", 1), 3);
  EXPECT_EQ(passed_as("control", "http:control", 2), 4);
  EXPECT_EQ(passed_as("control", "http:control", 1), std::nullopt) << "more names than descriptors";
  EXPECT_EQ(passed_as("control", "unknown", 1), std::nullopt);
  EXPECT_EQ(passed_as("control", "", 1), std::nullopt);
}

}  // namespace
}  // namespace tenure::daemon::control
