#include "installation.hpp"

#include <tenure/base/system.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace tenure::testing {
namespace {

// The socket of a service manager, as NOTIFY_SOCKET names it.
class NotifySocket {
 public:
  explicit NotifySocket(const std::filesystem::path& path) : path_(path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  // Whether a datagram with that line comes.
  [[nodiscard]] bool hears(const std::string& line) {
    return wait_until([&] {
      receive();
      return heard_.find("\n" + line + "\n") != std::string::npos;
    });
  }
  [[nodiscard]] const std::string& heard() {
    receive();
    return heard_;
  }
  [[nodiscard]] std::string variable() const { return "NOTIFY_SOCKET=" + path_.string(); }

 private:
  void receive() {
    std::array<char, 4096> bytes{};
    for (ssize_t size = 0; (size = ::recv(socket_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0;)
      heard_.append(bytes.data(), static_cast<std::size_t>(size));
  }

  std::filesystem::path path_;
  Descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::string heard_ = "\n";
};

class ServiceTest : public Installation {
 protected:
  [[nodiscard]] std::unique_ptr<Process> start(const std::string& program,
                                               std::vector<std::string> variables = {}) {
    variables.push_back(manager_.variable());
    variables.push_back("TENURE_CONFIG=" + config_file().string());  // which handlers look at, by hand too
    return std::make_unique<Process>(std::vector<std::string>{program, "--config", config_file()},
                                     folder_ / ("service-" + std::to_string(++starts_) + ".log"), variables);
  }
  NotifySocket manager_{folder_ / "notify"};
  int starts_ = 0;
};

TEST_F(ServiceTest, STP_07_TheServiceManagerHearsOfReadinessAndOfTheStop) {
  configure();
  for (const std::string& program : {std::string{TENURED}, std::string{WORKER_PROGRAM}}) {
    const auto daemon = start(program);
    EXPECT_TRUE(manager_.hears("READY=1")) << program;
    EXPECT_EQ(manager_.heard().find("STOPPING=1"), std::string::npos) << program;
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->wait(), "exit 0") << program;
    EXPECT_TRUE(manager_.hears("STOPPING=1")) << program;
    manager_ = NotifySocket{folder_ / ("notify-" + std::to_string(starts_))};
  }
}

TEST_F(ServiceTest, STP_09_AReloadIsToldAndEndsInReadiness) {
  configure();
  const auto daemon = start(TENURED);
  EXPECT_TRUE(manager_.hears("STATUS=dispatching"));
  daemon->signal(SIGHUP);
  EXPECT_TRUE(manager_.hears("RELOADING=1"));
  EXPECT_TRUE(wait_until([&] {
    const std::string& heard = manager_.heard();
    return heard.find("READY=1", heard.find("RELOADING=1")) != std::string::npos;
  }));
}

TEST_F(ServiceTest, STP_07_TheTimeToStopIsExtendedWhileAJobRuns) {
  configure();
  const auto daemon = start(TENURED);
  const auto job = enqueue(Wait{"slow"});
  static_cast<void>(wait_for_start_of("slow"));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(manager_.hears("STOPPING=1"));
  EXPECT_TRUE(manager_.hears("EXTEND_TIMEOUT_USEC=10000000"));
  let_go("slow");
  EXPECT_EQ(daemon->wait(), "exit 0");
  expect_state(job, queue::ShownState::succeeded);
}

TEST_F(ServiceTest, STP_07_WhoStandsByIsReadyAndNamesTheHolder) {
  configure();
  const auto first = start_daemon();
  const auto second = start(TENURED);
  EXPECT_TRUE(manager_.hears("READY=1"));
  EXPECT_NE(manager_.heard().find("STATUS=standing by: "), std::string::npos) << manager_.heard();
  EXPECT_NE(manager_.heard().find(std::to_string(first->pid())), std::string::npos) << manager_.heard();
  first->signal(SIGKILL);
  EXPECT_TRUE(manager_.hears("STATUS=dispatching"));
}

TEST_F(ServiceTest, STP_08_SignsOfLifeComeWhileAJobKeepsItsProcessBusy) {
  configure();
  const auto daemon = start(TENURED, {"WATCHDOG_USEC=400000"});
  EXPECT_TRUE(manager_.hears("READY=1"));
  static_cast<void>(enqueue(Spin{"busy"}));
  static_cast<void>(wait_for_start_of("busy"));
  const auto signs = [&] {
    const std::string& heard = manager_.heard();
    std::size_t count = 0;
    for (std::size_t at = heard.find("WATCHDOG=1"); at != std::string::npos;
         at = heard.find("WATCHDOG=1", at + 1))
      ++count;
    return count;
  };
  const std::size_t before = signs();
  EXPECT_TRUE(wait_until([&] { return signs() >= before + 3; }));
}

TEST_F(ServiceTest, WhatJobsStartHearsNothingOfTheServiceManager) {
  configure();
  for (const std::string& program : {std::string{TENURED}, std::string{WORKER_PROGRAM}}) {
    const auto daemon = start(program, {"WATCHDOG_USEC=60000000"});
    expect_state(enqueue(Meddle{"children_environment"}), queue::ShownState::succeeded);
    std::ifstream file(folder_ / "environment");
    const std::string environment{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(environment.find("TENURE_CONFIG="), std::string::npos) << environment;
    EXPECT_EQ(environment.find("NOTIFY_SOCKET"), std::string::npos) << environment;
    EXPECT_EQ(environment.find("WATCHDOG_"), std::string::npos) << environment;
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->wait(), "exit 0");
  }
}

TEST_F(ServiceTest, AWatchdogOfAnotherProcessIsNotAnswered) {
  configure();
  const auto daemon = start(TENURED, {"WATCHDOG_USEC=400000", "WATCHDOG_PID=1"});
  EXPECT_TRUE(manager_.hears("READY=1"));
  EXPECT_EQ(manager_.heard().find("WATCHDOG=1"), std::string::npos) << manager_.heard();
}

TEST_F(ServiceTest, WithoutAListenerItDispatchesAndSaysSoOnce) {
  configure();
  const auto daemon = std::make_unique<Process>(
      std::vector<std::string>{TENURED, "--config", config_file()}, folder_ / "alone.log",
      std::vector<std::string>{"NOTIFY_SOCKET=" + (folder_ / "nobody").string()});
  const auto job = enqueue(Wait{"done"});
  let_go("done");
  expect_state(job, queue::ShownState::succeeded);
  EXPECT_TRUE(wait_until([&] { return daemon->output().find("service.not_told") != std::string::npos; }));
}

}  // namespace
}  // namespace tenure::testing
