#include "installation.hpp"

#include <tenure/queue/batch.hpp>

#include <csignal>

// Batches under tenured, which dies while a member runs.
namespace tenure::testing {
namespace {

using queue::BatchMoment;
using queue::JobId;
using queue::ShownState;

class BatchTest : public Installation {};

TEST_F(BatchTest, ItsCallbacksRunOnceAlsoWhereTheDaemonIsKilledUnderAMember) {
  configure();
  auto daemon = start_daemon();
  const BatchId batch = with_tenant("acme", [&] {
    return client().open_batch(
        {.name = "import", .on_complete = Count{"complete"}, .on_success = Count{"success"}});
  });
  const JobId counts = enqueue(Count{"member"}, {.batch = batch});
  const JobId runs = enqueue(Wait{.name = "runs"}, {.batch = batch});
  client().close_batch(batch);
  static_cast<void>(wait_for_start_of("runs"));
  expect_state(counts, ShownState::succeeded);
  EXPECT_FALSE(client().batch(batch)->is_complete);
  daemon->signal(SIGKILL);
  static_cast<void>(daemon->wait());
  daemon = start_daemon();
  let_go("runs");
  expect_state(runs, ShownState::succeeded);
  for (const BatchMoment moment : {BatchMoment::complete, BatchMoment::success})
    expect_state(job_id_of_callback(batch, moment), ShownState::succeeded);
  EXPECT_EQ(runs_of("complete"), 1);
  EXPECT_EQ(runs_of("success"), 1);
  EXPECT_EQ(tenure({"batch", "show", batch.text()}), "exit 0") << output_;
  EXPECT_NE(output_.find("2: 2 succeeded"), std::string::npos) << output_;
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0") << daemon->output();
  EXPECT_NE(daemon->output().find("batch.complete"), std::string::npos) << daemon->output();
}

}  // namespace
}  // namespace tenure::testing
