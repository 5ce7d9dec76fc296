#include <gmock/gmock.h>

#include <fstream>
#include <observing/listening_socket.hpp>
#include <support/temporary_folder.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

using ::testing::HasSubstr;

class ListeningSocketTest : public ::testing::Test {
 protected:
  [[nodiscard]] auto open() const { return ListeningSocket::open({.path = path_, .host = {}}); }
  [[nodiscard]] sockaddr_un address() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.native().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  // Of somebody else; nobody listens there once it is closed, and the file stays.
  [[nodiscard]] Descriptor foreign_socket() const {
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un to = address();
    EXPECT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::listen(socket.number(), 1), 0);
    return socket;
  }
  [[nodiscard]] bool somebody_listens() const {
    const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un to = address();
    return ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "probe.sock";
};

TEST_F(ListeningSocketTest, IsOfOwnerAndGroupAndItsFileGoesWithIt) {
  {
    const auto socket = open();
    ASSERT_TRUE(socket);
    EXPECT_TRUE(somebody_listens());
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0660U);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ListeningSocketTest, TakesThePlaceOfOneThatADeadProcessHasLeft) {
  static_cast<void>(foreign_socket());
  ASSERT_TRUE(std::filesystem::is_socket(path_));
  const auto socket = open();
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_TRUE(somebody_listens());
}

TEST_F(ListeningSocketTest, IsHeldByTheProcessThatListensUntilItEnds) {
  {
    const auto first = open();
    const auto second = open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::lock_held);
    EXPECT_TRUE(somebody_listens()) << "the first one is left alone";
  }
  EXPECT_TRUE(open());
}

TEST_F(ListeningSocketTest, LeavesTheSocketOfAnotherProgramAlone) {
  const Descriptor foreign = foreign_socket();
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(refused.error().message, HasSubstr("another program"));
  EXPECT_TRUE(somebody_listens());
}

TEST_F(ListeningSocketTest, LeavesALiveSocketOfAnotherKindAlone) {
  const Descriptor foreign{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const sockaddr_un to = address();
  ASSERT_EQ(::bind(foreign.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  EXPECT_TRUE(std::filesystem::is_socket(path_));
}

TEST_F(ListeningSocketTest, ItsLockIsOfOwnerAndGroupWhateverTheUmask) {
  const mode_t former = ::umask(0077);
  const auto socket = open();
  ::umask(former);
  ASSERT_TRUE(socket);
  struct stat status {};
  ASSERT_EQ(::stat((path_.string() + ".lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST_F(ListeningSocketTest, WhatRootMakesBelongsToTheOwnerOfItsFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "is not root";
  constexpr uid_t kService = 4711;
  ASSERT_EQ(::chown(path_.parent_path().c_str(), kService, kService), 0);
  const auto socket = open();
  ASSERT_TRUE(socket);
  for (const char* const end : {"", ".lock"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path_.string() + end).c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, kService) << end;
  }
}

TEST_F(ListeningSocketTest, ALockThatCannotBeOpenedIsNoFaultOfTheConfiguration) {
  std::filesystem::create_symlink("elsewhere", path_.string() + ".lock");
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::access_refused);
}

TEST_F(ListeningSocketTest, AnAddressThatTheMachineHasNotYetIsWaitedFor) {
  const auto refused = ListeningSocket::open({.path = {}, .host = "192.0.2.1", .port = 7421});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::lock_held);
}

TEST_F(ListeningSocketTest, LeavesAForeignFileAsItIs) {
  std::ofstream(path_) << "mine";
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(refused.error().message, HasSubstr("it is a file"));
  EXPECT_EQ(std::filesystem::file_size(path_), 4U);
}

TEST_F(ListeningSocketTest, DoesNotRemoveAFileThatHasTakenItsPlace) {
  {
    const auto socket = open();
    std::filesystem::remove(path_);
    std::ofstream(path_) << "mine";
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ListeningSocketTest, SaysWhichFolderIsMissing) {
  const auto refused = ListeningSocket::open({.path = folder_ / "none" / "probe.sock", .host = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(refused.error().message, HasSubstr("none/probe.sock"));
}

}  // namespace
}  // namespace tenure::daemon
