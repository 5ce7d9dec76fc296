#include "notes.hpp"

#include <gmock/gmock.h>

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;

using AWorld = Notes;

TEST_F(AWorld, PerformsWhatWasEnqueuedInTheDefaultTenant) {
  client().enqueue(AddNote{"milk"});
  EXPECT_TRUE(enqueued<AddNote>());
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_FALSE(enqueued<AddNote>());
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

TEST_F(AWorld, BringsTheJobsOfATransaction) {
  auto handle = tenants().open_current();
  client().transaction(*handle, [](JobTransaction& transaction) { transaction.enqueue(AddNote{"milk"}); });
  EXPECT_EQ(drain().size(), 1U);
  EXPECT_THAT(notes(), ElementsAre("milk"));
}

TEST_F(AWorld, LeavesNoRowOfAnOutboxBehindWhatItHasPerformed) {
  client().enqueue(AddNotes{3});
  EXPECT_EQ(drain_all().succeeded(), 4U);
  EXPECT_EQ(tenants().open_current()->read([](TenantReader& reader) {
    auto rows = reader.query("select count(*) from tenure_outbox");
    rows.next();
    return rows.row().integer(0);
  }),
            0);
}

TEST_F(AWorld, HasTenantsThatTheApplicationMakesItself) {
  client().tenants().create(TenantName{"acme"});
  with_tenants("bolt");
  for (const char* const tenant : {"acme", "bolt"}) client().enqueue(AddNote{"milk"}, {.tenant = tenant});
  EXPECT_EQ(drain().succeeded(), 2U);
  EXPECT_THROW(world().make_tenant(TenantName{"acme"}), TenantExists);
}

struct CountNotes {
  static constexpr std::string_view kind = "notes.count";
  using Result = int;
  template <class Archive>
  void serialize(Archive&) {}
};

class AWorldWithResults : public Notes {
 protected:
  AWorldWithResults() {
    jobs().add<CountNotes>([](const CountNotes&, JobContext& context) {
      return static_cast<int>(context.read([](TenantReader& reader) {
        auto rows = reader.query("select count(*) from note");
        rows.next();
        return rows.row().integer(0);
      }));
    });
  }
};

TEST_F(AWorldWithResults, FindsAJobAndWhatItsHandlerReturned) {
  client().enqueue(AddNote{"milk"});
  const Uuid id = client().enqueue(CountNotes{});
  EXPECT_EQ(client().find(id)->state, ShownState::ready);
  EXPECT_EQ(drain().succeeded(), 2U);
  EXPECT_TRUE(client().find(id)->has_succeeded());
  EXPECT_EQ(client().result<CountNotes>(id), 1);
}

TEST_F(AWorldWithResults, FindsItInlineToo) {
  world().perform_inline();
  client().enqueue(AddNote{"milk"});
  const Uuid id = client().enqueue(CountNotes{});
  EXPECT_EQ(client().result<CountNotes>(id), 1);
}

}  // namespace
}  // namespace tenure::testing
