#include <tenure/base/no_sockets.hpp>
#include <tenure/base/system.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <support/in_child.hpp>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace tenure {
namespace {

// 0 where one can be made, else errno.
int error_of_new_socket(int family) {
  const Descriptor made{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return made.is_open() ? 0 : errno;
}

// Whatever one of these tests would do to the process of the tests stays.
TEST(NoSockets, OfTheProcessAreRefusedToEachOfItsThreads) {
  const int verdict = testing::in_child([] {
    std::atomic<bool> refused{false};
    int other_thread = -1;
    std::thread before([&] {
      refused.wait(false);
      other_thread = error_of_new_socket(AF_INET);
    });
    refuse_new_sockets(NoSocketsOf::process);
    refused = true;
    refused.notify_one();
    before.join();
    for (const int family : {AF_INET, AF_INET6, AF_UNIX})
      if (error_of_new_socket(family) != EACCES) return 1;
    return other_thread == EACCES ? 0 : 2;
  });
  EXPECT_EQ(verdict, 0);
}

TEST(NoSockets, AreRefusedToChildrenToo) {
  const int verdict = testing::in_child([] {
    refuse_new_sockets(NoSocketsOf::process);
    return testing::in_child([] { return error_of_new_socket(AF_INET) == EACCES ? 0 : 1; });
  });
  EXPECT_EQ(verdict, 0);
}

TEST(NoSockets, OfOneThreadAreNobodyElses) {
  const int verdict = testing::in_child([] {
    int there = -1;
    std::thread([&] {
      refuse_new_sockets(NoSocketsOf::this_thread);
      there = error_of_new_socket(AF_INET);
    }).join();
    return there == EACCES && error_of_new_socket(AF_UNIX) == 0 ? 0 : 1;
  });
  EXPECT_EQ(verdict, 0);
}

TEST(NoSockets, LeaveWhatIsThereAndEverythingElse) {
  const int verdict = testing::in_child([] {
    std::array<int, 2> pair{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return 1;
    refuse_new_sockets(NoSocketsOf::process);
    char byte = 0;
    if (!write_all(pair[0], "x") || ::read(pair[1], &byte, 1) != 1) return 2;
    return ::pipe(pair.data()) == 0 ? 0 : 3;
  });
  EXPECT_EQ(verdict, 0);
}

}  // namespace
}  // namespace tenure
