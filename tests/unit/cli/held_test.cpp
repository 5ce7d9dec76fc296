#include "program.hpp"

#include <fstream>

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

// A daemon with this configuration would serve none of them.
class HeldByConfig : public Held {
 protected:
  void configure(std::string_view pools) {
    const auto file = folder / "tenure.toml";
    std::ofstream(file) << "[store]\npath = \"%{config_dir}/control.db\"\n"
                           "[tenants]\npath = \"%{config_dir}/%{tenant}.db\"\n"
                        << pools;
    std::filesystem::permissions(file, std::filesystem::perms{0644});
  }
  static constexpr std::string_view kPool =
      "[[pool]]\nname = \"general\"\nprogram = \"/bin/true\"\nqueues = [\"default\"]\n";
};

TEST_F(HeldByConfig, RTY_05_ConfigCheckWarnsOfQueuesThatHoldJobsAndThatNoPoolLists) {
  configure(kPool);
  add_job(1, "none", "mail.send");
  add_job(2, "none", "mail.send", "{}", {}, "exports");
  add_job(3, "none", "mail.send", "{}", std::chrono::hours{1}, "exports");
  add_job(4, "none", "mail.send", "{}", {}, "done");
  succeed(4);
  EXPECT_EQ(run({"config", "check"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("warn  the control database: pool.queues: no pool lists the queue exports, "
                        "in which 2 jobs wait\n"));
  EXPECT_THAT(output.out, AllOf(Not(HasSubstr("default, in")), Not(HasSubstr("done"))));
  tell_pools(
      {{"general", {"default"}, 0, {}}, {"heavy", {"reports"}, 1, {"a"}, {"default", "exports", "mail"}}});
  EXPECT_EQ(run({"config", "check"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("no pool lists the queue mail, to which a kind of the worker program sends "
                        "its jobs\n"));
  EXPECT_THAT(output.out, AllOf(Not(HasSubstr("exports, to")), Not(HasSubstr("default, to"))));
  EXPECT_EQ(run({"config", "check", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("warnings":[{"where":"the control database","key":"pool.queues",)"));
}

TEST_F(HeldByConfig, ConfigCheckLooksAtNoJobsWithoutPoolsOrWithoutADatabase) {
  add_job(1, "none", "mail.send", "{}", {}, "exports");
  configure("");
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(output.out, Not(HasSubstr("exports")));
  configure(kPool);
  environment.look_at_store = [](const std::filesystem::path&) -> std::shared_ptr<queue::ReadableStore> {
    raise(ErrorCode::database_missing, "there is none");
  };
  EXPECT_EQ(run({"config", "check"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("control database")));
  environment.look_at_store = [](const std::filesystem::path&) -> std::shared_ptr<queue::ReadableStore> {
    raise(ErrorCode::schema_mismatch, "it is older");
  };
  EXPECT_EQ(run({"config", "check"}), 78) << "a daemon would not start";
  EXPECT_THAT(output.out, HasSubstr("FAIL  the control database: SchemaMismatch: it is older"));
}

}  // namespace
}  // namespace tenure::cli
