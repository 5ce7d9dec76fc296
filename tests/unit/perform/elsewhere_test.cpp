#include "generations.hpp"

#include <tenure/base/log.hpp>
#include <tenure/jobs/bind_tenant.hpp>
#include <tenure/queue/outbox.hpp>

#include <gmock/gmock.h>

#include <future>
#include <string>
#include <vector>

// Whose the jobs are that a handler enqueues.
namespace tenure::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Elsewhere : public Generations {
 protected:
  Elsewhere() { log::capture_for_test(&lines_); }
  ~Elsewhere() override { log::capture_for_test(nullptr); }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

  // Enqueued and not performed, and whose they are.
  std::vector<std::string> waiting() {
    std::vector<std::string> found;
    store_->read([&](queue::JobReader& reader) {
      for (const queue::JobRecord& job : reader.list_jobs({}, {.limit = 1000}, clock_.wall()).jobs)
        if (!job.claim)
          found.push_back((job.tenant ? job.tenant->text() : "none") + '.' +
                          std::to_string(job.generation.value));
    });
    return found;
  }
  std::vector<std::string> said() {
    std::vector<std::string> found;
    for (const std::string& line : lines_)
      if (line.find(" job.enqueued_elsewhere ") != std::string::npos) found.push_back(line);
    lines_.clear();
    return found;
  }

  std::vector<std::string> lines_;
};

TEST_F(Elsewhere, CTX_13_AHandlersJobsAreOfItsTenantAndGenerationAndOfAnotherOneOnlyWithPermissionAndALine) {
  const TenantName acme{"acme"};
  begin_anew(acme);
  const Generation third = begin_anew(acme);
  ASSERT_EQ(third, Generation{3});

  // In a step they come with the tenant's commit, by a client at once.
  const Ended own = ended("acme", [&](JobContext& context) {
    context.once("spawn", [](JobTransaction& transaction) { transaction.enqueue(PayAll{}); });
    client_.enqueue(PayAll{});
    client_.enqueue_all(std::vector<PayAll>(2));
  });
  EXPECT_EQ(own.failure_or_none(), std::nullopt);
  ASSERT_TRUE(own.end.outbox);
  EXPECT_EQ(own.end.outbox->owner, (queue::OutboxOwner{acme, third}));
  ASSERT_THAT(own.end.outbox->rows.rows, SizeIs(1));
  const auto child =
      value_or_raise(queue::read_outbox_row(own.end.outbox->rows.rows[0].text, own.end.outbox->owner, {}));
  EXPECT_EQ(child.tenant, acme);
  EXPECT_EQ(child.generation, third);
  EXPECT_THAT(waiting(), ElementsAre("acme.3", "acme.3", "acme.3"));
  EXPECT_THAT(said(), IsEmpty());

  // What outlives its generation enqueues nothing for the next one.
  const Ended outlived = ended("acme", [&](JobContext&) {
    without_tenant([&] { EXPECT_EQ(begin_anew(acme), Generation{4}); });
    EXPECT_THROW(client_.enqueue(PayAll{}), StaleGeneration);
    EXPECT_THROW(client_.enqueue_all(std::vector<PayAll>(2), {}, BulkRule::all_or_nothing), StaleGeneration);
  });
  EXPECT_THAT(waiting(), SizeIs(3));
}

TEST_F(Elsewhere, CTX_13_WithoutPermissionAnotherTenantIsRefusedEverywhereAndNothingIsEnqueued) {
  const Ended refused = ended("acme", [&](JobContext& context) {
    const EnqueueOptions for_bolt{.tenant = "bolt"};
    EXPECT_THROW(client_.enqueue(PayAll{}, for_bolt), TenantSwapProhibited);
    EXPECT_THROW(client_.enqueue_all(std::vector<PayAll>(2), for_bolt, BulkRule::all_or_nothing),
                 TenantSwapProhibited);
    EXPECT_THROW(with_tenant("bolt", [&] { client_.enqueue(PayAll{}); }), TenantSwapProhibited);
    EXPECT_THROW(client_.enqueue_batch({.tenant = "bolt"}, [](BatchJobs&) {}), TenantSwapProhibited);
    EXPECT_THROW(client_.for_each_tenant(PayAll{}), TenantSwapProhibited);
    context.once("spawn", [&](JobTransaction& transaction) {
      EXPECT_THROW(transaction.enqueue(PayAll{}, for_bolt), TenantSwapProhibited);
    });
  });
  EXPECT_EQ(refused.failure_or_none(), std::nullopt);
  EXPECT_FALSE(refused.end.outbox);
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(Elsewhere, CTX_13_EachCallThatIsAllowedLeavesALineWithTheJobThatMadeIt) {
  Uuid id;
  const Ended allowed = ended("acme", [&](JobContext& context) {
    id = context.id();
    with_tenant("bolt", AllowSwap{}, [&] {
      client_.enqueue(PayAll{});
      client_.enqueue_all(std::vector<PayAll>(2));
      client_.enqueue_batch({}, [](BatchJobs& jobs) { jobs.enqueue(PayAll{}); });
      Client of_files{*store_, tenants_, clock_, {.application = "books"}};
      of_files.transaction(*tenants_.open_current(),
                           [](JobTransaction& transaction) { transaction.enqueue(PayAll{}); });
      // On another thread too, which has no scope but the one that it was given.
      std::async(std::launch::async, bind_tenant([&] { client_.enqueue(PayAll{}); })).get();
    });
    without_tenant([&] {
      client_.enqueue(PayAll{}, {.tenant = "bolt"});
      client_.for_each_tenant(PayAll{});
      client_.enqueue(PayAll{}, {.untenanted = true});  // of no tenant
    });
    client_.enqueue(PayAll{});  // back in its own
  });
  EXPECT_EQ(allowed.failure_or_none(), std::nullopt);
  EXPECT_THAT(waiting(), SizeIs(9));
  EXPECT_EQ(std::ranges::count(waiting(), "bolt.1"), 7);
  const auto lines = said();
  const auto tells = [&](const char* what) {
    return AllOf(HasSubstr(" info "), HasSubstr(what),
                 HasSubstr("tenant=acme generation=1 job=" + id.text()));
  };
  EXPECT_THAT(lines, ElementsAre(tells("1 job for tenant bolt"), tells("2 jobs for tenant bolt"),
                                 tells("1 job for tenant bolt"), tells("1 job for tenant bolt"),
                                 tells("1 job for tenant bolt"), tells("1 job for tenant bolt"),
                                 tells("a fan-out, with a job for each tenant")));
}

// An application says by itself whose its jobs are.
TEST_F(Elsewhere, OutsideOfJobsNothingIsSaid) {
  with_tenant("acme", [&] { with_tenant("bolt", AllowSwap{}, [&] { client_.enqueue(PayAll{}); }); });
  EXPECT_THAT(waiting(), ElementsAre("bolt.1"));
  EXPECT_THAT(said(), IsEmpty());
}

}  // namespace
}  // namespace tenure::testing
