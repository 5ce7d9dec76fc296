#include "program.hpp"

#include <tenure/queue/sqlite_store.hpp>

// How the command line tells jobs that no worker process can perform.
namespace tenure::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Held : public Program {
 protected:
  // One job that can be performed, and one for each reason why not.
  void add_jobs() {
    add_job(1, "none", "mail.send");
    add_job(2, "none", "mail.sned");
    add_job(3, "none", "mail.send", "{}", {}, "exports");
    add_job(4, "none", "mail.send", "{}", {}, "reports");
    tell_pools({{"general", {"default"}, 2, {"mail.send"}}, {"heavy", {"reports"}, 0, {}}});
  }
};

TEST_F(Held, RTY_05_TheListSaysWhatEachHeldJobWaitsFor) {
  add_jobs();
  EXPECT_EQ(run({"job", "list", "--columns", "kind,queue,state,waits_for"}), 0);
  EXPECT_EQ(output.out,
            "KIND       QUEUE    STATE  WAITS FOR\n"
            "mail.send  reports  held   a worker of its pool (pool_without_worker)\n"
            "mail.send  exports  held   a pool that lists the queue (queue_without_pool)\n"
            "mail.sned  default  held   a worker that knows the kind (kind_unknown)\n"
            "mail.send  default  ready\n");
}

TEST_F(Held, RTY_05_FiltersAndCountsKnowTheReasons) {
  add_jobs();
  EXPECT_EQ(run({"job", "count", "state=held"}), 0);
  EXPECT_EQ(output.out, "3\n");
  EXPECT_EQ(run({"job", "count", "reason=kind_unknown"}), 0);
  EXPECT_EQ(output.out, "1\n");
  EXPECT_EQ(run({"job", "count", "state=ready", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("count":1)"));
  EXPECT_EQ(run({"queue", "list", "held=1.."}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("default"), HasSubstr("exports"), HasSubstr("reports")));
}

TEST_F(Held, RTY_05_ShowSaysItAsTextAndAsJson) {
  add_jobs();
  EXPECT_EQ(run({"job", "show", job_id(2).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("state      held, a worker that knows the kind (kind_unknown)\n"));
  EXPECT_EQ(run({"job", "show", job_id(3).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("state":"held","reason":"queue_without_pool")"));
}

// The next one may have other pools, so nothing is said of kinds and queues.
TEST_F(Held, RTY_05_WithoutADispatcherReadyJobsAreReadyAndShowSaysThatNoneRuns) {
  add_job(1, "none", "mail.sned");
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("state      ready, no dispatcher is seen to run\n"));
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out,
              AllOf(HasSubstr(R"("state":"ready","reason":"none")"), HasSubstr(R"("has_dispatcher":false)")));
}

}  // namespace
}  // namespace tenure::cli
