#include "bookkeeping.hpp"

#include <tenure/jobs/bind_tenant.hpp>
#include <tenure/tenancy/scope.hpp>

#include <gmock/gmock.h>

#include <future>
#include <optional>
#include <thread>

namespace tenure {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT

class BindTenant : public Bookkeeping {
 protected:
  // What a handler of acme's job does.
  std::optional<queue::AttemptFailure> handled(std::function<void(JobContext&)> handler) {
    jobs_.add<PayInvoice>(
        [handler = std::move(handler)](const PayInvoice&, JobContext& context) { handler(context); });
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    return perform(claim());
  }
  static void on_another_thread(const std::function<void()>& function) {
    std::async(std::launch::async, function).get();
  }
  static void pay(TenantHandle& handle) {
    handle.write([](TenantTransaction& transaction) { transaction.execute("update invoice set paid = 1"); });
  }
};

TEST_F(BindTenant, CTX_14_CarriesTenantGenerationAndLeaseIntoAThreadAndRefusesBehindTheEndOfTheJob) {
  std::function<void()> kept;
  std::optional<TenantName> tenant;
  Generation generation;
  const auto failure = handled([&](JobContext&) {
    const std::function<void()> bound = bind_tenant([&](TenantHandle& handle) {
      tenant = current_tenant();
      generation = current_generation();
      EXPECT_EQ(handle.tenant(), TenantName("acme"));
      pay(handle);
    });
    on_another_thread([&] {
      EXPECT_FALSE(current_tenant());
      bound();
      EXPECT_FALSE(current_tenant());
    });
    kept = bound;
  });
  EXPECT_EQ(failure, std::nullopt);
  EXPECT_EQ(tenant, TenantName("acme"));
  EXPECT_EQ(generation, Generation{1});
  EXPECT_EQ(paid("acme"), 1);
  EXPECT_EQ(paid("bolt"), 0);
  EXPECT_EQ(handles_.counters().leased, 0);
  tenant.reset();
  on_another_thread([&] { EXPECT_THROW(kept(), Error); });
  EXPECT_THROW(kept(), Error) << "nor on the thread of the job that has ended";
  EXPECT_FALSE(tenant);
}

TEST_F(BindTenant, AJobThatThrowsHasEndedToo) {
  std::function<void()> kept;
  EXPECT_TRUE(handled([&](JobContext&) {
    kept = bind_tenant([] {});
    throw std::runtime_error("no");
  }));
  try {
    kept();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, ErrorCode::state_changed);
    EXPECT_THAT(error.failure().message, HasSubstr("the job has ended"));
  }
}

TEST_F(BindTenant, TheRunWaitsForCallsThatHaveBegun) {
  std::promise<void> begun;
  std::promise<void> go_on;
  bool has_ended = false;
  std::thread thread;
  std::thread releases;
  EXPECT_EQ(handled([&](JobContext&) {
              thread = std::thread(bind_tenant([&](TenantHandle& handle) {
                begun.set_value();
                go_on.get_future().get();
                pay(handle);
                has_ended = true;
              }));
              begun.get_future().get();
              releases = std::thread([&] { go_on.set_value(); });
            }),
            std::nullopt);
  EXPECT_TRUE(has_ended);
  EXPECT_EQ(paid("acme"), 1);
  thread.join();
  releases.join();
}

TEST_F(BindTenant, PassesArgumentsAndValuesThroughAndRefusesAnotherTenantsThread) {
  EXPECT_EQ(handled([&](JobContext&) {
              const auto sum = bind_tenant([](int a, int b) { return a + b; });
              EXPECT_EQ(std::async(std::launch::async, sum, 2, 3).get(), 5);
              auto in_acme = bind_tenant([] {});
              on_another_thread(
                  [&] { with_tenant("bolt", [&] { EXPECT_THROW(in_acme(), TenantSwapProhibited); }); });
            }),
            std::nullopt);
}

TEST_F(BindTenant, InAHandlerTheTenantThatIsCurrentIsBound) {
  std::function<void()> kept;
  std::optional<TenantName> tenant;
  EXPECT_EQ(handled([&](JobContext&) {
              kept = with_tenant("bolt", AllowSwap{},
                                 [&] { return bind_tenant([&] { tenant = current_tenant(); }); });
              on_another_thread(kept);
              auto wants_handle =
                  with_tenant("bolt", AllowSwap{}, [] { return bind_tenant([](TenantHandle&) {}); });
              on_another_thread([&] { EXPECT_THROW(wants_handle(), BadOptions); });
              without_tenant([] { EXPECT_THROW(static_cast<void>(bind_tenant([] {})), NoTenant); });
            }),
            std::nullopt);
  EXPECT_EQ(tenant, TenantName("bolt"));
  EXPECT_THROW(kept(), Error) << "behind the end of the job";
}

TEST_F(BindTenant, AnUntenantedJobBindsTheTenantThatItEnters) {
  std::function<void()> kept;
  std::optional<TenantName> tenant;
  jobs_.add<PayAll>([&](const PayAll&, JobContext&) {
    EXPECT_THROW(static_cast<void>(bind_tenant([] {})), NoTenant);
    kept = with_tenant("bolt", [&] { return bind_tenant([&] { tenant = current_tenant(); }); });
    on_another_thread(kept);
  });
  client_.enqueue(PayAll{}, {.untenanted = true});
  EXPECT_EQ(perform(claim()), std::nullopt);
  EXPECT_EQ(tenant, TenantName("bolt"));
  EXPECT_THROW(kept(), Error) << "behind the end of the job";
}

TEST_F(BindTenant, WhatABoundCallBindsIsOfTheSameJob) {
  std::function<void()> kept;
  EXPECT_EQ(handled([&](JobContext&) {
              on_another_thread(bind_tenant([&] {
                kept = bind_tenant([](TenantHandle& handle) { pay(handle); });
                on_another_thread(kept);
              }));
            }),
            std::nullopt);
  EXPECT_EQ(paid("acme"), 1);
  try {
    kept();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, ErrorCode::state_changed);
  }
}

TEST_F(BindTenant, TheRunWaitsForTheLeasesOfItsCalls) {
  std::promise<void> begun;
  std::thread thread;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext&) {
    thread = std::thread(bind_tenant([&](TenantHandle&) { begun.set_value(); }));
    begun.get_future().get();
  });
  for (int time = 0; time < 100; ++time) {
    begun = {};
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    EXPECT_EQ(perform(claim()), std::nullopt);
    EXPECT_EQ(handles_.counters().leased, 0);
    thread.join();
  }
}

TEST_F(BindTenant, OfAScopeOutsideOfJobsCarriesTheTenantAlone) {
  EXPECT_THROW(static_cast<void>(bind_tenant([] {})), NoTenant);
  std::optional<TenantName> tenant;
  auto bound = with_tenant("bolt", [&] { return bind_tenant([&] { tenant = current_tenant(); }); });
  on_another_thread([&] { bound(); });
  EXPECT_EQ(tenant, TenantName("bolt"));
  auto wants_handle = with_tenant("bolt", [&] { return bind_tenant([](TenantHandle&) {}); });
  EXPECT_THROW(wants_handle(), BadOptions);
}

// No name of a tenant has a dot.
TEST_F(BindTenant, AKeyNamesTenantAndGeneration) {
  std::vector<std::string> keys;
  jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
    keys.push_back(context.key("users/1"));
    EXPECT_THROW(static_cast<void>(context.key("")), BadOptions);
  });
  for (const char* const tenant : {"acme", "bolt"}) {
    with_tenant(tenant, [&] { client_.enqueue(PayInvoice{invoice_of(tenant)}); });
    EXPECT_EQ(perform(claim()), std::nullopt);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"acme.1/users/1", "bolt.1/users/1"}));
}

}  // namespace
}  // namespace tenure
