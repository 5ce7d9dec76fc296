#include "installation.hpp"
#include "probing.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gmock/gmock.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <set>
#include <support/prometheus_text.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <utility>

// Whoever asks a daemon how it is.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;

// Another process that has the control database to itself, as the daemon sees it.
class StoreHolder {
 public:
  explicit StoreHolder(const std::filesystem::path& control) {
    std::unique_lock lock(mutex_);
    thread_ = std::thread([this, control] { hold(control); });
    changed_.wait(lock, [this] { return is_held_; });
  }
  ~StoreHolder() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  StoreHolder(const StoreHolder&) = delete;
  StoreHolder& operator=(const StoreHolder&) = delete;

 private:
  void hold(const std::filesystem::path& control) {
    const RealClock clock;
    const auto store = queue::open_sqlite_store({.path = control}, clock);
    store->write(queue::Durability::ordered, [&](queue::StoreWriter&) {
      std::unique_lock lock(mutex_);
      is_held_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_over_; });
    });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false;
  bool is_over_ = false;
  std::thread thread_;
};

class ProbeTest : public Installation {
 protected:
  ProbeTest() {
    configure();
    std::ofstream(config_file(), std::ios::app)
        << "[http]\nprobe_listen = \"unix:" << socket_.string() << "\"\n";
  }
  [[nodiscard]] int status_of(const std::string& path) const { return ask(socket_, path).status; }
  [[nodiscard]] bool becomes(const std::string& path, int status) const {
    return wait_until([&] { return status_of(path) == status; });
  }
  std::filesystem::path socket_ = folder_ / "probe.sock";
};

TEST_F(ProbeTest, OBS_03_ReadyIsFalseWhileTheStoreIsGoneAndRecoversAlone) {
  const auto daemon = start_daemon();
  EXPECT_TRUE(becomes("/health/ready", 200)) << ask(socket_, "/health/ready").body;
  EXPECT_EQ(status_of("/health/started"), 200);
  const auto job = enqueue(Wait{"slow"});
  static_cast<void>(wait_for_start_of("slow"));
  {
    const StoreHolder holder(control());
    let_go("slow");  // its end can be stored nowhere
    EXPECT_TRUE(becomes("/health/ready", 503));
    EXPECT_THAT(ask(socket_, "/health/ready").body, HasSubstr(R"("store":{"ok":false)"));
    EXPECT_EQ(status_of("/health/live"), 200);
    EXPECT_EQ(status_of("/metrics"), 200);
  }
  EXPECT_TRUE(becomes("/health/ready", 200)) << ask(socket_, "/health/ready").body;
  expect_state(job, ShownState::succeeded);
}

// The age of the loop's last tick, in seconds, as /health/live says it.
double age_of_loop(const std::string& body) {
  constexpr std::string_view kAge = R"("age_s":)";
  const std::size_t loop = body.find(R"("loop":)");
  const std::size_t age = loop == std::string::npos ? loop : body.find(kAge, loop);
  return age == std::string::npos ? -1 : std::stod(body.substr(age + kAge.size()));
}

// A loop that did not turn would be called stuck after 10 s, and ended by its service manager; what it is told waits until it is there.
TEST_F(ProbeTest, WhileTheStoreThatIsToBeOpenedIsHeldByAnotherProcessTheLoopTicks) {
  start_daemon()->signal(SIGTERM);
  auto holder = std::make_unique<StoreHolder>(control());
  const auto daemon = start_daemon(false);
  ASSERT_TRUE(becomes("/health/live", 200));
  double last = -1;
  EXPECT_TRUE(wait_until([&] {
    const double age = age_of_loop(ask(socket_, "/health/live").body);
    return std::exchange(last, age) > age;
  })) << "it has ticked again";
  EXPECT_EQ(status_of("/health/started"), 503);
  daemon->signal(SIGTERM);
  holder.reset();
  EXPECT_EQ(daemon->wait(), "exit 0");
}

// The service manager would kill it after its patience, and the next start take what it never had for what it died under.
TEST_F(ProbeTest, AStopIsObeyedWhileTheStoreThatIsToBeOpenedIsHeldByAnotherProcess) {
  start_daemon()->signal(SIGTERM);
  const StoreHolder holder(control());
  for (const int signal : {SIGTERM, SIGQUIT}) {
    const auto daemon = start_daemon(false);
    ASSERT_TRUE(becomes("/health/live", 200));
    ASSERT_EQ(status_of("/health/started"), 503);
    daemon->signal(signal);
    EXPECT_EQ(daemon->wait(), "exit 0") << "the store is held still";
    EXPECT_THAT(daemon->output(), HasSubstr("daemon.stopping"));
  }
}

TEST_F(ProbeTest, WhoStandsByLivesAndIsNotReadyUntilItTakesOver) {
  const auto first = start_daemon();
  EXPECT_TRUE(becomes("/health/ready", 200));
  const auto other = folder_ / "other.sock";
  const Process second(std::vector<std::string>{TENURED, "--config", config_file()}, folder_ / "second.log",
                       {"TENURE_HTTP_PROBE_LISTEN=unix:" + other.string()});
  EXPECT_TRUE(wait_until([&] { return ask(other, "/health/live").status == 200; }));
  EXPECT_EQ(ask(other, "/health/ready").status, 503);
  EXPECT_THAT(ask(other, "/health/ready").body, HasSubstr(R"("lock":{"ok":false)"));
  EXPECT_EQ(ask(other, "/health/started").status, 503);
  first->signal(SIGKILL);
  EXPECT_TRUE(wait_until([&] { return ask(other, "/health/ready").status == 200; }));
}

TEST_F(ProbeTest, OneThatStandsByOnTheSameSocketTakesItOverToo) {
  const auto first = start_daemon();
  EXPECT_TRUE(becomes("/health/ready", 200));
  const auto second = start_daemon(false);
  EXPECT_TRUE(wait_until([&] { return second->output().find("probe.waiting") != std::string::npos; }));
  first->signal(SIGKILL);
  EXPECT_EQ(first->wait(), "signal 9");
  EXPECT_TRUE(becomes("/health/ready", 200)) << second->output();
}

TEST_F(ProbeTest, AFileThatHasItsPathStaysAndEndsTheStart) {
  std::ofstream(socket_) << "mine";
  const auto daemon = start_daemon(false);
  EXPECT_EQ(daemon->wait(), "exit 78");
  EXPECT_THAT(daemon->output(), HasSubstr("it is a file, which is left as it is"));
  EXPECT_EQ(std::filesystem::file_size(socket_), 4U);
}

TEST_F(ProbeTest, OBS_04_MetricsOfADaemonAreValidTextAndCountItsJobs) {
  const auto daemon = start_daemon();
  for (const char* const name : {"a", "b", "c"}) expect_state(enqueue(Count{name}), ShownState::succeeded);
  const auto page = [&] { return PrometheusText(ask(socket_, "/metrics").body); };
  const std::string finished =
      R"(tenure_attempts_finished_total{queue="default",kind="test.count",outcome="succeeded"})";
  EXPECT_TRUE(wait_until([&] { return page().has(finished) && page().value(finished) == 3; }))
      << ask(socket_, "/metrics").body;
  EXPECT_TRUE(wait_until([&] { return page().has(R"(tenure_tenants{state="active"})"); }))
      << "the store is looked at";
  EXPECT_EQ(page().value(R"(tenure_tenants{state="active"})"), 1);
  EXPECT_EQ(page().value("tenure_lock_held"), 1);
  EXPECT_EQ(page().value(R"(tenure_worker_processes{pool="general",state="ready"})"), 1);
}

TEST_F(ProbeTest, SEC_10_TwoHundredSlowClientsStopNeitherProbesNorJobs) {
  const auto daemon = start_daemon();
  EXPECT_TRUE(becomes("/health/ready", 200));
  std::vector<Descriptor> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(connected_to(socket_));
    ASSERT_TRUE(slow.back().is_open());
    static_cast<void>(::send(slow.back().number(), "GET /m", 6, MSG_NOSIGNAL));
  }
  expect_state(enqueue(Count{"beside"}), ShownState::succeeded);
  EXPECT_EQ(status_of("/health/ready"), 200);
  EXPECT_EQ(status_of("/metrics"), 200);
}

std::set<std::string> sockets_of(pid_t process) {
  std::set<std::string> sockets;
  std::error_code is_closed_by_now;
  for (const auto& descriptor :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
    const std::string what = std::filesystem::read_symlink(descriptor, is_closed_by_now).string();
    if (what.starts_with("socket:")) sockets.insert(what);
  }
  return sockets;
}

TEST_F(ProbeTest, ItsSocketsAreNotHandedOnAndItsFileGoesWithIt) {
  const auto daemon = start_daemon();
  EXPECT_TRUE(becomes("/health/ready", 200));
  const Descriptor open_while_a_worker_starts = connected_to(socket_);
  const auto before = children_of(daemon->pid());
  for (const pid_t worker : before) ::kill(worker, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    const auto now = children_of(daemon->pid());
    return !now.empty() && now != before && status_of("/health/ready") == 200;
  }));
  const auto ours = sockets_of(daemon->pid());
  for (const pid_t worker : children_of(daemon->pid()))
    for (const std::string& socket : sockets_of(worker)) EXPECT_FALSE(ours.contains(socket)) << socket;
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

}  // namespace
}  // namespace tenure::testing
