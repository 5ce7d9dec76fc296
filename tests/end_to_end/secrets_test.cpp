#include "installation.hpp"
#include "probing.hpp"

#include <gmock/gmock.h>

#include <csignal>

// Secrets in arguments, in all that comes out of tenured, its worker processes and the command line.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kRecipient = "s3cr3t-ap@acme.example";
constexpr std::string_view kToken = "s3cr3t-0123456789abcdef0123456789abcdef";

class SecretsTest : public Installation {
 protected:
  // What every face shows of the job.
  std::string everything_about(queue::JobId job) {
    std::string all;
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"job", "list", "--columns", "id,state,error,progress"},
                                               {"job", "show", job.text()},
                                               {"job", "why", job.text()},
                                               {"job", "group"},
                                               {"job", "export"},
                                               {"tenant", "show", "acme"},
                                               {"store", "audit"},
                                               {"doctor"},
                                               {"worker", "list"},
                                               {"worker", "show", "1"},
                                               {"worker", "dump"}})
      for (const bool json : {false, true}) {
        std::vector<std::string> command = words;
        if (json) command.emplace_back("--json");
        EXPECT_THAT(run_command(command, all), ::testing::AnyOf("exit 0", "exit 1"))
            << words[0] << words[1] << all;
      }
    if (TENURE_HAS_HTTP != 0)
      for (const char* path : {"/metrics", "/health/ready"}) all += ask(probe_socket(), path).body;
    return all;
  }
  [[nodiscard]] std::string probe_socket() const { return (folder_ / "probe.sock").string(); }
};

TEST_F(SecretsTest, OBS_08_NoFaceShowsThem) {
  const std::string http = "[http]\nprobe_listen = \"unix:" + probe_socket() + "\"\n";
  configure({.more = (TENURE_HAS_HTTP != 0 ? http : "") +
                     "[log]\nlevel = \"debug\"\n[security]\nmask = [\"recip*\"]\n"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Quote{"quote", std::string(kRecipient), std::string(kToken)});
  static_cast<void>(wait_for_start_of("quote"));
  EXPECT_TRUE(wait_until([&] { return record(job).progress.has_value(); }));
  std::string all = everything_about(job);
  EXPECT_THAT(all, HasSubstr("writing to ••••"));
  daemon->signal(SIGUSR2);
  let_go("quote");
  expect_state(job, ShownState::dead);
  all += everything_about(job);
  EXPECT_THAT(all, HasSubstr("no mailbox •••• by ••••"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  all += daemon->output();
  EXPECT_THAT(daemon->output(), HasSubstr("no mailbox •••• by ••••"));
  EXPECT_THAT(all, Not(HasSubstr("s3cr3t")));
}

}  // namespace
}  // namespace tenure::testing
