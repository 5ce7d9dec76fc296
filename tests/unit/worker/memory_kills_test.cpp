#include <gtest/gtest.h>

#include <supervisor/memory_kills.hpp>

namespace tenure::daemon {
namespace {

TEST(MemoryKills, AreReadByTheirNameAtTheBeginningOfALine) {
  EXPECT_EQ(memory_kills_in("nr_free_pages 5\noom_kill 42\nnuma_hit 7\n"), 42);
  EXPECT_EQ(memory_kills_in("nr_free_pages 5\noom_kill 0\n"), 0);
  EXPECT_FALSE(memory_kills_in("nr_free_pages 5\nno_oom_kill 42\n"));
  EXPECT_FALSE(memory_kills_in("nr_free_pages 5\noom_kill x\n"));
  EXPECT_FALSE(memory_kills_in(""));
}

}  // namespace
}  // namespace tenure::daemon
