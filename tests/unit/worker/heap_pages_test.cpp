#include "support/sanitized.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <supervisor/heap_pages.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

// Whether some part of this process's heap is marked for huge pages.
bool prefers_huge_pages() {
  std::ifstream maps("/proc/self/smaps");
  bool is_heap = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("[heap]") != std::string::npos) is_heap = true;
    if (!is_heap || !line.starts_with("VmFlags:")) continue;
    if ((line + ' ').find(" hg ") != std::string::npos) return true;
    is_heap = false;
  }
  return false;
}

TEST(HeapPages, AreHugeOnesWhereTheKernelHasThem) {
  if (testing::kIsSanitized) GTEST_SKIP() << "not run here: a sanitizer has a heap of its own";
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage"))
    GTEST_SKIP() << "not run here: the kernel has no huge pages for programs that ask";
  ASSERT_FALSE(prefers_huge_pages());
  const pid_t child = ::fork();
  if (child == 0) {
    prefer_huge_pages();
    ::_exit(prefers_huge_pages() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace tenure::daemon
