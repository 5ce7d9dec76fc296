#include "once_world.hpp"
#include "support/shim_vfs.hpp"
#include "unsynced_files.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <map>

// Power cuts that drop what nobody has synced, in the tenant's file and the control database at once, before each write and sync of a
// process that performs a job.
namespace tenure::testing {
namespace {

class OncePowerCuts : public ::testing::Test {
 protected:
  using Work = std::function<void(OnceProcess&)>;

  OncePowerCuts() {
    std::filesystem::create_directory(now_);
    OnceProcess{now_}.make();
    made_ = UnsyncedFiles{now_}.image({});
  }

  // `prepare` by a process of its own, which then is no more but whose unsynced writes are; cuts before each call of `work`, and behind it.
  void cut_everywhere(const Work& prepare) {
    for (const auto& [image, event] : cuts_of(prepare)) {
      SCOPED_TRACE("event " + std::to_string(event));
      UnsyncedFiles::put(image, after_);
      look_at_finish();
      expect_once(after_);
      ++cuts_;
      if (HasFailure()) return;
    }
  }
  // As the files are when the power is back, and before anybody has gone on.
  void look_at_finish() {
    OnceProcess process{after_};
    ++succeeded_[static_cast<std::size_t>(process.succeeded())];
    process.expect_effects_of_succeeded();
  }

  int cuts_ = 0;
  std::array<int, 3> succeeded_{};  // behind how many cuts none, one, both of the jobs had
  void print() const {
    std::printf("power cuts=%d succeeded: none=%d one=%d both=%d\n", cuts_, succeeded_[0], succeeded_[1],
                succeeded_[2]);
  }

  TemporaryFolder folder_;
  std::filesystem::path now_ = folder_ / "now";

 private:
  static constexpr std::array<UnsyncedFiles::Kept, 4> kKept{{{0, 0}, {1, 0}, {0, 1}, {0.5, 0.5}}};

  std::map<UnsyncedFiles::Image, int> cuts_of(const Work& prepare) {
    UnsyncedFiles::put(made_, now_);
    UnsyncedFiles files{now_};
    std::map<UnsyncedFiles::Image, int> cuts;
    bool is_armed = false;
    int events = 0;
    const ShimVfs shim([&](const ShimVfs::Event& event) {
      if (event.call == ShimVfs::Call::read || event.call == ShimVfs::Call::unfetch) return 0;
      files.note(event);
      if (!is_armed) return 0;
      ++events;
      for (const UnsyncedFiles::Kept& kept : kKept) cuts.try_emplace(files.image(kept), events);
      return 0;
    });
    OnceProcess killed{now_};
    killed.begin_logs();
    prepare(killed);
    OnceProcess process{now_};
    is_armed = true;
    process.work();
    EXPECT_TRUE(process.is_done());
    for (const UnsyncedFiles::Kept& kept : kKept) cuts.try_emplace(files.image(kept), ++events);
    is_armed = false;
    return cuts;
  }

  std::filesystem::path after_ = folder_ / "after";
  UnsyncedFiles::Image made_;
};

TEST_F(OncePowerCuts, RUN_22_AFinishIsNeverThereWithoutWhatItsJobHasDone) {
  cut_everywhere([](OnceProcess&) {});
  print();
  for (const int times : succeeded_) EXPECT_GT(times, 0);
}

// The next run finds a receipt that is visible and not on disk.
TEST_F(OncePowerCuts, RUN_22_NorWhereTheRunBeforeWasKilledBetweenCommitAndSync) {
  cut_everywhere([](OnceProcess& process) { process.pay_without_sync(); });
  print();
  EXPECT_GT(succeeded_[1], 5);
  EXPECT_GT(succeeded_[2], 0);
}

}  // namespace
}  // namespace tenure::testing
