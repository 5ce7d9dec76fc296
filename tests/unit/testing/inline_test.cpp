#include "notes.hpp"

#include <tenure/tenancy/scope.hpp>

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

// Jobs that are performed where they are asked for, inside of whatever scope that is.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;

struct AskScope {
  static constexpr std::string_view kind = "notes.ask_scope";
};
struct Break {
  static constexpr std::string_view kind = "notes.break";
};

class Inline : public Notes {
 protected:
  Inline() {
    with_tenants("acme", "bolt");
    jobs().add<AskScope>([this](const AskScope&, JobContext&) { seen_.push_back(name_of_current()); });
    // Inside of another scope still.
    jobs().add<Break>([this](const Break&, JobContext&) {
      seen_.push_back(name_of_current());
      with_tenant("acme", AllowSwap{}, [] { throw std::runtime_error("out of ink"); });
    });
  }
  static std::string name_of_current() {
    const auto tenant = current_tenant();
    return tenant ? tenant->text() + '.' + std::to_string(current_generation().value) : "none";
  }
  template <class Job>
  Uuid job_of(std::string_view tenant, const Job& job) {
    return client().enqueue(job, {.tenant = tenant});
  }
  // The scope before `function` is the one behind it.
  template <class Function>
  static void keeps_scope(Function&& function) {
    const std::string before = name_of_current();
    const std::size_t depth = scope_depth();
    function();
    EXPECT_EQ(name_of_current(), before);
    EXPECT_EQ(scope_depth(), depth);
  }
  queue::JobRecord record(const Uuid& id) {
    std::optional<queue::JobRecord> job;
    world().store().read([&](queue::JobReader& reader) { job = reader.find_job({id}); });
    return job.value();
  }

  std::vector<std::string> seen_;
};

TEST_F(Inline, CTX_08_InsideOfAnotherTenantItIsRefusedElseItWorksAndTheCallersScopeIsUnchanged) {
  const Uuid asked = job_of("bolt", AskScope{});
  const Uuid broken = job_of("bolt", Break{});
  const Uuid last = job_of("bolt", AskScope{});
  const queue::JobRecord before = record(asked);
  with_tenant("acme", [&] {
    for (const Uuid& id : {asked, broken})
      keeps_scope([&] { EXPECT_THROW(perform_now(id), TenantSwapProhibited); });
  });
  EXPECT_THAT(seen_, ElementsAre());
  EXPECT_EQ(record(asked).state, before.state);
  EXPECT_EQ(record(asked).releases, 0);
  EXPECT_EQ(record(asked).failures, 0);
  EXPECT_TRUE(world().runs().empty());

  with_tenant("bolt", [&] {
    keeps_scope([&] { EXPECT_TRUE(perform_now(asked).has_succeeded()); });
    keeps_scope([&] { EXPECT_FALSE(perform_now(broken).has_succeeded()) << "its handler has thrown"; });
  });
  keeps_scope([&] { EXPECT_TRUE(perform_now(last).has_succeeded()); });
  EXPECT_THAT(seen_, ElementsAre("bolt.1", "bolt.1", "bolt.1"));
}

TEST_F(Inline, CTX_08_AnEnqueuePerformsNothingOfAnotherTenantEither) {
  const Uuid of_bolt = job_of("bolt", AskScope{});
  perform_inline();
  with_tenant("acme", [&] {
    keeps_scope([&] { client().enqueue(AskScope{}); });
    keeps_scope([&] { client().enqueue(Break{}); });
    // What has no tenant has none here either, and is nobody's to refuse.
    keeps_scope([&] { client().enqueue(AskScope{}, {.untenanted = true}); });
  });
  EXPECT_THAT(seen_, ElementsAre("acme.1", "acme.1", "none"));
  EXPECT_EQ(record(of_bolt).state, queue::ShownState::ready);
  with_tenant("bolt", [&] { keeps_scope([&] { client().enqueue(AskScope{}); }); });
  EXPECT_THAT(seen_, ElementsAre("acme.1", "acme.1", "none", "bolt.1", "bolt.1"));
  EXPECT_EQ(record(of_bolt).state, queue::ShownState::succeeded);
  job_of("acme", AskScope{});
  EXPECT_EQ(seen_.size(), 6U) << "outside of every tenant all are performed";
}

TEST_F(Inline, PermissionToSwapHoldsForItToo) {
  const Uuid id = job_of("bolt", AskScope{});
  with_tenant("acme", [&] {
    keeps_scope([&] { with_tenant("bolt", AllowSwap{}, [&] { perform_now(id); }); });
    const Uuid other = client().enqueue(AskScope{}, {.untenanted = true});
    keeps_scope([&] { perform_now(other); });
  });
  EXPECT_THAT(seen_, ElementsAre("bolt.1", "none"));
}

TEST_F(Inline, WhatCannotBePerformedNowIsRefused) {
  EXPECT_THROW(perform_now(*Uuid::parse("019cadff-0000-7000-8000-000000000001")), JobNotFound);
  const Uuid later = client().enqueue(AskScope{}, {.run_in = std::chrono::seconds{1}, .tenant = "acme"});
  EXPECT_THROW(perform_now(later), StateChanged);
  const Uuid done = job_of("acme", AskScope{});
  perform_now(done);
  EXPECT_THROW(perform_now(done), StateChanged);
}

}  // namespace
}  // namespace tenure::testing
