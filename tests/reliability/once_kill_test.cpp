#include "once_world.hpp"
#include "support/copy_folder.hpp"
#include "support/in_child.hpp"
#include "support/shim_vfs.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <unistd.h>

// kill -9 before each write, sync, truncation and removal of a process that performs a job, and of the one that comes after it, in both
// files: around `once`, the finish with its rows, their deletion and a sweep.
namespace tenure::testing {
namespace {

// What a kill leaves lies in memory anyway, and there thousands of files cost no disk.
struct PrefersMemory {
  PrefersMemory() {
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
  }
};

class OnceKills : private PrefersMemory, public ::testing::Test {
 protected:
  OnceKills() {
    std::filesystem::create_directory(original_);
    OnceProcess{original_}.make();
  }

  // A process that works in a copy of that folder is killed at its point-th call; false where it has ended before.
  bool is_killed_at(int point, const std::filesystem::path& from, const std::filesystem::path& into) {
    std::filesystem::remove_all(into);
    copy_folder(from, into);
    const auto token = into / "killed";
    const int end = in_child([&] {
      int calls = 0;
      const ShimVfs shim([&](const ShimVfs::Event& event) {
        if (event.call == ShimVfs::Call::read || event.call == ShimVfs::Call::unfetch) return 0;
        if (++calls == point) {
          std::ofstream{token};
          ::kill(::getpid(), SIGKILL);
        }
        // What was written outlives a kill.
        return event.call == ShimVfs::Call::sync ? ShimVfs::kLeftOut : 0;
      });
      OnceProcess{into}.work();
      return 0;
    });
    const bool is_killed = std::filesystem::remove(token);
    EXPECT_NE(is_killed, end == 0) << "neither killed nor done: " << end;
    kills_ += is_killed ? 1 : 0;
    return is_killed;
  }
  void look(const std::filesystem::path& at) {
    const ShimVfs shim([](const ShimVfs::Event& event) {
      return event.call == ShimVfs::Call::sync ? ShimVfs::kLeftOut : 0;
    });
    expect_once(at);
  }
  // fn(point) from `first` on until it has not killed.
  static void each_point(int first, int stride, const std::function<bool(int)>& fn) {
    for (int point = first; point < kPointsMax; point += stride) {
      SCOPED_TRACE(point);
      if (!fn(point) || HasFailure()) return;
    }
    ADD_FAILURE() << "more points than there are";
  }

  static constexpr int kPointsMax = 1000;
  TemporaryFolder folder_;
  std::filesystem::path original_ = folder_ / "original";
  std::filesystem::path first_ = folder_ / "first";
  std::filesystem::path second_ = folder_ / "second";
  int kills_ = 0;
};

TEST_F(OnceKills, RUN_01_AtAThousandPointsAroundOnceAndFinishEffectAndJobsAreThereExactlyOnce) {
  constexpr int kKillsMin = 1000;
  constexpr int kStride = 7;  // of the second kills, which begin elsewhere each time
  each_point(1, 1, [&](int point) {
    const bool is_killed = is_killed_at(point, original_, first_);
    if (is_killed)
      each_point(1 + point % kStride, kStride, [&](int next) {
        const bool is_killed_again = is_killed_at(next, first_, second_);
        look(second_);
        return is_killed_again;
      });
    return is_killed;
  });
  std::printf("kills=%d\n", kills_);
  EXPECT_GE(kills_, kKillsMin) << "or it is not shown";
}

}  // namespace
}  // namespace tenure::testing
