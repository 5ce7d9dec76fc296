#pragma once

#include "support/copy_folder.hpp"
#include "support/in_child.hpp"
#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <unistd.h>

// kill -9 before each write, sync, truncation and removal of a process, and of the one that comes after it, over copies of one folder.
namespace tenure::testing {

// What a kill leaves lies in memory anyway, and there thousands of files cost no disk.
struct PrefersMemory {
  PrefersMemory() {
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
  }
};

// `Process` opens the files of a folder: make() what the first one finds there, work() until all is done.
template <class Process>
class TwiceKilled : private PrefersMemory, public ::testing::Test {
 protected:
  TwiceKilled() {
    std::filesystem::create_directory(original_);
    Process{original_}.make();
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
        return without_sync(event);
      });
      Process{into}.work();
      return 0;
    });
    const bool is_killed = std::filesystem::remove(token);
    EXPECT_NE(is_killed, end == 0) << "neither killed nor done: " << end;
    kills_ += is_killed ? 1 : 0;
    return is_killed;
  }
  // What was written outlives a kill.
  static int without_sync(const ShimVfs::Event& event) {
    return event.call == ShimVfs::Call::sync ? ShimVfs::kLeftOut : 0;
  }
  // fn(point) from `first` on until it has not killed.
  static void each_point(int first, int stride, const std::function<bool(int)>& fn) {
    constexpr int kPointsMax = 3000;
    for (int point = first; point < kPointsMax; point += stride) {
      SCOPED_TRACE(point);
      if (!fn(point) || HasFailure()) return;
    }
    ADD_FAILURE() << "more points than there are";
  }

  TemporaryFolder folder_;
  std::filesystem::path original_ = folder_ / "original";
  std::filesystem::path first_ = folder_ / "first";
  std::filesystem::path second_ = folder_ / "second";
  int kills_ = 0;
};

}  // namespace tenure::testing
