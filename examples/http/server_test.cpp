#include "server.hpp"

#include "jobs.hpp"

#include <tenure/testing/job_test.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <istream>
#include <iterator>
#include <string>
#include <vector>

// The server over the queue of a test's world: requests by a socket, jobs performed where the test says so.
namespace {

namespace asio = boost::asio;

class ExportServer : public tenure::testing::JobTest {
 protected:
  ExportServer() : JobTest({.application = "exports"}) {
    jobs().add<exports::MakeExport>([](const exports::MakeExport& job, tenure::JobContext&) {
      return exports::ExportMade{.file = job.what + ".csv", .rows = 3};
    });
    with_tenants("acme", "bolt");
  }

  // Sends the requests, each by a connection of its own, and returns the answers: status and body.
  std::vector<std::string> asked(const std::vector<std::string>& requests) {
    std::vector<std::string> answers(requests.size());
    std::vector<asio::streambuf> buffers(requests.size());
    std::vector<asio::ip::tcp::socket> sockets;
    std::size_t open = requests.size();
    for (std::size_t each = 0; each < requests.size(); ++each) {
      auto& socket = sockets.emplace_back(loop_);
      socket.connect({asio::ip::address_v4::loopback(), server_.port()});
      asio::write(socket, asio::buffer(requests[each]));
    }
    for (std::size_t each = 0; each < requests.size(); ++each)
      asio::async_read(sockets[each], buffers[each], [&, each](auto&&...) {  // to its end
        std::istream in(&buffers[each]);
        const std::string all{std::istreambuf_iterator<char>(in), {}};
        answers[each] = all.substr(9, 3) + " " + all.substr(all.find("\r\n\r\n") + 4);
        if (--open == 0) loop_.stop();
      });
    loop_.restart();
    loop_.run();
    return answers;
  }
  static std::string post(const std::string& tenant, const std::string& what) {
    return "POST /" + tenant + "/exports HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
           std::to_string(what.size()) + "\r\n\r\n" + what;
  }
  static std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  }

  asio::io_context loop_;
  exports::Server server_{loop_, client(), 0};
};

TEST_F(ExportServer, EnqueuesForEachRequestAndTellsWhenItIsReady) {
  const std::string accepted = asked({post("acme", "june")}).front();
  ASSERT_TRUE(accepted.starts_with("202 ")) << accepted;
  const std::string page = "/acme/exports/" + accepted.substr(4);
  EXPECT_EQ(asked({get(page)}).front(), accepted);
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_EQ(asked({get(page)}).front(), R"(200 {"file":"june.csv","rows":3})");
  EXPECT_EQ(asked({get(page + "?wait")}).front(), R"(200 {"file":"june.csv","rows":3})");
}

TEST_F(ExportServer, AnswersManyAtOnce) {
  const std::vector<std::string> requests(50, post("acme", "june"));
  for (const std::string& answer : asked(requests)) EXPECT_TRUE(answer.starts_with("202 ")) << answer;
  EXPECT_EQ(drain().succeeded(), 50U);
}

TEST_F(ExportServer, AnswersWhoWaitsWhenTheJobHasEnded) {
  const std::string id = asked({post("acme", "june")}).front().substr(4);
  client().cancel(*tenure::Uuid::parse(id), {.tenant = "acme"});
  EXPECT_TRUE(asked({get("/acme/exports/" + id + "?wait")}).front().starts_with("500 "));
}

TEST_F(ExportServer, ShowsNoTenantAnothersExport) {
  const std::string id = asked({post("acme", "june")}).front().substr(4);
  const std::vector<std::string> answers =
      asked({get("/bolt/exports/" + id), get("/nobody/exports/" + id), get("/acme/exports/no-id"),
             post("nobody", "june"), post("..", "june")});
  for (const std::string& answer : answers) EXPECT_TRUE(answer.starts_with("404 ")) << answer;
}

}  // namespace
