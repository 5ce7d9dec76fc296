#include "capsules.hpp"

#include <tenure/base/system.hpp>

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <cstring>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace tenure::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A service that would see whoever comes.
class ListeningService {
 public:
  ListeningService(const sockaddr* address, socklen_t size)
      : socket_(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::bind(socket_.number(), address, size), 0);
    EXPECT_EQ(::listen(socket_.number(), 8), 0);
  }
  static ListeningService on_a_port() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return {reinterpret_cast<const sockaddr*>(&any), sizeof any};
  }
  static ListeningService at(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
  }
  [[nodiscard]] int port() const {
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    EXPECT_EQ(::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    return ntohs(bound.sin_port);
  }
  [[nodiscard]] bool has_a_caller() const {
    pollfd looked{socket_.number(), POLLIN, 0};
    return ::poll(&looked, 1, 0) > 0;
  }

 private:
  Descriptor socket_;
};

class ReplayAlone : public Replays {
 protected:
  // A replay that does what it must not: it differs, its text says why, and nothing that is in use was changed or asked.
  void expect_kept_out(const std::string& does, const std::string& why) {
    auto variables = variables_for(does);
    variables.push_back("LIVE_PORT=" + std::to_string(service_.port()));
    const auto before = live_files();
    EXPECT_EQ(tenure({"replay", "run", capsule_, "--program", REPLAY_WORKER}, variables), "exit 1")
        << output_;
    EXPECT_THAT(output_, HasSubstr(why)) << does;
    EXPECT_EQ(live_files(), before) << does;
    EXPECT_FALSE(service_.has_a_caller()) << does;
    EXPECT_FALSE(local_service_.has_a_caller()) << does;
  }

  ListeningService service_ = ListeningService::on_a_port();
  ListeningService local_service_ = ListeningService::at(live_ / "service.sock");
};

TEST_F(ReplayAlone, RPL_03_NothingInUseIsReachedAndTheCapsuleHasOneTenantsDataOnly) {
  expect_kept_out("client", "AccessRefused: a replay opens no client");
  expect_kept_out("other-database",
                  "AccessRefused: a replay opens no database but those of its scratch folder");
  expect_kept_out("network", "no way to the service: Permission denied");
  expect_kept_out("control", "no way to the service: Permission denied");
  const std::string capsule = content_of(capsule_);
  EXPECT_THAT(capsule, HasSubstr("a note of acme"));
  EXPECT_THAT(capsule, Not(HasSubstr("a note of bolt")));
}

// Without a replay the same handlers do reach them, so that what is above proves something.
TEST_F(ReplayAlone, TheServicesOfTheseTestsCanBeReached) {
  const ListeningService other = ListeningService::on_a_port();
  EXPECT_FALSE(other.has_a_caller());
  const Descriptor caller{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(other.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(caller.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(other.has_a_caller());
}

TEST_F(ReplayAlone, TheVariablesOfTheShellNameNothingThatIsInUse) {
  ASSERT_EQ(replay("tell-variables", {"--keep"}), "exit 0") << output_;
  const auto kept = std::filesystem::directory_iterator(scratch_)->path();
  EXPECT_THAT(output_,
              HasSubstr("configured by " + (kept / "tenure.toml").string() + ", store '', worker ''\n"));
  const std::string configuration = content_of(kept / "tenure.toml");
  EXPECT_THAT(configuration, HasSubstr("name = \"test\""));
  EXPECT_THAT(configuration, HasSubstr("path = \"%{config_dir}/control.db\""));
}

}  // namespace
}  // namespace tenure::testing
