#include "program.hpp"

#include <filesystem>
#include <fstream>

// Pools that name tenants and keep slots, as an operator sees them.
namespace tenure::cli {
namespace {

using queue::PoolTenants;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class PoolRules : public Program {
 protected:
  PoolRules() {
    add_tenant("acme");
    add_tenant("bolt");
    add_job(1, "acme", "mail.send");
    add_job(2, "bolt", "mail.send");
    add_job(3, "none", "mail.send");
    tell({PoolTenants::Rule::only, {"acme"}}, {PoolTenants::Rule::all_but, {"acme", "bolt"}});
  }
  void tell(PoolTenants jumbo, PoolTenants general) {
    std::vector<queue::PoolRecord> pools{{"jumbo", {"default"}, 1, {"mail.send"}},
                                         {"general", {"default"}, 2, {"mail.send"}}};
    pools[0].tenants = std::move(jumbo);
    pools[1].tenants = std::move(general);
    tell_pools(pools);
  }
};

TEST_F(PoolRules, AJobThatEveryPoolLeavesOutIsHeldAndEveryViewSaysWhy) {
  EXPECT_EQ(run({"job", "list", "tenant=bolt", "--columns", "kind,state,waits_for"}), 0);
  EXPECT_EQ(
      output.out,
      "KIND       STATE  WAITS FOR\nmail.send  held   a pool that takes its tenant (tenant_without_pool)\n");
  EXPECT_EQ(run({"why", job_id(2).text()}), 0);
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("waits for  a pool that takes its tenant (tenant_without_pool)\n"),
                    HasSubstr("until      a pool of tenured that lists default takes tenant bolt\n"),
                    HasSubstr("change     change tenants of a [[pool]], then: systemctl reload tenured\n")));
  EXPECT_EQ(run({"job", "count", "reason=tenant_without_pool"}), 0);
  EXPECT_EQ(output.out, "1\n");
  EXPECT_EQ(run({"why", "tenant=bolt", "--columns", "reason,state,jobs"}), 0);
  EXPECT_EQ(output.out, "REASON               STATE  JOBS\ntenant_without_pool  held      1\n");
  EXPECT_NE(run({"doctor", "queues"}), 0);
  EXPECT_THAT(
      output.out,
      HasSubstr("FAIL  queues    1 job of bolt in \"default\", and each pool that lists it leaves that "
                "tenant out  -> change tenants of a [[pool]]; tenure job list tenant=bolt "
                "reason=tenant_without_pool\n"));
  tell({}, {PoolTenants::Rule::all_but, {"acme"}});
  EXPECT_EQ(run({"doctor", "queues"}), 0) << output.out;
}

TEST_F(PoolRules, ATenantIsShownWithThePoolsThatTakeItAndAQueueWithWhomItsPoolsTake) {
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("pools    jumbo\n"));
  EXPECT_EQ(run({"tenant", "show", "bolt"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("pools ")));
  EXPECT_EQ(run({"tenant", "show", "acme", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("pools":["jumbo"])"));
  EXPECT_EQ(run({"queue", "show", "default"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("jumbo, 1 worker process; tenants: only acme\n"),
                                HasSubstr("general, 2 worker processes; tenants: all but acme, bolt\n")));
  EXPECT_EQ(run({"queue", "show", "default", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("tenants":{"rule":"all_but","names":["acme","bolt"]})"));
}

TEST_F(PoolRules, WhySaysThatFreeSlotsAreKeptForBetterPriorities) {
  queue::PoolRecord pool{.name = "general",
                         .queues = {"default"},
                         .workers = 1,
                         .kinds = {"mail.send"},
                         .processes = {{queue::ProcessNumber{3}, 2}}};
  pool.reserved = {{queue::Priority{-10}, 1}};
  tell_pools({pool});
  static_cast<void>(claim(1));
  EXPECT_EQ(run({"why", job_id(2).text()}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("waits for  a slot, of which the free ones are kept for better "
                                          "priorities (slots_reserved)\n"),
                                HasSubstr("and for    its turn (tenant_turn)\n"),
                                HasSubstr("1 kept for priority -10 or better)\n")));
  EXPECT_EQ(run({"why", job_id(2).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("reserved":[{"priority":-10,"slots":1}])"));
  EXPECT_EQ(run({"why", "tenant=bolt", "--columns", "reason,state,jobs"}), 0);
  EXPECT_THAT(output.out, HasSubstr("slots_reserved  ready     1\n"));
}

TEST_F(PoolRules, ConfigCheckWarnsOfNamesThatNoTenantHas) {
  const auto file = folder / "tenure.toml";
  std::ofstream(file) << "[store]\npath = \"%{config_dir}/control.db\"\n"
                         "[tenants]\npath = \"%{config_dir}/%{tenant}.db\"\n"
                         "[[pool]]\nname = \"jumbo\"\nprogram = \"/bin/true\"\n"
                         "tenants = [\"acme\", \"dodo\", \"none\"]\n";
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  EXPECT_EQ(run({"config", "check"}), 0) << output.error;
  EXPECT_THAT(output.out + output.error,
              AllOf(HasSubstr("pool.tenants: there is no tenant dodo; it counts once it is created"),
                    Not(HasSubstr("acme;")), Not(HasSubstr("none;"))));
}

}  // namespace
}  // namespace tenure::cli
