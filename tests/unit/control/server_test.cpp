#include "played_daemon.hpp"

#include <tenure/base/line_exchange.hpp>
#include <tenure/base/log.hpp>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <control/server.hpp>
#include <grp.h>
#include <memory>
#include <new>
#include <string>
#include <support/process.hpp>
#include <support/temporary_folder.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace tenure::daemon::control {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

// Operator and daemon on one thread: what is sent is answered while the loop runs.
class ServerTest : public ::testing::Test {
 protected:
  void serve(const ServerLimits& limits = {}) {
    server_ = std::make_unique<Server>(context_.get_executor(), Listener::bind(path(), ::geteuid()), daemon_,
                                       limits);
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "run/control.sock"; }
  [[nodiscard]] Descriptor connect() const {
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const UnixAddress address(path());
    EXPECT_EQ(::connect(socket.number(), address.get(), UnixAddress::size()), 0);
    return socket;
  }
  static void send(const Descriptor& socket, const std::string& bytes) {
    EXPECT_EQ(::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
  }
  // What comes until `lines` lines are there, or the other end is closed.
  std::string receive(const Descriptor& socket, std::size_t lines = 1) {
    std::string received;
    bool is_closed = false;
    EXPECT_TRUE(testing::wait_until([&] {
      context_.poll();
      std::array<char, 65536> bytes{};
      const ssize_t size = ::recv(socket.number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size > 0) received.append(bytes.data(), static_cast<std::size_t>(size));
      is_closed = size == 0 || (size < 0 && errno == ECONNRESET);
      return is_closed || static_cast<std::size_t>(std::ranges::count(received, '\n')) >= lines;
    }));
    return received + (is_closed ? "closed" : "");
  }
  // Until the other end is closed.
  std::string receive_all(const Descriptor& socket) { return receive(socket, std::string::npos); }

  static constexpr const char* kList = "{\"method\":\"GET\",\"path\":\"/workers\"}\n";

  testing::TemporaryFolder folder_;
  PlayedDaemon daemon_;
  boost::asio::io_context context_{1};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersRequestAfterRequestHoweverTheyAreCut) {
  serve();
  const Descriptor socket = connect();
  const std::string both = std::string(kList) + kList;
  send(socket, both.substr(0, 10));
  context_.poll();
  send(socket, both.substr(10));
  EXPECT_THAT(receive(socket, 2), ::testing::MatchesRegex("[{]\"status\":200,.*\n[{]\"status\":200,.*\n"));
}

TEST_F(ServerTest, ATimeThatWasOverWhenTheRequestWasCarriedOutEndsNothing) {
  serve({.request_max = 0ms});
  const Descriptor socket = connect();
  send(socket, std::string(kList) + kList);
  EXPECT_THAT(
      receive_all(socket),
      ::testing::MatchesRegex("[{]\"status\":200,.*\n[{]\"status\":200,.*\n[{]\"status\":408,.*\nclosed"));
}

TEST_F(ServerTest, WhatCannotBeReadIsAnsweredAndEndsTheConnection) {
  serve();
  const Descriptor socket = connect();
  send(socket, "nonsense\n");
  EXPECT_THAT(receive_all(socket), ::testing::MatchesRegex(".*BadRequest.*\nclosed"));
}

TEST_F(ServerTest, ALineHasAnEndOrIsRefused) {
  serve();
  const std::string fits =
      "{\"method\":\"GET\",\"path\":\"/workers\",\"body\":{}" + std::string(kRequestMax - 44, ' ') + "}\n";
  ASSERT_EQ(fits.size(), kRequestMax + 1);
  const Descriptor good = connect();
  send(good, fits);
  EXPECT_THAT(receive(good), HasSubstr("\"status\":200"));
  const Descriptor bad = connect();
  send(bad, std::string(kRequestMax + 1, ' '));
  EXPECT_THAT(receive_all(bad), HasSubstr("RequestTooLarge"));
}

TEST_F(ServerTest, SilentAndSlowOperatorsAreLeftAndHoldNobodyUp) {
  serve({.request_max = 20ms, .answer_max = 20ms});
  const Descriptor silent = connect();
  const Descriptor slow = connect();
  send(slow, "{\"method\":");
  EXPECT_THAT(receive_all(silent), HasSubstr("TimedOut"));
  EXPECT_THAT(receive_all(slow), HasSubstr("TimedOut"));
  const Descriptor other = connect();
  send(other, kList);
  EXPECT_THAT(receive(other), HasSubstr("\"status\":200"));
}

// Its answers fill the socket's buffer.
TEST_F(ServerTest, WhoReadsNoAnswerIsLeft) {
  serve({.answer_max = 20ms});
  daemon_.shown.workers.assign(4000, daemon_.shown.workers[0]);
  const Descriptor socket = connect();
  send(socket, kList);
  std::array<char, 1> byte{};
  EXPECT_TRUE(testing::wait_until([&] {
    context_.poll();
    return ::send(socket.number(), byte.data(), 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE;
  }));
}

TEST_F(ServerTest, TooManyConnectionsAreToldSo) {
  serve({.connections_max = 2});
  const Descriptor first = connect();
  Descriptor second = connect();
  const Descriptor third = connect();
  EXPECT_THAT(receive_all(third), HasSubstr("TooManyConnections"));
  second = Descriptor{};
  EXPECT_TRUE(testing::wait_until([&] {
    const Descriptor again = connect();
    send(again, kList);
    return receive(again).find("\"status\":200") != std::string::npos;
  }));
}

TEST_F(ServerTest, SEC_07_AnotherUidIsRefusedAndLogged) {
  if (::geteuid() != 0) GTEST_SKIP() << "not run here: only root can act as another user";
  serve();
  ::chmod(folder_.path().c_str(), 0755);
  constexpr uid_t kSomebody = 4711;
  ASSERT_EQ(::setegid(kSomebody), 0);
  ASSERT_EQ(::seteuid(kSomebody), 0);
  const auto kept_out = exchange_line(path(), "{}");
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(::setegid(0), 0);
  ASSERT_FALSE(kept_out);
  EXPECT_EQ(kept_out.error().why, FailedExchange::Why::not_permitted);
  // Where the permissions of the files let everybody in, the daemon looks who it is.
  ::chmod(path().parent_path().c_str(), 0755);
  ::chmod(path().c_str(), 0666);
  std::vector<gid_t> groups(64);
  groups.resize(static_cast<std::size_t>(::getgroups(64, groups.data())));
  ASSERT_EQ(::setgroups(0, nullptr), 0);
  ASSERT_EQ(::setegid(kSomebody), 0);
  ASSERT_EQ(::seteuid(kSomebody), 0);
  const Descriptor socket = connect();
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(::setegid(0), 0);
  ASSERT_EQ(::setgroups(groups.size(), groups.data()), 0);
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  EXPECT_THAT(receive_all(socket), HasSubstr("AccessRefused"));
  log::capture_for_test(nullptr);
  EXPECT_THAT(lines,
              ::testing::Contains(::testing::AllOf(HasSubstr("control.refused"), HasSubstr("uid 4711"))));
}

TEST_F(ServerTest, WhatIsChangedIsLoggedWithWhoAsked) {
  serve();
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  const Descriptor socket = connect();
  send(socket, std::string(kList) + "{\"method\":\"POST\",\"path\":\"/workers/quiet\"}\n");
  EXPECT_THAT(receive(socket, 2), HasSubstr("tenure.worker.quiet/1"));
  log::capture_for_test(nullptr);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("POST /workers/quiet by uid " + std::to_string(::geteuid())));
}

TEST_F(ServerTest, AnAnswerThatFailsIsStatus500AndCostsTheDaemonNothing) {
  serve();
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  daemon_.fails_with = [] { throw std::system_error(EAGAIN, std::generic_category(), "no thread"); };
  const Descriptor socket = connect();
  const std::vector<std::string> requests{kList, "{\"method\":\"POST\",\"path\":\"/workers/quiet\"}\n",
                                          "{\"method\":\"POST\",\"path\":\"/config/reload\"}\n",
                                          "{\"method\":\"POST\",\"path\":\"/journal/dump\"}\n"};
  for (const std::string& request : requests) {
    send(socket, request);
    EXPECT_THAT(receive(socket), ::testing::AllOf(HasSubstr("{\"status\":500,"), HasSubstr("\"Internal\""),
                                                  HasSubstr("no thread")));
  }
  daemon_.fails_with = [] { throw std::bad_alloc(); };
  send(socket, kList);
  EXPECT_THAT(receive(socket), HasSubstr("{\"status\":500,"));
  daemon_.fails_with = nullptr;
  send(socket, kList);
  EXPECT_THAT(receive(socket), HasSubstr("{\"status\":200,"));
  log::capture_for_test(nullptr);
  EXPECT_THAT(lines, ::testing::Contains(::testing::AllOf(
                         HasSubstr("control.failed"), HasSubstr("GET /workers"), HasSubstr("no thread"))));
}

TEST_F(ServerTest, DestroyedItAnswersNobodyAndItsFileIsGone) {
  serve();
  const Descriptor socket = connect();
  send(socket, kList);
  context_.run_one();  // accepted
  server_.reset();
  context_.poll();
  EXPECT_EQ(receive_all(socket), "closed");
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace tenure::daemon::control
