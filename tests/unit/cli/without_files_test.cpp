#include "file_program.hpp"

#include <filesystem>
#include <string>

// What operators do while the tenants' databases are away.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

using WithoutFiles = FileProgram;

TEST_F(WithoutFiles, REG_14_JobsAreListedCountedShownRetriedAndDiscardedAndNoFileIsOpened) {
  EXPECT_EQ(run({"tenant", "create", "acme", "beta"}), 0) << output.error;
  for (const int seed : {1, 2, 3}) add_job(seed, "acme", "mail.send");
  die(1);
  fail_once(2, "no answer");
  // Whoever opened one would fail, or make it.
  std::filesystem::remove_all(folder / "tenants");
  EXPECT_EQ(run({"job", "list", "tenant=acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(job_id(3).text()));
  EXPECT_EQ(run({"job", "count", "tenant=acme"}), 0) << output.error;
  EXPECT_EQ(output.out, "3\n");
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0) << output.error;
  EXPECT_EQ(run({"why", job_id(2).text()}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "list"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "show", "beta"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "pause", "beta"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "resume", "beta"}), 0) << output.error;
  EXPECT_EQ(run({"job", "retry", job_id(1).text(), "--yes"}), 0) << output.error;
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(run({"job", "discard", job_id(2).text(), "--yes"}), 0) << output.error;
  EXPECT_EQ(job(2).state, queue::ShownState::discarded);
  EXPECT_FALSE(std::filesystem::exists(folder / "tenants"));
}

}  // namespace
}  // namespace tenure::cli
