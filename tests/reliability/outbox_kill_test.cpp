#include "outbox_world.hpp"
#include "support/copy_folder.hpp"
#include "support/in_child.hpp"
#include "support/shim_vfs.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

// kill -9 before each write, sync, truncation and removal in both files, of an application's transaction with two jobs and of a sweep.
namespace tenure::testing {
namespace {

class OutboxKills : public ::testing::Test {
 protected:
  OutboxKills() {
    std::filesystem::create_directory(original_);
    OutboxProcess{original_}.make_tenant();
  }

  // True where `work` was killed at its point-th call; false where it has ended before.
  bool is_killed_at(int point, const std::function<void(OutboxProcess&)>& work) {
    constexpr int kRefused = 1;
    const int end = in_child([&] {
      int calls = 0;
      bool is_armed = false;
      const ShimVfs shim([&](const ShimVfs::Event& event) {
        if (is_armed && event.call != ShimVfs::Call::read && event.call != ShimVfs::Call::unfetch &&
            ++calls == point)
          ::kill(::getpid(), SIGKILL);
        return 0;
      });
      try {
        OutboxProcess process{now_};
        is_armed = true;
        work(process);
        std::ofstream(now_ / "returned").flush();
        ::_exit(0);  // as it stands
      } catch (const Error& error) {
        std::fprintf(stderr, "point %d: %s\n", point, error.what());
        return kRefused;
      }
    });
    EXPECT_NE(end, kRefused);
    return end != 0;
  }
  void begin_anew(const std::filesystem::path& from) const {
    std::filesystem::remove_all(now_);
    copy_folder(from, now_);
  }
  // Killed at each of its calls.
  int kill_everywhere(const std::filesystem::path& from, const std::function<void(OutboxProcess&)>& work) {
    int point = 1;
    for (bool is_killed = true; is_killed && !HasFailure(); ++point) {
      SCOPED_TRACE(point);
      if (point == kPointsMax) ADD_FAILURE() << "more points than there are";
      begin_anew(from);
      is_killed = is_killed_at(point, work);
      ++(expect_together(now_, std::filesystem::exists(now_ / "returned")) == Remains::all ? with_all_
                                                                                           : with_nothing_);
    }
    return point - 2;
  }

  static constexpr int kPointsMax = 2000;
  TemporaryFolder folder_;
  std::filesystem::path original_ = folder_ / "original";
  std::filesystem::path now_ = folder_ / "now";
  int with_all_ = 0;
  int with_nothing_ = 0;
};

TEST_F(OutboxKills, ATransactionAndItsJobsAreThereTogetherOrNeitherIs) {
  const int points = kill_everywhere(original_, [](OutboxProcess& process) { process.pay(); });
  std::printf("%d points: both there %d times, neither %d times\n", points, with_all_, with_nothing_);
  EXPECT_GT(points, 20);
  EXPECT_GT(with_all_, 5);
  EXPECT_GT(with_nothing_, 5);
}

// Its rows are in the file, and nobody has relayed them.
TEST_F(OutboxKills, OBX_03_ARelayThatIsKilledAnywhereAlsoBeforeItDeletesLeavesEachJobOnce) {
  const auto waiting = folder_ / "waiting";
  copy_folder(original_, waiting);
  OutboxProcess{waiting}.pay_without_relay();
  const int points = kill_everywhere(waiting, [](OutboxProcess& process) { process.sweep(); });
  std::printf("%d points, both there after each\n", points);
  EXPECT_GT(points, 10);
  EXPECT_EQ(with_nothing_, 0);
  const int of_relay = kill_everywhere(waiting, [](OutboxProcess& process) { process.relay(); });
  EXPECT_GT(of_relay, 5);
  EXPECT_EQ(with_nothing_, 0);
}

}  // namespace
}  // namespace tenure::testing
