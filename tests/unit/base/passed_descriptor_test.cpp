#include <tenure/base/passed_descriptor.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tenure::testing {
namespace {

class PassedDescriptor : public ::testing::Test {
 protected:
  PassedDescriptor() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) std::abort();
    ours_ = Descriptor{pair[0]};
    theirs_ = Descriptor{pair[1]};
  }
  std::string_view text(const ReceivedBytes& received) const { return {buffer_.data(), received.size}; }

  Descriptor ours_, theirs_;
  Descriptor file_{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  std::array<char, 64> buffer_{};
};

TEST_F(PassedDescriptor, ComesBesideTheBytesAndIsTheSameFileUnderANumberOfItsOwn) {
  EXPECT_EQ(send_with_descriptor(ours_.number(), "hello", file_.number()).size, 5U);
  const auto received = receive_with_descriptor(theirs_.number(), buffer_);
  EXPECT_EQ(received.error, 0);
  EXPECT_EQ(text(received), "hello");
  ASSERT_TRUE(received.descriptor.is_open());
  EXPECT_NE(received.descriptor.number(), file_.number());
  EXPECT_EQ(identity_of_descriptor(received.descriptor.number()), identity_of_descriptor(file_.number()));
  EXPECT_EQ(::fcntl(received.descriptor.number(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(PassedDescriptor, BytesAloneBringNone) {
  ASSERT_EQ(::send(ours_.number(), "plain", 5, 0), 5);
  const auto received = receive_with_descriptor(theirs_.number(), buffer_);
  EXPECT_EQ(text(received), "plain");
  EXPECT_FALSE(received.descriptor.is_open());
}

TEST_F(PassedDescriptor, NothingToReadAndAClosedEndAreTold) {
  EXPECT_EQ(receive_with_descriptor(theirs_.number(), buffer_).error, EAGAIN);
  ours_ = Descriptor{};
  const auto end = receive_with_descriptor(theirs_.number(), buffer_);
  EXPECT_EQ(end.error, 0);
  EXPECT_EQ(end.size, 0U);
  EXPECT_EQ(send_with_descriptor(theirs_.number(), "late", file_.number()).error, EPIPE);
}

TEST_F(PassedDescriptor, IsMissedWhereNoDescriptorIsLeft) {
  ASSERT_EQ(send_with_descriptor(ours_.number(), "hello", file_.number()).size, 5U);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto received = receive_with_descriptor(theirs_.number(), buffer_);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(received.error, EMFILE);
  EXPECT_FALSE(received.descriptor.is_open());
}

}  // namespace
}  // namespace tenure::testing
