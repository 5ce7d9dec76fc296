#include "connection_pool.hpp"
#include "shop.hpp"
#include "support/in_child.hpp"
#include "support/sanitized.hpp"

#include <tenure/base/sqlite/wal.hpp>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <atomic>
#include <barrier>
#include <sys/resource.h>
#include <thread>

namespace tenure {
namespace {

using std::chrono::milliseconds;
using testing::code_of;
using testing::kAcme;
using testing::Shop;

constexpr milliseconds kLong{60'000};

HandleCacheOptions room_for(int connections, milliseconds wait_max = milliseconds{0}) {
  return {.descriptors_max = 3 * connections,
          .wait_max = wait_max,
          .write_wait_max = kLong,
          .application = "shop"};
}

void write_one(HandleLease& lease) {
  with_tenant(lease->tenant(), [&] {
    lease->write(
        [](TenantTransaction& transaction) { transaction.execute("insert into invoice(total) values(1)"); });
  });
}

std::int64_t count(HandleLease& lease) {
  return with_tenant(lease->tenant(), [&] {
    return lease->read([](TenantReader& reader) {
      TenantRows rows = reader.query("select count(*) from invoice");
      rows.next();
      return rows.row().integer(0);
    });
  });
}

std::optional<ErrorCode> acquire_code(Shop& shop, std::string_view name, std::int64_t generation = 0) {
  const Result<HandleLease> lease = shop.handles.acquire(TenantName{name}, Generation{generation});
  return lease ? std::nullopt : std::optional{lease.error().code};
}

TEST(HandleCache, DescriptorsHaveLimits) {
  const testing::TemporaryFolder folder;
  const auto with = [&](int descriptors) {
    return code_of([&] { HandleCache{testing::files_in(folder.path()), {.descriptors_max = descriptors}}; });
  };
  EXPECT_EQ(with(2), ErrorCode::bad_configuration);
  EXPECT_EQ(with(3), std::nullopt);
  EXPECT_EQ(with(65536), std::nullopt);
  EXPECT_EQ(with(65537), ErrorCode::bad_configuration);
}

void limit_descriptors_to(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = count;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) raise(ErrorCode::internal, "no limit");
}

// In a child, since the limit is the process's.
TEST(HandleCache, WithoutADescriptorLeftIdleConnectionsMakeRoom) {
  if (testing::kIsSanitized) GTEST_SKIP() << "not run here: a sanitizer needs descriptors of its own";
  constexpr int kTenants = 12;
  Shop shop;
  for (int i = 0; i < kTenants; ++i) {
    const HandleLease lease = shop.create("tenant-" + std::to_string(i));
  }
  shop.handles.close_idle();
  EXPECT_EQ(testing::in_child([&] {
              HandleCache handles{testing::files_in(shop.folder.path()), room_for(kTenants)};
              const int next = ::dup(STDIN_FILENO);
              limit_descriptors_to(static_cast<rlim_t>(next) + 15);
              int leased = 0;
              for (int turn = 0; turn < 2 * kTenants; ++turn)
                leased +=
                    handles.acquire(TenantName{"tenant-" + std::to_string(turn % kTenants)}, {}) ? 1 : 0;
              return leased;
            }),
            2 * kTenants);
}

// In a child, since the limit is the process's.
TEST(HandleCache, TheBudgetFollowsTheLimitOfOpenFiles) {
  Shop shop;
  for (int i = 0; i < 7; ++i) {
    const HandleLease lease = shop.create("tenant-" + std::to_string(i));
  }
  shop.handles.close_idle();
  EXPECT_EQ(testing::in_child([&] {
              limit_descriptors_to(36);
              HandleCache handles{testing::files_in(shop.folder.path()), room_for(1000)};
              std::vector<HandleLease> held;
              for (int i = 0; i < 7; ++i)
                if (auto lease = handles.acquire(TenantName{"tenant-" + std::to_string(i)}, {}))
                  held.push_back(*std::move(lease));
              return static_cast<int>(held.size());
            }),
            6);
}

std::int64_t leases(const HandleCache& handles) {
  return handles.counters().opened + handles.counters().reused;
}

TEST(HandleCache, AFileWhoseStampWasReadIsVerifiedByItsIdentity) {
  Shop shop;
  { const HandleLease lease = shop.create("acme"); }
  const std::int64_t before = leases(shop.handles);
  EXPECT_TRUE(shop.handles.verify(kAcme, Generation{1}));
  EXPECT_EQ(leases(shop.handles), before);
  shop.handles.close_idle();
  EXPECT_TRUE(shop.handles.verify(kAcme, Generation{1}));
  EXPECT_EQ(leases(shop.handles), before) << "nothing was opened for a file that is what it was";
  EXPECT_EQ(shop.handles.verify(kAcme, Generation{2}).error().code, ErrorCode::stale_generation);
}

TEST(HandleCache, AFileIsVerifiedWithoutAConnectionOfTheBudgetAndMakesNoLog) {
  Shop shop;
  { const HandleLease lease = shop.create("acme"); }
  shop.handles.close_idle();
  HandleCache other{shop.handles.files(), {.application = "shop"}};
  EXPECT_FALSE(other.was_outbox_empty(kAcme, Generation{1})) << "nobody has looked";
  EXPECT_TRUE(other.verify(kAcme, Generation{1}));
  EXPECT_EQ(leases(other), 0);
  EXPECT_TRUE(other.was_outbox_empty(kAcme, Generation{1}));
  EXPECT_FALSE(other.was_outbox_empty(kAcme, Generation{2}));
  for (const char* ending : {"-wal", "-shm"})
    EXPECT_FALSE(std::filesystem::exists(shop.path("acme").string() + ending)) << ending;
}

TEST(HandleCache, ALogThatGrewBesideALongReaderIsShortAgain) {
  constexpr int kWrites = 40;
  constexpr std::size_t kBytes = 512 * 1024;
  Shop shop;
  const auto execute = [&](std::string_view sql) {
    HandleLease lease = shop.open("acme");
    with_tenant(kAcme, [&] {
      TenantTransaction transaction = lease->begin();
      transaction.execute(sql, std::string(kBytes, 'x'));
      transaction.commit();
    });
  };
  constexpr std::string_view kGrow = "insert into filler values(?1)";
  { const HandleLease lease = shop.create("acme"); }
  with_tenant(kAcme, [&] {
    HandleLease lease = shop.open("acme");
    TenantTransaction transaction = lease->begin();
    transaction.execute("create table filler(text text)");
    transaction.commit();
  });
  {
    HandleLease reader = shop.open("acme");
    with_tenant(kAcme, [&] {
      const TenantSnapshot snapshot = reader->begin_read();
      TenantRows rows = snapshot.query("select count(*) from filler");
      ASSERT_TRUE(rows.next());
      for (int i = 0; i < kWrites; ++i) execute(kGrow);
      EXPECT_GT(sqlite::wal_bytes(shop.path("acme")), std::int64_t{kWrites} * kBytes / 2);
    });
  }
  for (int i = 0; i < 4; ++i) execute(kGrow);
  EXPECT_LE(sqlite::wal_bytes(shop.path("acme")), 8LL << 20U);
}

TEST(HandleCache, AStampThatIsOnlyInTheLogIsFound) {
  Shop shop;
  { const HandleLease lease = shop.create("acme"); }
  shop.handles.close_idle();
  sqlite::Connection writer{shop.path("acme"), {}};
  Stamp stamp = current_stamp(writer);
  stamp.generation = Generation{2};
  {
    sqlite::WriteTransaction transaction{writer};
    write_stamp(writer, stamp);
    transaction.commit();
  }
  HandleCache other{shop.handles.files(), {.application = "shop"}};
  EXPECT_EQ(other.verify(kAcme, Generation{1}).error().code, ErrorCode::stale_generation);
  EXPECT_TRUE(other.verify(kAcme, Generation{2}));
}

TEST(HandleCache, AFileThatIsNotTheOneThatWasReadIsReadAgain) {
  Shop shop;
  for (const char* name : {"acme", "bolt"}) {
    const HandleLease lease = shop.create(name);
  }
  shop.handles.close_idle();
  const auto away = shop.folder / "away.db";
  std::filesystem::rename(shop.path("acme"), away);
  EXPECT_EQ(shop.handles.verify(kAcme, Generation{1}).error().code, ErrorCode::tenant_does_not_exist);
  std::filesystem::copy_file(shop.path("bolt"), shop.path("acme"));
  EXPECT_EQ(shop.handles.verify(kAcme, Generation{1}).error().code, ErrorCode::wrong_tenant);
  std::filesystem::remove(shop.path("acme"));
  std::filesystem::copy_file(away, shop.path("acme"));
  EXPECT_TRUE(shop.handles.verify(kAcme, Generation{1})) << "a copy that is put back is acme's file again";
}

TEST(HandleCache, HND_03_OpeningNeverCreates) {
  Shop shop;
  EXPECT_EQ(acquire_code(shop, "nobody"), ErrorCode::tenant_does_not_exist);
  EXPECT_TRUE(testing::files_under(shop.folder.path()).empty());
  shop.create("acme");
  shop.handles.close_idle();
  std::filesystem::remove(shop.path("acme"));
  EXPECT_EQ(code_of([&] { static_cast<void>(shop.open("acme")); }), ErrorCode::tenant_does_not_exist);
  EXPECT_FALSE(std::filesystem::exists(shop.path("acme")));
}

TEST(HandleCache, HND_03_AnIdleConnectionToAFileThatIsGoneIsNotLeased) {
  Shop shop;
  shop.create("acme");
  std::filesystem::remove(shop.path("acme"));
  EXPECT_EQ(acquire_code(shop, "acme"), ErrorCode::tenant_does_not_exist);
  EXPECT_FALSE(std::filesystem::exists(shop.path("acme")));
}

TEST(HandleCache, TheStampSaysWhoseGenerationItIs) {
  Shop shop;
  shop.create("acme");
  EXPECT_EQ(acquire_code(shop, "acme", 0), std::nullopt);
  EXPECT_EQ(acquire_code(shop, "acme", 1), std::nullopt);
  EXPECT_EQ(acquire_code(shop, "acme", 2), ErrorCode::stale_generation);
  shop.restamp("acme", TenantState::active, 2);
  EXPECT_EQ(acquire_code(shop, "acme", 1), ErrorCode::stale_generation);
  Result<HandleLease> lease = shop.handles.acquire(TenantName{"acme"}, {});
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->handle().generation(), Generation{2});
  EXPECT_EQ(shop.handles.counters().opened, 1) << "the same connection";
}

TEST(HandleCache, AFileWithoutStampIsNobodys) {
  Shop shop;
  const std::filesystem::path path = shop.path("acme");
  std::filesystem::create_directories(path.parent_path());
  { const sqlite::Connection made{path, {.access = sqlite::Access::create}}; }
  EXPECT_EQ(acquire_code(shop, "acme"), ErrorCode::wrong_tenant);
}

TEST(HandleCache, NAME_07_ALinkIsNotOpened) {
  Shop shop;
  shop.create("acme");
  std::filesystem::create_directories(shop.path("globex").parent_path());
  std::filesystem::create_symlink(shop.path("acme"), shop.path("globex"));
  EXPECT_EQ(acquire_code(shop, "globex"), ErrorCode::access_refused);
}

TEST(HandleCache, HND_05_AllInUseIsHandleBudgetExhausted) {
  Shop shop{room_for(1)};
  HandleLease lease = shop.create("acme");
  EXPECT_EQ(acquire_code(shop, "acme"), ErrorCode::handle_budget_exhausted);
  EXPECT_EQ(permanence_of(ErrorCode::handle_budget_exhausted), Permanence::transient);
  EXPECT_EQ(shop.handles.counters().exhausted, 1);
  write_one(lease);
  EXPECT_EQ(count(lease), 1);
}

TEST(HandleCache, HND_05_AWaiterIsServedWhenALeaseEnds) {
  Shop shop{room_for(1, kLong)};
  std::optional<HandleLease> lease{shop.create("acme")};
  std::atomic<bool> begun = false;
  std::jthread waiter{[&] {
    begun = true;
    HandleLease mine = shop.open("acme");
    write_one(mine);
  }};
  while (!begun) std::this_thread::yield();
  lease.reset();
  waiter.join();
  EXPECT_EQ(shop.handles.counters().exhausted, 0);
}

TEST(HandleCache, HND_04_MoreTenantsThanTheBudgetAllGetTheirWorkDone) {
  Shop shop{room_for(4, kLong)};
  std::vector<std::string> names;
  for (int number = 0; number < 16; ++number) names.push_back("t" + std::to_string(number));
  for (const std::string& name : names) shop.create(name);
  std::vector<std::jthread> workers;
  for (int worker = 0; worker < 8; ++worker)
    workers.emplace_back([&] {
      for (const std::string& name : names) {
        HandleLease lease = shop.open(name);
        write_one(lease);
      }
    });
  workers.clear();
  for (const std::string& name : names) {
    HandleLease lease = shop.open(name);
    EXPECT_EQ(count(lease), 8) << name;
  }
  const HandleCache::Counters counters = shop.handles.counters();
  EXPECT_LE(counters.idle, 4);
  EXPECT_EQ(counters.leased, 0);
  EXPECT_EQ(counters.exhausted, 0);
}

TEST(HandleCache, HND_12_TheLeastRecentlyUsedIdleOneIsClosed) {
  Shop shop{room_for(3)};
  for (const std::string_view name : {"a", "b", "c", "d"}) shop.create(name);  // d closed a
  const std::int64_t opened = shop.handles.counters().opened;
  static_cast<void>(shop.open("b"));  // touched: now c is the oldest
  static_cast<void>(shop.open("a"));
  EXPECT_EQ(shop.handles.counters().opened, opened + 1);
  EXPECT_EQ(shop.handles.counters().evicted, 2);
  for (const std::string_view name : {"b", "d", "a"}) static_cast<void>(shop.open(name));
  EXPECT_EQ(shop.handles.counters().opened, opened + 1) << "only c was closed";
  static_cast<void>(shop.open("c"));
  EXPECT_EQ(shop.handles.counters().opened, opened + 2);
  EXPECT_EQ(shop.handles.counters().idle, 3);
}

TEST(HandleCache, HND_12_ALeasedOneIsNeverClosed) {
  Shop shop{room_for(2)};
  HandleLease pinned = shop.create("a");
  for (const std::string_view name : {"b", "c", "d"}) shop.create(name);
  write_one(pinned);
  EXPECT_EQ(count(pinned), 1);
}

// With room for one connection the eight share one open; with more room each may have its own.
TEST(HandleCache, HND_13_EightThreadsOnAColdTenantAllSucceed) {
  for (const int room : {1, 8}) {
    Shop shop{room_for(room, kLong)};
    shop.create("acme");
    shop.handles.close_idle();
    const std::int64_t opened = shop.handles.counters().opened;
    std::barrier together{8};
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread)
      threads.emplace_back([&] {
        together.arrive_and_wait();
        HandleLease lease = shop.open("acme");
        write_one(lease);
      });
    threads.clear();
    HandleLease lease = shop.open("acme");
    EXPECT_EQ(count(lease), 8);
    EXPECT_LE(shop.handles.counters().opened - opened, room);
  }
}

TEST(HandleCache, HND_08_SixteenWritersOfATenantAreAllServed) {
  Shop shop{room_for(16)};
  shop.create("acme");
  std::barrier together{16};
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 16; ++writer)
    writers.emplace_back([&] {
      HandleLease lease = shop.open("acme");
      together.arrive_and_wait();
      for (int write = 0; write < 10; ++write) write_one(lease);
    });
  writers.clear();
  HandleLease lease = shop.open("acme");
  EXPECT_EQ(count(lease), 160);
}

TEST(HandleCache, HND_08_PastTheBoundItIsTenantBusy) {
  Shop shop{{.wait_max = milliseconds{0}, .write_wait_max = milliseconds{0}, .application = "shop"}};
  HandleLease first = shop.create("acme");
  HandleLease second = shop.open("acme");
  with_tenant("acme", [&] {
    const TenantTransaction transaction = first->begin();
    EXPECT_EQ(code_of([&] { static_cast<void>(second->begin()); }), ErrorCode::tenant_busy);
  });
  EXPECT_EQ(permanence_of(ErrorCode::tenant_busy), Permanence::transient);
  write_one(second);
}

TEST(HandleCache, HND_08_AnotherProcessesWriterIsTenantBusyToo) {
  Shop shop{{.wait_max = milliseconds{0}, .write_wait_max = milliseconds{0}, .application = "shop"}};
  HandleLease lease = shop.create("acme");
  sqlite::Connection other{shop.path("acme"), {}};
  const sqlite::WriteTransaction transaction{other};
  with_tenant("acme", [&] {
    EXPECT_EQ(code_of([&] { static_cast<void>(lease->begin()); }), ErrorCode::tenant_busy);
  });
}

TEST(HandleCache, HND_09_APoisonedConnectionIsClosed) {
  Shop shop;
  {
    HandleLease lease = shop.create("acme");
    lease.poison();
  }
  EXPECT_EQ(shop.handles.counters().idle, 0);
  static_cast<void>(shop.open("acme"));
  EXPECT_EQ(shop.handles.counters().opened, 2);
  EXPECT_EQ(shop.handles.counters().idle, 1);
}

TEST(HandleCache, ClosingATenantAlsoClosesWhatIsLeasedWhenItEnds) {
  Shop shop;
  shop.create("globex");
  {
    const HandleLease lease = shop.create("acme");
    static_cast<void>(shop.open("acme"));
    EXPECT_EQ(shop.handles.counters().idle, 2);
    shop.handles.close(TenantName{"acme"});
    EXPECT_EQ(shop.handles.counters().idle, 1);
  }
  EXPECT_EQ(shop.handles.counters().idle, 1) << "globex only";
}

TEST(HandleCache, AClosePassesNoLeaseThatComesBackAtThatMoment) {
  Shop shop;
  shop.create("acme");
  const auto pool = std::make_shared<detail::ConnectionPool>(shop.handles.files(), room_for(1));
  {
    Result<HandleLease> lease = pool->acquire(TenantName{"acme"}, {}, HandleAccess::read_write);
    ASSERT_TRUE(lease);
    pool->on_looked_at_for_test = [&] { pool->close(TenantName{"acme"}); };
  }
  pool->on_looked_at_for_test = nullptr;
  EXPECT_EQ(pool->counters().idle, 0);
  EXPECT_TRUE(pool->acquire(TenantName{"acme"}, {}, HandleAccess::read_write)) << "its place is free again";
}

// What users leave on the connection through it (functions, hooks, handlers) would reach the next lease.
TEST(HandleCache, AConnectionWhoseSqliteHandleWasGivenOutIsNotLeasedAgain) {
  Shop shop;
  {
    const HandleLease lease = shop.create("acme");
    with_tenant("acme", [&] {
      lease.handle().read([](TenantReader& reader) {
        EXPECT_EQ(sqlite3_create_function(
                      reader.native(), "leftover", 0, SQLITE_UTF8, nullptr,
                      [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_int(context, 1); },
                      nullptr, nullptr),
                  SQLITE_OK);
      });
    });
  }
  EXPECT_EQ(shop.handles.counters().idle, 0);
  {
    const HandleLease lease = shop.open("acme");
    with_tenant("acme", [&] { static_cast<void>(lease.handle().native()); });
  }
  EXPECT_EQ(shop.handles.counters().idle, 0);
  HandleLease lease = shop.open("acme");
  with_tenant("acme", [&] {
    EXPECT_EQ(
        code_of([&] { lease->read([](TenantReader& reader) { reader.query("select leftover()").next(); }); }),
        ErrorCode::query_failed);
  });
}

TEST(HandleCache, HND_19_TheLastCloseLeavesOnlyTheMainFile) {
  Shop shop;
  {
    HandleLease lease = shop.create("acme");
    write_one(lease);
  }
  shop.handles.close_idle();
  EXPECT_EQ(testing::files_under(shop.folder.path()), std::vector{shop.path("acme")});
}

TEST(HandleCache, ALeaseMayOutliveTheCache) {
  auto shop = std::make_unique<Shop>();
  shop->create("acme");
  auto cache = std::make_unique<HandleCache>(shop->handles.files(), HandleCacheOptions{});
  Result<HandleLease> lease = cache->acquire(TenantName{"acme"}, {});
  ASSERT_TRUE(lease);
  cache.reset();
  write_one(*lease);
}

}  // namespace
}  // namespace tenure
