#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <observing/http_listener.hpp>
#include <support/process.hpp>
#include <support/temporary_folder.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

class HttpListenerTest : public ::testing::Test {
 protected:
  void listen(HttpLimits limits = {}) {
    listener_ = HttpListener::open({.path = path_, .host = {}}, limits, [](const HttpRequest& request) {
      if (request.path == "/throw") throw std::runtime_error("no");
      return HttpResponse{.body = request.method + " " + request.path + "\n"};
    });
  }
  // Closed where nobody listens.
  [[nodiscard]] Descriptor try_to_connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.native().copy(address.sun_path, sizeof address.sun_path - 1);
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return {};
    return socket;
  }
  [[nodiscard]] Descriptor connected() const {
    Descriptor socket = try_to_connect();
    EXPECT_TRUE(socket.is_open());
    return socket;
  }
  // Until the other end closes. What cannot be sent any more it has answered already.
  [[nodiscard]] static std::string answer_to(const Descriptor& socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::shutdown(socket.number(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> part{};
    for (ssize_t size = 0; (size = ::recv(socket.number(), part.data(), part.size(), 0)) > 0;)
      answer.append(part.data(), static_cast<std::size_t>(size));
    return answer;
  }
  [[nodiscard]] std::string answer_to(std::string_view bytes) const { return answer_to(connected(), bytes); }
  [[nodiscard]] static std::string with_header_of(std::size_t bytes) {
    const std::string front = "GET /x HTTP/1.1\r\nHost: a\r\nX: ";
    return front + std::string(bytes - front.size() - 4, 'x') + "\r\n\r\n";
  }
  [[nodiscard]] static std::string with_body_of(std::size_t bytes) {
    return fmt::format("GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", bytes,
                       std::string(bytes, 'x'));
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "probe.sock";
  std::unique_ptr<HttpListener> listener_;
};

TEST_F(HttpListenerTest, AnswersOneRequestAndCloses) {
  listen();
  const std::string answer = answer_to("GET /x?a=b HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /x\n"));
}

TEST_F(HttpListenerTest, AHeadHasTheLengthAndNoBody) {
  listen();
  const std::string answer = answer_to("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpListenerTest, AnExceptionOfTheHandlerCostsOneAnswer) {
  listen();
  EXPECT_THAT(answer_to("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer_to(kGet), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, SEC_10_AHeaderOverEightKiBIs431) {
  listen();
  EXPECT_THAT(answer_to(with_header_of(8192)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer_to(with_header_of(8193)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer_to(with_header_of(100'000)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer_to("GET /" + std::string(9000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpListenerTest, SEC_10_ABodyOver64KiBIs413) {
  listen();
  EXPECT_THAT(answer_to(with_body_of(65536)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer_to(with_body_of(65537)), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer_to("GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" +
                        std::string(65537, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpListenerTest, SEC_10_TwoLengthsAre400) {
  listen();
  const auto with = [&](std::string_view fields) {
    return answer_to(fmt::format("GET /x HTTP/1.1\r\nHost: a\r\n{}\r\n\r\nx", fields));
  };
  EXPECT_THAT(with("Content-Length: 1"), StartsWith("HTTP/1.1 200 "));
  for (const char* const two :
       {"Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1, 1", "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1", "Content-Length: +1", "Content-Length: -1",
        "Content-Length: 0x1"})
    EXPECT_THAT(with(two), StartsWith("HTTP/1.1 400 ")) << two;
}

TEST_F(HttpListenerTest, WhatIsNoRequestIs400) {
  listen();
  EXPECT_THAT(answer_to("hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer_to(std::string_view("\0\0\0\0\r\n\r\n", 8)), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer_to("GET /x HTTP/9.9\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

// Two that survive a third: who dispatches waits, who stands by has the address.
TEST_F(HttpListenerTest, WhoRestsLeavesTheAddressToWhoWaitsForIt) {
  listen();
  const auto waits = HttpListener::open({.path = path_, .host = {}}, {},
                                        [](const HttpRequest&) { return HttpResponse{.body = "waited\n"}; });
  EXPECT_THAT(answer_to(kGet), EndsWith("GET /x\n"));
  listener_->rest();
  EXPECT_TRUE(testing::wait_until([&] {
    const Descriptor socket = try_to_connect();
    return socket.is_open() && answer_to(socket, kGet).ends_with("waited\n");
  }));
}

TEST_F(HttpListenerTest, WhoRestsTakesTheAddressAgainWhereNobodyWaited) {
  listen();
  listener_->rest();
  EXPECT_TRUE(testing::wait_until([&] { return !try_to_connect().is_open(); }));
  EXPECT_TRUE(testing::wait_until([&] { return try_to_connect().is_open(); }));
  EXPECT_THAT(answer_to(kGet), EndsWith("GET /x\n"));
}

TEST_F(HttpListenerTest, ALockThatItMayNotOpenEndsNoStart) {
  const auto lock = path_.string() + ".lock";
  std::filesystem::create_symlink("elsewhere", lock);
  listen();
  EXPECT_FALSE(try_to_connect().is_open());
  std::filesystem::remove(lock);
  EXPECT_TRUE(testing::wait_until([&] { return try_to_connect().is_open(); }));
}

TEST_F(HttpListenerTest, WhoLeavesInTheMiddleIsNotAnswered) {
  listen();
  EXPECT_EQ(answer_to(""), "");
  EXPECT_EQ(answer_to("GET /x HTTP/1.1\r\nHos"), "");
  EXPECT_EQ(answer_to("GET /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), "");
  EXPECT_THAT(answer_to(kGet), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, WhoDoesNotEndTheRequestInTimeIsClosed) {
  listen({.request_time = 100ms});
  const Descriptor socket = connected();
  ASSERT_EQ(::send(socket.number(), "GET /x", 6, MSG_NOSIGNAL), 6);
  char byte = 0;
  EXPECT_EQ(::recv(socket.number(), &byte, 1, 0), 0) << "it ends without an answer";
}

TEST_F(HttpListenerTest, SEC_10_TwoHundredSlowClientsDoNotStopAProbe) {
  listen();
  std::vector<Descriptor> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(connected());
    ASSERT_EQ(::send(slow.back().number(), "GET /x", 6, MSG_NOSIGNAL), 6);
  }
  EXPECT_THAT(answer_to(kGet), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, ForOneConnectionMoreTheOldestIsClosed) {
  listen({.connections = 2});
  const Descriptor oldest = connected();
  const Descriptor second = connected();
  const Descriptor third = connected();
  char byte = 0;
  EXPECT_EQ(::recv(oldest.number(), &byte, 1, 0), 0);
  EXPECT_THAT(answer_to(second, kGet), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer_to(third, kGet), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, ItsSocketGoesWithIt) {
  listen();
  listener_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(HttpListenerTest, TakesOverWhereAnotherOneHasListened) {
  listen();
  const auto second = HttpListener::open({.path = path_, .host = {}}, {},
                                         [](const HttpRequest&) { return HttpResponse{.body = "second"}; });
  EXPECT_THAT(answer_to(kGet), Not(EndsWith("second")));
  listener_.reset();
  EXPECT_TRUE(testing::wait_until([&] {
    const Descriptor socket = try_to_connect();
    return socket.is_open() && answer_to(socket, kGet).ends_with("second");
  }));
}

}  // namespace
}  // namespace tenure::daemon
