#include "building.hpp"
#include "create_tenant.hpp"
#include "shop.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/tenant_folder.hpp>

#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <fstream>
#include <functional>
#include <linux/capability.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

// A tenant's file leaves its place, and comes back.
namespace tenure {
namespace {

namespace fs = std::filesystem;

using testing::code_of;
using testing::Shop;

const TenantName kBuriedTenant{"acme"};
constexpr Generation kFirst{1};

struct BuriedShop : Shop {
  BuriedShop() { create("acme"); }
  [[nodiscard]] Graveyard graveyard() const { return {handles.files(), "shop"}; }
  void deleted() { queue::set_tenant_state_for_test(*store, kBuriedTenant, TenantState::deleted); }
  static void write(HandleLease& lease) {
    const TenantScope scope{kBuriedTenant};
    lease->write([](TenantTransaction& transaction) {
      transaction.execute("insert into invoice(id, total) values (1, 10)");
    });
  }
  static std::int64_t invoices(HandleLease& lease) {
    const TenantScope scope{kBuriedTenant};
    return lease->read([](TenantReader& reader) {
      auto rows = reader.query("select count(*) from invoice");
      rows.next();
      return rows.row().integer(0);
    });
  }
};

TEST(Graveyard, TheFileLiesThereAndNothingIsLeftInItsPlace) {
  BuriedShop shop;
  shop.handles.close_idle();
  const Burial burial = shop.graveyard().bury(kBuriedTenant, kFirst);
  ASSERT_EQ(burial.files.size(), 1U);
  EXPECT_EQ(burial.files[0].name, "acme.1.db");
  EXPECT_EQ(burial.size_bytes(),
            static_cast<std::int64_t>(fs::file_size(shop.graveyard().path_for(kBuriedTenant, kFirst))));
  EXPECT_TRUE(shop.graveyard().has(kBuriedTenant, kFirst));
  EXPECT_FALSE(fs::exists(shop.path("acme")));
  EXPECT_FALSE(fs::exists(shop.handles.files().building_lock_for(kBuriedTenant)));
  EXPECT_EQ(shop.graveyard().bury(kBuriedTenant, kFirst).files.size(), 1U) << "again, it is the same";
  EXPECT_GT(shop.graveyard().erase(kBuriedTenant, kFirst), 0);
  EXPECT_EQ(shop.graveyard().erase(kBuriedTenant, kFirst), 0);
  EXPECT_TRUE(shop.graveyard().bury(kBuriedTenant, kFirst).files.empty()) << "it is missing";
}

TEST(Graveyard, AHandleThatIsOpenCommitsNothingBehindItAlsoWhereTheTenantIsThereAgain) {
  BuriedShop shop;
  std::optional<HandleLease> lease{shop.open("acme")};
  BuriedShop::write(*lease);
  static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst));
  EXPECT_NE(code_of([&] { BuriedShop::write(*lease); }), std::nullopt);
  shop.deleted();
  HandleCache others{shop.handles.files(), {.application = "shop"}};
  Tenants anew{
      shop.registry, others, shop.clock, {.application = "shop", .migrations = testing::shop_migrations()}};
  EXPECT_EQ(anew.create(kBuriedTenant).generation, Generation{2});
  EXPECT_NE(code_of([&] { BuriedShop::write(*lease); }), std::nullopt);
  lease.reset();
  shop.handles.close_idle();
  HandleLease next = anew.open(kBuriedTenant);
  EXPECT_EQ(BuriedShop::invoices(next), 0);
  EXPECT_TRUE(shop.graveyard().has(kBuriedTenant, kFirst));
}

// Before anything has moved, so that no watch over the files is what refuses.
TEST(Graveyard, FromTheStampOnAnOpenHandleIsRefusedByIt) {
  BuriedShop shop;
  HandleLease lease = shop.open("acme");
  BuriedShop::write(lease);
  const auto stop = [](BurialStep step) {
    if (step == BurialStep::log) throw std::runtime_error("stopped");
  };
  EXPECT_THROW(static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst, stop)), std::runtime_error);
  EXPECT_TRUE(fs::exists(shop.path("acme")));
  EXPECT_EQ(code_of([&] { BuriedShop::write(lease); }), ErrorCode::tenant_deleted);
}

// Its log cannot be moved into the file, and goes with it.
TEST(Graveyard, WhatAReaderHoldsUpIsKeptAndComesBack) {
  BuriedShop shop;
  const TenantScope scope{kBuriedTenant};
  std::optional<HandleLease> reader{shop.open("acme")};
  std::optional<TenantSnapshot> snapshot{(*reader)->begin_read()};
  {
    HandleLease writer = shop.open("acme");
    BuriedShop::write(writer);
  }
  const Burial burial = shop.graveyard().bury(kBuriedTenant, kFirst);
  EXPECT_EQ(burial.files.size(), 2U) << "and its log";
  shop.deleted();
  snapshot.reset();  // a process with the old file open may not open it where it lies now
  reader.reset();
  shop.handles.close_idle();
  EXPECT_EQ(shop.graveyard().take_back(kBuriedTenant, kFirst, shop.registry, shop.clock).generation,
            Generation{2});
  HandleCache others{shop.handles.files(), {.application = "shop"}};
  HandleLease back = value_or_raise(others.acquire(kBuriedTenant, Generation{2}));
  EXPECT_EQ(BuriedShop::invoices(back), 1);
}

TEST(Graveyard, TakenBackTheOutboxIsEmptyAndItsNumbersBeginAnew) {
  BuriedShop shop;
  const TenantScope scope{kBuriedTenant};
  {
    HandleLease lease = shop.open("acme");
    lease->write([](TenantTransaction& transaction) {
      static_cast<void>(
          add_to_outbox(transaction, *Uuid::parse("019cadff-0000-7000-8000-000000000001"), "a row"));
    });
  }
  shop.handles.close_idle();
  static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst));
  shop.deleted();
  static_cast<void>(shop.graveyard().take_back(kBuriedTenant, kFirst, shop.registry, shop.clock));
  EXPECT_TRUE(shop.graveyard().has(kBuriedTenant, kFirst)) << "until the caller erases it";
  HandleLease back = shop.open("acme");
  back->read([](TenantReader& reader) {
    const OutboxPage page = read_outbox(reader, 10, 1000);
    EXPECT_EQ(page.newest, 0);
    EXPECT_TRUE(page.entries.empty());
  });
}

// A creator that died behind its rename has left a file at the place, which whoever comes next finds.
struct InterruptedShop : BuriedShop {
  // As another program that dies before it activates what it has put in place.
  class Unactivated final : public TenantRegistry {
   public:
    explicit Unactivated(TenantRegistry& registry) : registry_(registry) {}
    std::optional<TenantRecord> find(const TenantName& name) override { return registry_.find(name); }
    Result<TenantRecord> begin_create(const TenantName& name, WallTime now) override {
      return registry_.begin_create(name, now);
    }
    Result<void> activate(const TenantName&, Generation) override { throw std::runtime_error("died"); }
    void abandon_create(const TenantName& name, Generation generation) override {
      registry_.abandon_create(name, generation);
    }
    std::vector<TenantRecord> list(const std::optional<TenantName>& after, std::size_t limit) override {
      return registry_.list(after, limit);
    }
    void sync() override { registry_.sync(); }

   private:
    TenantRegistry& registry_;
  };

  InterruptedShop() {
    {
      HandleLease lease = open("acme");
      write(lease);
    }
    handles.close_idle();
    static_cast<void>(graveyard().bury(kBuriedTenant, kFirst));
    deleted();
  }
  void die_creating() {
    Tenants dying{
        unactivated, handles, clock, {.application = "shop", .migrations = testing::shop_migrations()}};
    EXPECT_THROW(dying.create(kBuriedTenant), std::runtime_error);
    EXPECT_TRUE(fs::exists(path("acme")));
  }
  void die_taking_back() {
    EXPECT_THROW(static_cast<void>(graveyard().take_back(kBuriedTenant, kFirst, unactivated, clock)),
                 std::runtime_error);
    EXPECT_TRUE(fs::exists(path("acme")));
  }
  [[nodiscard]] std::int64_t invoices_there() {
    HandleLease lease = open("acme");
    EXPECT_EQ(lease->generation(), Generation{2});
    return invoices(lease);
  }

  Unactivated unactivated{registry};
};

TEST(Graveyard, TakenBackAfterACreatorThatDiedItIsTheOldDataAndNotTheEmptyFile) {
  InterruptedShop shop;
  shop.die_creating();
  static_cast<void>(shop.graveyard().take_back(kBuriedTenant, kFirst, shop.registry, shop.clock));
  EXPECT_EQ(shop.invoices_there(), 1);
  EXPECT_FALSE(fs::exists(shop.handles.files().building_lock_for(kBuriedTenant)));
}

TEST(Graveyard, CreatedAfterATakingBackThatDiedItIsEmptyAndNotTheFormersData) {
  InterruptedShop shop;
  shop.die_taking_back();
  shop.tenants.create(kBuriedTenant);
  EXPECT_EQ(shop.invoices_there(), 0);
  EXPECT_TRUE(shop.graveyard().has(kBuriedTenant, kFirst));
}

TEST(Graveyard, ATakingBackThatDiedIsGoneOnWith) {
  InterruptedShop shop;
  shop.die_creating();
  shop.die_taking_back();
  static_cast<void>(shop.graveyard().take_back(kBuriedTenant, kFirst, shop.registry, shop.clock));
  EXPECT_EQ(shop.invoices_there(), 1);
}

TEST(Graveyard, WhoeverWritesIsWaitedForAndThenSaidToBeBusy) {
  BuriedShop shop;
  sqlite::Connection other{shop.path("acme"), {}};
  sqlite::WriteTransaction writing{other};
  const Graveyard hasty{shop.handles.files(), "shop", std::chrono::milliseconds{1}};
  EXPECT_EQ(code_of([&] { static_cast<void>(hasty.bury(kBuriedTenant, kFirst)); }), ErrorCode::tenant_busy);
  EXPECT_TRUE(fs::exists(shop.path("acme")));
}

TEST(Graveyard, AForeignFileStaysWhereItIs) {
  BuriedShop shop;
  shop.handles.close_idle();
  shop.restamp("acme", TenantState::active, 4);
  EXPECT_EQ(code_of([&] { static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst)); }),
            ErrorCode::stale_generation);
  const Graveyard others{shop.handles.files(), "another"};
  EXPECT_EQ(code_of([&] { static_cast<void>(others.bury(kBuriedTenant, Generation{4})); }),
            ErrorCode::wrong_tenant);
  EXPECT_TRUE(fs::exists(shop.path("acme")));
}

TEST(Graveyard, WhatStandsInItsOutboxIsReadOnceItIsClosedWhereverItLies) {
  BuriedShop shop;
  const auto add = [&](int last) {
    const TenantScope scope{kBuriedTenant};
    HandleLease lease = shop.open("acme");
    lease->write([&](TenantTransaction& transaction) {
      Uuid::Bytes bytes{};
      bytes[15] = static_cast<std::uint8_t>(last);
      static_cast<void>(add_to_outbox(transaction, Uuid{bytes}, "row " + std::to_string(last)));
    });
  };
  for (const int each : {1, 2, 3}) add(each);
  const auto read = [&](std::int64_t after, std::size_t count_max, std::size_t bytes_max = 1000) {
    return shop.graveyard().outbox_behind(kBuriedTenant, kFirst, after, count_max, bytes_max);
  };
  EXPECT_EQ(code_of([&] { static_cast<void>(read(0, 10)); }), ErrorCode::state_changed) << "it is not closed";
  shop.graveyard().close(kBuriedTenant, kFirst);
  EXPECT_NE(code_of([&] { add(4); }), std::nullopt);
  EXPECT_TRUE(fs::exists(shop.path("acme")));
  EXPECT_FALSE(fs::exists(shop.handles.files().building_lock_for(kBuriedTenant)));
  shop.graveyard().close(kBuriedTenant, kFirst);
  for (int places = 0; places < 2; ++places) {
    const OutboxPage all = read(0, 10);
    EXPECT_EQ(all.newest, 3);
    ASSERT_EQ(all.entries.size(), 3U);
    EXPECT_EQ(all.entries[2].seq, 3);
    EXPECT_EQ(all.entries[2].text, "row 3");
    EXPECT_TRUE(all.is_all);
    EXPECT_EQ(read(1, 1).entries.at(0).seq, 2);
    EXPECT_FALSE(read(1, 1).is_all);
    EXPECT_EQ(read(0, 10, 1).entries.size(), 1U) << "the first of any size";
    EXPECT_TRUE(read(3, 10).entries.empty());
    EXPECT_EQ(read(3, 10).newest, 3);
    shop.handles.close_idle();
    static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst));
  }
  static_cast<void>(shop.graveyard().erase(kBuriedTenant, kFirst));
  EXPECT_EQ(read(0, 10).newest, 0) << "it is missing";
}

// A file that was lost before has left its log, which would be in the way of a new tenant, and is its data.
TEST(Graveyard, ALogWithoutItsFileGoesThereTooAndIsErased) {
  BuriedShop shop;
  shop.handles.close_idle();
  fs::remove(shop.path("acme"));
  const fs::path log = shop.path("acme").string() + "-wal";
  const fs::path index = shop.path("acme").string() + "-shm";
  for (const fs::path& file : {log, index}) std::ofstream{file} << "what is left";
  const Burial burial = shop.graveyard().bury(kBuriedTenant, kFirst);
  ASSERT_EQ(burial.files.size(), 1U);
  EXPECT_EQ(burial.files[0].name, "acme.1.db-wal");
  EXPECT_FALSE(fs::exists(log));
  EXPECT_FALSE(fs::exists(index));
  EXPECT_FALSE(shop.graveyard().has(kBuriedTenant, kFirst));
  EXPECT_GT(shop.graveyard().erase(kBuriedTenant, kFirst), 0);
  EXPECT_TRUE(fs::is_empty(shop.graveyard().path_for(kBuriedTenant, kFirst).parent_path()));
  shop.deleted();
  EXPECT_EQ(shop.tenants.create(kBuriedTenant).generation, Generation{2});
}

TEST(Graveyard, ALockThatNobodyHasIsRemovedAndOneThatIsHeldStays) {
  BuriedShop shop;
  const fs::path path = shop.handles.files().building_lock_for(kBuriedTenant);
  fs::create_directories(path.parent_path());
  shop.graveyard().remove_lock_of_interrupted(kBuriedTenant);
  std::ofstream{path} << "2 acme.1.db\n";
  {
    detail::BuildingLock held(path, kBuriedTenant, WhenLocked::give_up);
    shop.graveyard().remove_lock_of_interrupted(kBuriedTenant);
    EXPECT_TRUE(fs::exists(path));
  }
  shop.graveyard().remove_lock_of_interrupted(kBuriedTenant);
  EXPECT_FALSE(fs::exists(path));
}

// Of the stamp, which nobody can read, a process that has the file open may have all that it needs in its memory.
TEST(Graveyard, ADamagedFileIsMovedWhereNobodyWritesAndNobodyWritesToItBehindThat) {
  BuriedShop shop;
  const TenantScope scope{kBuriedTenant};
  HandleLease lease = shop.open("acme");
  BuriedShop::write(lease);
  {
    sqlite::Connection gate{shop.path("acme"), {}};
    sqlite::Connection checkpointer{shop.path("acme"), {}};
    ASSERT_EQ(sqlite::checkpoint_gated(gate, checkpointer).outcome,
              sqlite::CheckpointResult::Outcome::complete);
  }
  ASSERT_EQ(BuriedShop::invoices(lease), 1);
  const auto size = fs::file_size(shop.path("acme"));
  fs::resize_file(shop.path("acme"), 4096);  // by its name, so that no lock of this process is dropped
  const Graveyard graveyard{shop.handles.files(), "shop", std::chrono::milliseconds{20}};
  EXPECT_EQ(code_of([&] { static_cast<void>(graveyard.bury(kBuriedTenant, kFirst)); }),
            ErrorCode::database_damaged);
  const auto bury = [&] {
    return graveyard.bury(kBuriedTenant, kFirst, nullptr, Graveyard::Unreadable::move).files.size();
  };
  {
    TenantTransaction writes = lease->begin();
    writes.execute("insert into invoice(id, total) values (2, 20)");
    EXPECT_EQ(code_of([&] { static_cast<void>(bury()); }), ErrorCode::tenant_busy);
    EXPECT_TRUE(fs::exists(shop.path("acme"))) << "whoever writes has begun before";
    writes.commit();
  }
  EXPECT_EQ(bury(), 2U) << "with its log, in which that commit is";
  EXPECT_LT(fs::file_size(graveyard.path_for(kBuriedTenant, kFirst)), size);
  const auto log = fs::file_size(graveyard.path_for(kBuriedTenant, kFirst).string() + "-wal");
  EXPECT_EQ(code_of([&] { BuriedShop::write(lease); }), ErrorCode::database_moved);
  EXPECT_EQ(fs::file_size(graveyard.path_for(kBuriedTenant, kFirst).string() + "-wal"), log);
}

TEST(Graveyard, StoppedAtAnyStepItGoesOnFromThere) {
  for (int last = static_cast<int>(BurialStep::lock); last <= static_cast<int>(BurialStep::own_folder);
       ++last) {
    BuriedShop shop;
    {
      HandleLease lease = shop.open("acme");
      BuriedShop::write(lease);
    }
    shop.handles.close_idle();
    TenantFolder(shop.handles.files(), kBuriedTenant, kFirst).make("exports");
    const auto stop = [&](BurialStep step) {
      if (static_cast<int>(step) == last) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst, stop)), std::runtime_error)
        << last;
    EXPECT_EQ(shop.graveyard().bury(kBuriedTenant, kFirst).files.size(), 2U) << last;
    EXPECT_FALSE(fs::exists(shop.path("acme"))) << last;
    shop.deleted();
    static_cast<void>(shop.graveyard().take_back(kBuriedTenant, kFirst, shop.registry, shop.clock));
    HandleLease back = shop.open("acme");
    EXPECT_EQ(BuriedShop::invoices(back), 1) << last;
    EXPECT_TRUE(TenantFolder(shop.handles.files(), kBuriedTenant, Generation{2}).has("exports")) << last;
  }
}

// What a run has taken back that stopped between the file's rename and the registry's word.
struct HalfTakenBack : BuriedShop {
  HalfTakenBack() {
    handles.close_idle();
    first.make("exports");
    static_cast<void>(graveyard().bury(kBuriedTenant, kFirst));
    deleted();
    const fs::path buried = graveyard().path_for(kBuriedTenant, kFirst);
    const auto stop = [](CreateStep step) {
      if (step == CreateStep::activate) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(
        static_cast<void>(detail::create_tenant_from(
            registry, handles.files(), clock, {.application = "shop"}, kBuriedTenant, {.on_step = stop},
            {.path = buried, .origin = buried.filename().string(), .folder = first.buried_path()})),
        std::runtime_error);
    EXPECT_FALSE(fs::exists(first.buried_path()));
  }
  const TenantFolder first{handles.files(), kBuriedTenant, kFirst};
  const TenantFolder second{handles.files(), kBuriedTenant, Generation{2}};
};

TEST(Graveyard, StoppedBeforeItIsActiveWhatIsTakenBackHasItsFolder) {
  HalfTakenBack shop;
  EXPECT_EQ(shop.graveyard().take_back(kBuriedTenant, kFirst, shop.registry, shop.clock).generation,
            Generation{2});
  EXPECT_TRUE(shop.second.has("exports"));
}

TEST(Graveyard, WhoBeginsAnewInsteadMeetsNoFolderOfADeletedTenant) {
  HalfTakenBack shop;
  EXPECT_EQ(shop.tenants.create(kBuriedTenant).generation, Generation{2});
  EXPECT_FALSE(fs::exists(shop.second.path()));
  EXPECT_TRUE(fs::exists(shop.first.buried_path() / "exports"));
}

// As a service has it, which is not root: on a thread of its own, which loses its capabilities.
void without_capabilities(const std::function<void()>& work) {
  std::thread([&] {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> has{};
    ASSERT_EQ(::syscall(SYS_capget, &header, has.data()), 0);
    const std::array<__user_cap_data_struct, 2> none{};
    // A sandbox leaves none, nor the call that drops them.
    if (has[0].effective != 0 || has[1].effective != 0) {
      ASSERT_EQ(::syscall(SYS_capset, &header, none.data()), 0);
    }
    work();
  }).join();
}

TEST(Graveyard, AFolderThatNobodyMayWriteIsErasedAndALinkInItLeadsNowhere) {
  BuriedShop shop;
  shop.handles.close_idle();
  const TenantFolder folder(shop.handles.files(), kBuriedTenant, kFirst);
  folder.make("unpacked/inner");
  std::ofstream(folder.path() / "unpacked/inner/page") << "text";
  const fs::path outside = shop.path("acme").parent_path() / "outside";
  fs::create_directory(outside);
  fs::create_directory_symlink(outside, folder.path() / "unpacked/link");
  for (const fs::path& closed : {folder.path() / "unpacked/inner", folder.path() / "unpacked", outside})
    fs::permissions(closed, fs::perms{0555});
  static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst));
  without_capabilities([&] { EXPECT_GT(shop.graveyard().erase(kBuriedTenant, kFirst), 4); });
  EXPECT_FALSE(fs::exists(folder.buried_path()));
  EXPECT_FALSE(shop.graveyard().has(kBuriedTenant, kFirst));
  EXPECT_EQ(fs::status(outside).permissions(), fs::perms{0555});
}

TEST(Graveyard, AFolderThatIsMadeAgainBehindTheBurialIsErasedToo) {
  BuriedShop shop;
  shop.handles.close_idle();
  const TenantFolder folder(shop.handles.files(), kBuriedTenant, kFirst);
  folder.make("exports");
  static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst));
  folder.make("exports");
  shop.graveyard().erase(kBuriedTenant, kFirst);
  EXPECT_FALSE(fs::exists(folder.buried_path()));
  EXPECT_FALSE(fs::exists(folder.path()));
}

TEST(Graveyard, AFolderThatCannotGoIsToldOfAndTheDatabaseIsErased) {
  BuriedShop shop;
  shop.handles.close_idle();
  const TenantFolder folder(shop.handles.files(), kBuriedTenant, kFirst);
  folder.make("deep");
  static_cast<void>(shop.graveyard().bury(kBuriedTenant, kFirst));
  folder.make("anew");
  fs::path deepest = folder.buried_path() / "deep";
  for (int level = 0; level < 300; ++level) deepest /= "d";
  fs::create_directories(deepest / "full");
  fs::permissions(deepest, fs::perms{0555});
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  without_capabilities([&] { EXPECT_GT(shop.graveyard().erase(kBuriedTenant, kFirst), 0); });
  log::capture_for_test(nullptr);
  fs::permissions(deepest, fs::perms{0755});
  EXPECT_FALSE(shop.graveyard().has(kBuriedTenant, kFirst));
  EXPECT_FALSE(fs::exists(folder.path()));
  EXPECT_THAT(lines,
              ::testing::ElementsAre(::testing::AllOf(::testing::HasSubstr(" warning tenant.folder_left "),
                                                      ::testing::HasSubstr("acme.1.folder"))));
}

}  // namespace
}  // namespace tenure
