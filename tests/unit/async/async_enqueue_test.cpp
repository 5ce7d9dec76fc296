#include "pings.hpp"
#include "support/in_child.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/use_future.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <new>
#include <thread>

namespace tenure::testing {

// A completion token of an application's own: what a call returns is where its outcome will be.
struct Noted {
  boost::asio::io_context& loop;
};

}  // namespace tenure::testing

template <class Answer>
struct boost::asio::async_result<tenure::testing::Noted, void(std::exception_ptr, Answer)> {
  using Outcome = tenure::testing::Outcome<Answer>;

  template <class Initiation, class... Arguments>
  static std::shared_ptr<Outcome> initiate(Initiation&& initiation, const tenure::testing::Noted& token,
                                           Arguments&&... arguments) {
    auto outcome = std::make_shared<Outcome>();
    std::forward<Initiation>(initiation)(
        boost::asio::bind_executor(token.loop,
                                   [outcome](std::exception_ptr error, Answer answer) {
                                     ++outcome->times;
                                     outcome->error = std::move(error);
                                     outcome->answer = std::move(answer);
                                   }),
        std::forward<Arguments>(arguments)...);
    return outcome;
  }
};

// Enqueues from an event loop: what each call ends with, once, whatever happens to it.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(AsyncClient, ACallbackIsToldTheIdOnItsExecutorAndNeverFromWithin) {
  Outcome<Uuid> outcome;
  std::thread::id told_on;
  client_->async_enqueue(Ping{1}, kUntenanted,
                         asio::bind_executor(loop_, [&](const std::exception_ptr& error, Uuid id) {
                           ++outcome.times;
                           outcome.error = error;
                           outcome.answer = id;
                           told_on = std::this_thread::get_id();
                         }));
  EXPECT_EQ(outcome.times, 0);
  loop_.run();  // which stays until the call has ended
  EXPECT_EQ(outcome.times, 1);
  EXPECT_EQ(outcome.code(), std::nullopt);
  EXPECT_EQ(told_on, std::this_thread::get_id());
  EXPECT_TRUE(has(*outcome.answer));
}

TEST_F(AsyncClient, AFutureHasTheIdOrThrowsTheTypedError) {
  EXPECT_TRUE(has(client_->async_enqueue(Ping{1}, kUntenanted, asio::use_future).get()));
  auto without_tenant = client_->async_enqueue(Ping{1}, {}, asio::use_future);
  EXPECT_THROW(static_cast<void>(without_tenant.get()), NoTenant);
  auto with_options =
      client_->async_enqueue(Ping{1}, {.priority = 101, .untenanted = true}, asio::use_future);
  EXPECT_THROW(static_cast<void>(with_options.get()), BadOptions);
  auto unknown = client_->async_enqueue(Ping{1}, {.tenant = "nobody"}, asio::use_future);
  EXPECT_THROW(static_cast<void>(unknown.get()), TenantDoesNotExist);
  EXPECT_EQ(jobs(), 1);
}

// Whose options cannot be told: by an exception of the application's own.
template <class Exception>
struct WithoutOptions {
  static constexpr std::string_view kind = "test.without_options";
  static JobOptions options() { throw Exception{}; }
  template <class Archive>
  void serialize(Archive&) {}
};
struct NoReason {};

TEST_F(AsyncClient, WhateverAJobsOwnCodeThrowsIsTheCallsOutcome) {
  std::array<Outcome<Uuid>, 2> outcomes;
  EXPECT_NO_THROW(
      client_->async_enqueue(WithoutOptions<std::bad_function_call>{}, kUntenanted, into(outcomes[0])));
  EXPECT_NO_THROW(client_->async_enqueue(WithoutOptions<NoReason>{}, kUntenanted, into(outcomes[1])));
  Outcome<std::vector<BulkItem>> bulk;
  const std::array<WithoutOptions<std::bad_alloc>, 2> jobs_of_bulk{};
  EXPECT_NO_THROW(
      client_->async_enqueue_all(jobs_of_bulk, kUntenanted, BulkRule::store_good_ones, into(bulk)));
  loop_.run();
  EXPECT_EQ(outcomes[0].code(), ErrorCode::internal);
  EXPECT_EQ(outcomes[1].code(), ErrorCode::internal);
  EXPECT_EQ(bulk.code(), ErrorCode::out_of_memory);
  EXPECT_EQ(jobs(), 0);
}

TEST_F(AsyncClient, ATokenOfAnApplicationsOwnServesToo) {
  const auto one = client_->async_enqueue(Ping{1}, kUntenanted, Noted{loop_});
  const std::array<Ping, 2> pings{};
  const auto all = client_->async_enqueue_all(pings, kUntenanted, BulkRule::store_good_ones, Noted{loop_});
  loop_.run();
  EXPECT_EQ(one->times + all->times, 2);
  EXPECT_TRUE(has(one->answer.value()));
  EXPECT_EQ(all->answer->size(), 2U);
}

TEST_F(AsyncClient, ALazyCallThatIsStartedTwiceIsTheSameJobs) {
  const std::array<Ping, 2> pings{Ping{1}, Ping{2}};
  auto lazy = client_->async_enqueue_all(pings, kUntenanted, BulkRule::store_good_ones, asio::deferred);
  std::array<Outcome<std::vector<BulkItem>>, 2> outcomes;
  for (auto& outcome : outcomes) {
    auto again = lazy;
    std::move(again)(into(outcome));
    loop_.restart();
    loop_.run();
    ASSERT_EQ(outcome.code(), std::nullopt);
  }
  EXPECT_EQ(outcomes[0].answer->at(1).id, outcomes[1].answer->at(1).id);
  EXPECT_EQ(jobs(), 2);
}

TEST_F(AsyncClient, TheTenantIsThatOfTheCallAndNotOfTheStartOfALazyOne) {
  static_cast<void>(store_->registry().begin_create(TenantName{"acme"}, clock_.wall()));
  auto lazy = with_tenant("acme", [&] { return client_->async_enqueue(Ping{1}, {}, asio::deferred); });
  Outcome<Uuid> outcome;
  std::move(lazy)(into(outcome));
  loop_.run();
  ASSERT_EQ(outcome.code(), std::nullopt);
  store_->read([&](queue::JobReader& reader) {
    EXPECT_EQ(reader.find_job({*outcome.answer})->tenant, TenantName{"acme"});
  });
}

TEST_F(AsyncClient, AThousandThatWaitShareOneCommitAndOneSync) {
  Outcome<Uuid> first;
  enqueue_up_to_its_sync(first);
  constexpr std::size_t kCalls = 1'000;
  std::vector<Outcome<Uuid>> outcomes(kCalls);
  for (auto& outcome : outcomes) client_->async_enqueue(Ping{2}, kUntenanted, into(outcome));
  loop_.poll();
  EXPECT_EQ(first.times, 0) << "its sync is not over";
  const int before = gate_.arrived();
  gate_.open();
  loop_.restart();
  loop_.run();
  EXPECT_EQ(gate_.arrived(), before + 1);
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.times, 1);
    EXPECT_EQ(outcome.code(), std::nullopt);
  }
  EXPECT_EQ(jobs(), static_cast<std::int64_t>(kCalls) + 1);
}

TEST_F(AsyncClient, NoneEndsBeforeASyncThatCoversIt) {
  Outcome<Uuid> first;
  Outcome<Uuid> second;
  enqueue_up_to_its_sync(first);
  client_->async_enqueue(Ping{2}, kUntenanted, into(second));
  const int before = gate_.arrived();
  gate_.let_one_pass();
  gate_.wait_for_arrivals(before + 1);
  while (first.times == 0) loop_.run_one();
  loop_.poll();
  EXPECT_EQ(second.times, 0);
  gate_.open();
  loop_.run();
  EXPECT_EQ(second.code(), std::nullopt);
  EXPECT_EQ(second.times, 1);
}

TEST_F(AsyncClient, WhatIsRefusedAmongOthersIsTheirsAlone) {
  Outcome<Uuid> first;
  enqueue_up_to_its_sync(first);
  const Uuid id = uuids_of_process().next(clock_.wall());
  std::array<Outcome<Uuid>, 3> outcomes;
  client_->async_enqueue(Ping{1}, {.id = id, .untenanted = true}, into(outcomes[0]));
  client_->async_enqueue(Ping{2}, {.id = id, .untenanted = true}, into(outcomes[1]));
  client_->async_enqueue(Ping{3}, kUntenanted, into(outcomes[2]));
  gate_.open();
  loop_.run();
  EXPECT_EQ(outcomes[0].answer, id);
  EXPECT_EQ(outcomes[1].code(), ErrorCode::id_conflict);
  EXPECT_EQ(outcomes[2].code(), std::nullopt);
  EXPECT_EQ(jobs(), 3);
}

TEST_F(AsyncClient, ACancelledCallThatWaitedHasStoredNothing) {
  Outcome<Uuid> first;
  Outcome<Uuid> second;
  enqueue_up_to_its_sync(first);
  asio::cancellation_signal cancel;
  const Uuid id = uuids_of_process().next(clock_.wall());
  client_->async_enqueue(Ping{2}, {.id = id, .untenanted = true},
                         asio::bind_cancellation_slot(cancel.slot(), into(second)));
  cancel.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(second.times, 0) << "never from within";
  while (second.times == 0) loop_.run_one();
  EXPECT_EQ(second.code(), ErrorCode::interrupted);
  cancel.emit(asio::cancellation_type::terminal);  // of nobody's
  gate_.open();
  loop_.run();
  EXPECT_EQ(first.times, 1);
  EXPECT_EQ(second.times, 1);
  EXPECT_FALSE(has(id));
}

TEST_F(AsyncClient, ACancelledCallWhoseCommitIsUnderWayEndsAsStored) {
  Outcome<Uuid> outcome;
  asio::cancellation_signal cancel;
  gate_.close_after(0);
  const int before = gate_.arrived();
  client_->async_enqueue(Ping{1}, kUntenanted, asio::bind_cancellation_slot(cancel.slot(), into(outcome)));
  gate_.wait_for_arrivals(before + 1);
  cancel.emit(asio::cancellation_type::terminal);
  loop_.poll();
  EXPECT_EQ(outcome.times, 0) << "nobody knows yet";
  gate_.open();
  loop_.restart();
  loop_.run();
  EXPECT_EQ(outcome.code(), std::nullopt);
  EXPECT_TRUE(has(*outcome.answer));
}

TEST_F(AsyncClient, ENQ_17_ATimeOutOfTheCallersIsNoNoAndTheSameIdAgainIsOneJob) {
  gate_.close_after(0);
  const Uuid id = uuids_of_process().next(clock_.wall());
  const EnqueueOptions with_id{.id = id, .untenanted = true};
  const int before = gate_.arrived();
  auto future = client_->async_enqueue(Ping{1}, with_id, asio::use_future);
  gate_.wait_for_arrivals(before + 1);
  EXPECT_EQ(future.wait_for(0s), std::future_status::timeout);  // and he asks again
  Outcome<Uuid> again;
  client_->async_enqueue(Ping{1}, with_id, into(again));
  std::thread in_another_way([&] { EXPECT_EQ(client_->enqueue(Ping{1}, with_id), id); });
  gate_.open();
  loop_.run();
  in_another_way.join();
  EXPECT_EQ(again.answer, id);
  EXPECT_EQ(future.get(), id);
  EXPECT_EQ(jobs(), 1);
}

TEST_F(AsyncClient, MoreThanMayWaitIsRefusedAtOnceAndStoresNothing) {
  client_.emplace(*store_, clock_, ClientOptions{.application = "test", .waiting_jobs_max = 2});
  Outcome<Uuid> first;
  Outcome<Uuid> second;
  Outcome<Uuid> third;
  enqueue_up_to_its_sync(first);
  client_->async_enqueue(Ping{2}, kUntenanted, into(second));
  client_->async_enqueue(Ping{3}, kUntenanted, into(third));
  while (third.times == 0) loop_.run_one();
  EXPECT_EQ(third.code(), ErrorCode::limit_reached);
  gate_.open();
  loop_.run();
  EXPECT_EQ(second.code(), std::nullopt);
  EXPECT_EQ(jobs(), 2);
  Outcome<Uuid> later;
  client_->async_enqueue(Ping{4}, kUntenanted, into(later));
  loop_.restart();
  loop_.run();
  EXPECT_EQ(later.code(), std::nullopt);
}

TEST_F(AsyncClient, TheClientsEndEndsEachCallOnce) {
  Outcome<Uuid> under_way;
  Outcome<Uuid> waits;
  Outcome<FoundJob> waits_for_end;
  client_->async_enqueue(Ping{0}, kUntenanted, into(waits));  // which the lazy one has been before
  loop_.run();
  loop_.restart();
  const Uuid scheduled = client_->enqueue(Ping{1}, {.run_in = 1h, .untenanted = true});
  waits = {};
  enqueue_up_to_its_sync(under_way);
  client_->async_enqueue(Ping{2}, kUntenanted, into(waits));
  client_->async_wait(scheduled, {.untenanted = true}, into(waits_for_end));
  auto lazy = client_->async_enqueue(Ping{3}, kUntenanted, asio::deferred);
  std::thread ends([&] { client_.reset(); });
  while (waits.times == 0 || waits_for_end.times == 0) loop_.run_one();
  EXPECT_EQ(waits.code(), ErrorCode::interrupted);
  EXPECT_EQ(waits_for_end.code(), ErrorCode::interrupted);
  EXPECT_EQ(under_way.times, 0) << "its commit is under way";
  gate_.open();
  ends.join();
  Outcome<Uuid> too_late;
  std::move(lazy)(into(too_late));
  loop_.run();
  EXPECT_EQ(under_way.code(), std::nullopt);
  EXPECT_EQ(too_late.code(), ErrorCode::interrupted);
  for (const int times : {under_way.times, waits.times, waits_for_end.times, too_late.times})
    EXPECT_EQ(times, 1);
  EXPECT_EQ(jobs(), 3);
}

TEST_F(AsyncClient, AFailedSyncIsToldToEachThatSharedIt) {
  Outcome<Uuid> first;
  enqueue_up_to_its_sync(first);
  std::array<Outcome<Uuid>, 3> outcomes;
  for (auto& outcome : outcomes) client_->async_enqueue(Ping{1}, kUntenanted, into(outcome));
  constexpr int kIoErrorOfSync = 1034;  // SQLite's number
  gate_.answer(kIoErrorOfSync);
  gate_.open();
  loop_.run();
  EXPECT_EQ(first.code(), ErrorCode::disk_sync_failed);
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.code(), ErrorCode::disk_sync_failed);
}

TEST_F(AsyncClient, ABulkTellsItsItemsInTheirOrderAndStoresTheGoodOnes) {
  Outcome<std::vector<BulkItem>> outcome;
  const std::array<Ping, 3> pings{Ping{1}, Ping{2}, Ping{3}};
  client_->async_enqueue_all(pings, kUntenanted, BulkRule::store_good_ones, into(outcome));
  loop_.run();
  ASSERT_EQ(outcome.code(), std::nullopt);
  ASSERT_EQ(outcome.answer->size(), 3U);
  for (const BulkItem& item : *outcome.answer) EXPECT_TRUE(has(item.id));

  Outcome<std::vector<BulkItem>> bad;
  client_->async_enqueue_all(pings, {.tenant = "nobody"}, BulkRule::store_good_ones, into(bad));
  loop_.restart();
  loop_.run();
  ASSERT_EQ(bad.answer->size(), 3U);
  for (const BulkItem& item : *bad.answer) EXPECT_EQ(item.failure->code, ErrorCode::tenant_does_not_exist);
}

TEST_F(AsyncClient, ABulkOfAllOrNothingStoresNothingAndLeavesThoseBesideItAlone) {
  Outcome<Uuid> first;
  enqueue_up_to_its_sync(first);
  Outcome<Uuid> before;
  Outcome<std::vector<BulkItem>> bulk;
  Outcome<Uuid> behind;
  const std::vector<Ping> pings(2);
  client_->async_enqueue(Ping{1}, kUntenanted, into(before));
  client_->async_enqueue_all(pings, {.tenant = "nobody"}, BulkRule::all_or_nothing, into(bulk));
  client_->async_enqueue(Ping{2}, kUntenanted, into(behind));
  gate_.open();
  loop_.run();
  EXPECT_EQ(bulk.code(), ErrorCode::tenant_does_not_exist);
  EXPECT_EQ(before.code(), std::nullopt);
  EXPECT_EQ(behind.code(), std::nullopt);
  EXPECT_EQ(jobs(), 3);
}

TEST_F(AsyncClient, AChildOfForkIsRefusedAndItsParentGoesOn) {
  Outcome<Uuid> before;
  client_->async_enqueue(Ping{1}, kUntenanted, into(before));
  loop_.run();
  auto lazy = client_->async_enqueue(Ping{1}, kUntenanted, asio::deferred);
  EXPECT_EQ(
      in_child([&] {
        if (!throws<ForkedProcess>([&] { client_->async_enqueue(Ping{2}, kUntenanted, [](auto&&...) {}); }))
          return 1;
        Outcome<Uuid> outcome;
        asio::io_context loop_of_child;
        std::move(lazy)(asio::bind_executor(
            loop_of_child, [&](std::exception_ptr error, Uuid) { outcome.error = std::move(error); }));
        loop_of_child.run();
        client_.reset();
        return outcome.code() == ErrorCode::forked_process ? 0 : 2;
      }),
      0);
  Outcome<Uuid> after;
  client_->async_enqueue(Ping{3}, kUntenanted, into(after));
  loop_.restart();
  loop_.run();
  EXPECT_EQ(after.code(), std::nullopt);
  EXPECT_EQ(jobs(), 2);
}

TEST_F(AsyncClient, AnyThreadMayCall) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 100;
  std::vector<std::thread> threads;
  for (int each = 0; each < kThreads; ++each)
    threads.emplace_back([&] {
      std::vector<std::future<Uuid>> futures;
      futures.reserve(kCalls);
      for (int call = 0; call < kCalls; ++call)
        futures.push_back(client_->async_enqueue(Ping{call}, kUntenanted, asio::use_future));
      for (auto& future : futures) EXPECT_NO_THROW(static_cast<void>(future.get()));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(jobs(), kThreads * kCalls);
}

}  // namespace
}  // namespace tenure::testing
