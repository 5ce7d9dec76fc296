#include "fault_list.hpp"
#include "notes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Look {
  static constexpr std::string_view kind = "clock.look";
};

struct Pay {
  static constexpr std::string_view kind = "books.pay";
};

struct Rest {
  static constexpr std::string_view kind = "test.rest";
};

const TenantName kTest{kDefaultTenant};

class FaultsOfAWorld : public Notes {
 protected:
  // What the only job's run has failed with; nothing: it has succeeded.
  std::optional<ErrorCode> code_of_drain() {
    const Runs runs = drain_all();
    EXPECT_EQ(runs.size(), 1U);
    if (runs.empty() || !runs.front().failure) return std::nullopt;
    return runs.front().failure->code;
  }
  int releases() { return world().all_enqueued<AddNote>().at(0).record.releases; }
};

TEST_F(FaultsOfAWorld, ATenantThatIsGoneCostsNoAttemptAndIsBack) {
  client().enqueue(AddNote{"milk"});
  const Fault gone = faults().tenant_gone(kTest, 2);
  EXPECT_EQ(code_of_drain(), ErrorCode::tenant_unavailable);
  EXPECT_EQ(gone.fired(), 1);
  EXPECT_EQ(releases(), 1);
  EXPECT_EQ(advance(1min).succeeded(), 1U);
  EXPECT_EQ(gone.fired(), 2);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

// With a real file each; who dispatches leaves them alone for a while, and the others' rate is measured where time is (TroubledTenants).
TEST_F(FaultsOfAWorld, REG_15_OnlyTheTenantWhoseFileCannotBeUsedWaitsAndItSaysWhy) {
  with_tenants("acme", "corrupt", "locked", "missing", "full");
  const std::filesystem::path folder = world().folder() / "tenants";
  std::filesystem::rename(folder / "missing.db", folder / "missing.away");
  std::filesystem::rename(folder / "corrupt.db", folder / "corrupt.away");
  std::ofstream(folder / "corrupt.db") << std::string(1U << 16U, '~');
  faults().tenant_busy(TenantName{"locked"});
  faults().disk_full_in(TenantName{"full"});
  const std::map<std::string, std::pair<std::vector<ErrorCode>, std::string>> expected{
      {"corrupt", {{ErrorCode::tenant_unavailable}, "DatabaseDamaged"}},
      {"locked", {{ErrorCode::tenant_busy}, "locked"}},
      {"missing", {{ErrorCode::tenant_unavailable}, "TenantDoesNotExist"}},
      {"full", {{ErrorCode::tenant_unavailable, ErrorCode::disk}, ""}}};
  for (const auto& [tenant, reason] : expected) client().enqueue(AddNote{"bread"}, {.tenant = tenant});
  for (int each = 0; each < 20; ++each) client().enqueue(AddNote{"milk"}, {.tenant = "acme"});

  const Runs runs = drain();
  EXPECT_EQ(runs.succeeded(), 20U) << "nobody else waits for them";
  EXPECT_EQ(runs.failed(), 4U);
  for (const JobRun& run : runs) {
    if (run.has_succeeded()) continue;
    const auto& [codes, words] = expected.at(run.tenant->text());
    EXPECT_THAT(codes, ::testing::Contains(run.failure->code)) << run.text();
    EXPECT_THAT(run.failure->error, ::testing::HasSubstr(words)) << run.text();
  }
  for (const Found<AddNote>& left : world().all_enqueued<AddNote>()) {
    EXPECT_EQ(left.record.failures, 0) << left.record.tenant->text();
    EXPECT_EQ(left.record.releases, 1) << left.record.tenant->text();
  }
  std::filesystem::rename(folder / "missing.away", folder / "missing.db");
  std::filesystem::rename(folder / "corrupt.away", folder / "corrupt.db");
  EXPECT_EQ(advance(1min).succeeded(), 4U) << "each goes on when its file can be used again";
}

TEST_F(FaultsOfAWorld, OthersDoNotMeetATenantsFault) {
  with_tenants("acme", "bolt");
  for (const char* const tenant : {"acme", "bolt"}) client().enqueue(AddNote{"milk"}, {.tenant = tenant});
  faults().tenant_gone(TenantName{"bolt"});
  const Runs runs = drain_all();
  EXPECT_EQ(runs.succeeded(), 1U);
  EXPECT_EQ(runs.failed(), 1U);
  EXPECT_TRUE(enqueued<AddNote>({.tenant = "bolt"}));
}

TEST_F(FaultsOfAWorld, ATenantThatIsBusyIsTriedAgainAtNoCost) {
  client().enqueue(AddNote{"milk"});
  const Fault busy = faults().tenant_busy(kTest);
  EXPECT_EQ(code_of_drain(), ErrorCode::tenant_busy);
  EXPECT_EQ(busy.fired(), 1);
  EXPECT_EQ(releases(), 1);
  EXPECT_EQ(advance(1min).succeeded(), 1U);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

TEST_F(FaultsOfAWorld, AFullDiskOfTheQueueRefusesAnEnqueueAndStoresNothing) {
  const Fault full = faults().disk_full();
  EXPECT_THROW(client().enqueue(AddNote{"milk"}), DiskError);
  EXPECT_EQ(full.fired(), 1);
  EXPECT_FALSE(enqueued<AddNote>());
  client().enqueue(AddNote{"milk"});
  EXPECT_TRUE(enqueued<AddNote>({.times = 1}));
}

TEST_F(FaultsOfAWorld, JobsOfATransactionOutliveAFullDiskOfTheQueue) {
  auto handle = tenants().open_current();
  const auto add = [&](const char* text) {
    client().transaction(*handle, [&](JobTransaction& transaction) { transaction.enqueue(AddNote{text}); });
  };
  add("milk");  // marks the file, so that the next one writes to the queue only behind its commit
  const Fault full = faults().disk_full();
  add("bread");
  EXPECT_EQ(full.fired(), 1);
  EXPECT_TRUE(enqueued<AddNote>({.times = 1}));
  EXPECT_EQ(drain().size(), 2U);
  EXPECT_THAT(notes(), ElementsAre("milk", "bread"));
}

TEST_F(FaultsOfAWorld, AFullDiskOfTheQueueRefusesTheTransactionThatIsToMarkItsTenantsFile) {
  auto handle = tenants().open_current();
  const auto add = [&] {
    client().transaction(*handle, [&](JobTransaction& transaction) {
      transaction.execute("insert into note (text) values ('beside')");
      transaction.enqueue(AddNote{"milk"});
    });
  };
  const Fault full = faults().disk_full();
  EXPECT_THROW(add(), DiskError);
  EXPECT_EQ(full.fired(), 1);
  EXPECT_EQ(drain().size(), 0U);
  EXPECT_THAT(notes(), IsEmpty());
  add();
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_THAT(notes(), ElementsAre("beside", "milk"));
}

TEST_F(FaultsOfAWorld, AFullDiskOfTheQueueWaitsForAClientWhatElseTheTestAsksFor) {
  const Fault full = faults().disk_full();
  faults().older_payload("notes.add_note", R"({"text": "milk"})");
  EXPECT_EQ(full.fired(), 0);
  EXPECT_TRUE(enqueued<AddNote>({.times = 1}));
  EXPECT_THROW(client().enqueue(AddNote{"bread"}), DiskError);
  EXPECT_EQ(drain().succeeded(), 1U);
}

TEST_F(FaultsOfAWorld, AFullDiskUnderAHandlerCostsNoAttempt) {
  client().enqueue(AddNote{"milk"});
  const Fault full = faults().disk_full_in(kTest);
  const auto code = code_of_drain();
  EXPECT_TRUE(code == ErrorCode::disk || code == ErrorCode::tenant_unavailable);
  EXPECT_EQ(full.fired(), 1);
  EXPECT_EQ(releases(), 1);
  EXPECT_THAT(notes(), IsEmpty());
  EXPECT_EQ(advance(1min).succeeded(), 1U);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

TEST_F(FaultsOfAWorld, TheClockJumpsUnderAHandlerAndTheSteadyOneGoesOn) {
  const WallTime before = clock().wall();
  const Instant steady_before = clock().steady();
  std::optional<WallTime> seen;
  jobs().add<Look>([&](const Look&, JobContext& context) { seen = context.now(); });
  client().enqueue(Look{});
  const Fault jump = faults().clock_jump(-3h);
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_EQ(jump.fired(), 1);
  EXPECT_EQ(seen, before - 3h);
  EXPECT_EQ(clock().steady(), steady_before);
}

TEST_F(FaultsOfAWorld, TheClockJumpsWhereAHandlerIsEnteredAndNowhereBefore) {
  const WallTime before = clock().wall();
  std::optional<WallTime> seen;
  jobs().add<Look>([&](const Look&, JobContext& context) { seen = context.now(); });
  const Fault jump = faults().clock_jump(-3h);
  faults().older_payload("notes.add_note", R"({"text": {"no": "text"}})");
  EXPECT_EQ(drain().failed(), 1U) << "whose arguments are none";
  EXPECT_EQ(jump.fired(), 0);
  faults().tenant_gone(kTest);
  client().enqueue(Look{});
  EXPECT_EQ(code_of_drain(), ErrorCode::tenant_unavailable);
  EXPECT_EQ(jump.fired(), 0);
  EXPECT_EQ(clock().wall(), before);
  advance(1min);
  EXPECT_EQ(jump.fired(), 1);
  ASSERT_TRUE(seen);
  EXPECT_LT(*seen, before - 2h);
}

struct Grown {
  static constexpr std::string_view kind = "types.grown";
  static constexpr std::array<std::string_view, 1> aliases{"types.small"};
  std::string name;
  std::optional<std::string> title;  // came later
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(title));
  }
};

TEST_F(FaultsOfAWorld, APayloadOfAnOlderProgramIsDecodedByTheNewOne) {
  std::vector<std::string> names;
  jobs().add<Grown>([&](const Grown& job, JobContext&) {
    EXPECT_EQ(job.title, std::nullopt);
    names.push_back(job.name);
  });
  const Fault older = faults().older_payload("types.small", R"({"name": "ada", "gone": 1})");
  EXPECT_EQ(older.fired(), 0);
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_EQ(older.fired(), 1);
  EXPECT_THAT(names, ElementsAre("ada"));
  faults().older_payload("types.grown", R"({"title": "Ms"})");
  const Runs runs = drain();
  ASSERT_EQ(runs.failed(), 1U);
  EXPECT_EQ(runs.front().failure->code, ErrorCode::bad_payload);
}

class CrashOfAWorld : public FaultsOfAWorld, public ::testing::WithParamInterface<CrashPoint> {};

TEST_P(CrashOfAWorld, LosesNoJobAndRepeatsNoStep) {
  int runs = 0;
  jobs().add<Pay>([&](const Pay&, JobContext& context) {
    ++runs;
    context.once("pay", [](JobTransaction& transaction) {
      transaction.execute("insert into note (text) values ('paid')");
      transaction.enqueue(AddNote{"receipt"});
    });
  });
  client().enqueue(Pay{});
  client().enqueue(AddNote{"beside"});
  const Fault crash = faults().crash(GetParam());
  const Runs performed = drain_all();
  EXPECT_EQ(crash.fired(), 1);
  EXPECT_EQ(performed.failed(), 0U);
  EXPECT_EQ(runs, GetParam() == CrashPoint::before_finish_commit ? 2 : 1);
  std::vector<std::string> there = notes();
  std::ranges::sort(there);
  EXPECT_THAT(there, ElementsAre("beside", "paid", "receipt"));
  EXPECT_TRUE(world().performed<Pay>({.times = 1}));
}

INSTANTIATE_TEST_SUITE_P(Points, CrashOfAWorld,
                         ::testing::Values(CrashPoint::before_claim_commit, CrashPoint::after_claim_commit,
                                           CrashPoint::before_finish_commit,
                                           CrashPoint::after_finish_commit));

TEST_F(FaultsOfAWorld, AJobThatHasCrashedRunsAgainInTheSameDrain) {
  client().enqueue(AddNote{"milk"});
  client().enqueue(AddNote{"bread"});
  faults().crash(CrashPoint::before_finish_commit);
  EXPECT_GE(drain().size(), 3U);
  EXPECT_FALSE(enqueued<AddNote>());
  EXPECT_THAT(notes(), ElementsAre("milk", "bread"));
}

class CrashAtAClaim : public FaultsOfAWorld, public ::testing::WithParamInterface<CrashPoint> {};

TEST_P(CrashAtAClaim, WaitsForAClaimOfAJobThatTheCallPerforms) {
  const Fault crash = faults().crash(GetParam());
  EXPECT_EQ(drain_all().size(), 0U);
  EXPECT_EQ(crash.fired(), 0) << "there was none to claim";
  client().enqueue(AddNote{"milk"});
  EXPECT_EQ(drain_all({.kinds = {"notes.fail"}}).size(), 0U);
  EXPECT_EQ(crash.fired(), 0) << "it was left out";
  client().enqueue(AddNote{"later"}, {.run_in = 1h});
  EXPECT_EQ(drain_all().succeeded(), 1U);
  EXPECT_EQ(crash.fired(), 1);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

INSTANTIATE_TEST_SUITE_P(Points, CrashAtAClaim,
                         ::testing::Values(CrashPoint::before_claim_commit, CrashPoint::after_claim_commit));

class ProbeOfFaults : public Notes {
 public:
  using JobTest::client;
  using JobTest::drain;
  using JobTest::faults;
  void TestBody() override {}
};

TEST(UnmetFaults, TST_06_AFaultThatHasNotHappenedAsOftenAsItWasAskedForFailsTheTest) {
  EXPECT_NONFATAL_FAILURE(
      ProbeOfFaults{}.faults().crash(CrashPoint::after_finish_commit),
      "the fault crash(after_finish_commit) was asked for 1 time and has happened 0 times");
  EXPECT_NONFATAL_FAILURE(
      {
        ProbeOfFaults probe;
        probe.client().enqueue(AddNote{"milk"});
        probe.faults().tenant_gone(kTest, 3);
        probe.drain();
      },
      "the fault tenant_gone(test) was asked for 3 times and has happened 1 time");
}

// It was in force, and the handler did not write.
TEST(UnmetFaults, OfABusyTenantIsOneThatNobodyWroteTo) {
  World world(notes_options());
  world.jobs().add<Rest>([](const Rest&, JobContext&) {});
  world.client().enqueue(Rest{});
  const Fault busy = world.faults().tenant_busy(kTest);
  EXPECT_EQ(world.drain().succeeded(), 1U);
  EXPECT_EQ(busy.fired(), 0);
  EXPECT_THAT(world.finish(),
              ElementsAre("the fault tenant_busy(test) was asked for 1 time and has happened 0 times"));
}

// Else a fault that was asked for once could happen to two threads.
TEST(FaultList, AFaultThatIsTakenHasHappened) {
  detail::FaultList faults;
  const auto fault = std::make_shared<detail::FaultState>();
  fault->kind = detail::FaultKind::disk_full;
  fault->asked = 2;
  faults.add(fault);
  const auto take = [&] {
    return faults.take(detail::FaultKind::disk_full, [](const auto&) { return true; });
  };
  EXPECT_EQ(take(), fault);
  EXPECT_EQ(fault->fired, 1);
  EXPECT_EQ(take(), fault);
  EXPECT_EQ(fault->fired, 2);
  EXPECT_EQ(take(), nullptr);
}

TEST(UnmetFaults, AreAskedForAtLeastOnce) {
  World world(notes_options());
  EXPECT_THROW(world.faults().disk_full(0), BadOptions);
  EXPECT_THAT(world.finish(), IsEmpty());
}

}  // namespace
}  // namespace tenure::testing
