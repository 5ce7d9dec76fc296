#include "once_world.hpp"
#include "support/shim_vfs.hpp"
#include "twice_killed.hpp"

#include <cstdio>
#include <filesystem>

// A process that performs a job, and the one that comes after it, are killed at each point, in both files: around `once`, the finish with its
// rows, their deletion and a sweep.
namespace tenure::testing {
namespace {

class OnceKills : public TwiceKilled<OnceProcess> {
 protected:
  static void look(const std::filesystem::path& at) {
    const ShimVfs shim(without_sync);
    expect_once(at);
  }
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
