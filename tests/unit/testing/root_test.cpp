#include "notes.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <support/temporary_folder.hpp>
#include <thread>

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

WorldOptions options_in(const TemporaryFolder& folder) {
  WorldOptions options = notes_options();
  options.folder = folder.path();
  return options;
}

void add_notes(World& world, const std::string& text) {
  world.jobs().add<AddNote>([](const AddNote& job, JobContext& context) {
    context.write([&](TenantTransaction& transaction) {
      transaction.execute("insert into note (text) values (?)", job.text);
    });
  });
  for (int note = 0; note < 20; ++note) {
    world.client().enqueue(AddNote{text});
    world.drain_all();
  }
}

std::vector<std::string> distinct_notes(World& world) {
  return world.tenants().open_current()->read([](TenantReader& reader) {
    std::vector<std::string> texts;
    for (const TenantRow& row : reader.query("select distinct text from note"))
      texts.emplace_back(row.text(0));
    return texts;
  });
}

TEST(RootOfAWorld, TST_05_ParallelTestsDoNotMeetAndNothingIsLeftBehind) {
  const TemporaryFolder folder;
  std::vector<std::vector<std::string>> seen(4);
  {
    std::vector<std::jthread> tests;
    for (std::size_t test = 0; test < seen.size(); ++test)
      tests.emplace_back([&, test] {
        World world(options_in(folder));
        add_notes(world, "note of " + std::to_string(test));
        seen[test] = distinct_notes(world);
        EXPECT_THAT(world.finish(), IsEmpty());
      });
  }
  for (std::size_t test = 0; test < seen.size(); ++test)
    EXPECT_THAT(seen[test], ElementsAre("note of " + std::to_string(test)));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RootOfAWorld, GoesWhenATestLeavesBySomethingThrown) {
  const TemporaryFolder folder;
  const auto test = [&] {
    World world(options_in(folder));
    EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
    throw std::runtime_error("the test is over");
  };
  EXPECT_THROW(test(), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_EQ(current_tenant(), std::nullopt);
}

TEST(RootOfAWorld, GoesWhereTheWorldCouldNotBeMade) {
  const TemporaryFolder folder;
  WorldOptions options = options_in(folder);
  options.migrations = {{1, "0001_bad.sql", "create nonsense"}};
  EXPECT_THROW(World{options}, QueryFailed);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RootOfAWorld, TST_10_ATenantIsACopyOfAMigratedTemplateAndNeedNotBeNamed) {
  WorldOptions options = notes_options();
  // It would fail the second time in one database, and tells how often it was carried out.
  options.migrations.push_back({2, "0002_made.sql", "insert into note (text) values (hex(randomblob(8)))"});
  World first(options);
  first.with_tenants("acme", "bolt");
  const auto note_of = [](World& world, const char* tenant) {
    return with_tenant(tenant, [&] { return distinct_notes(world); });
  };
  const auto made = note_of(first, "acme");
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(note_of(first, "bolt"), made);
  EXPECT_EQ(note_of(first, "test"), made);
  World second(options);
  EXPECT_EQ(distinct_notes(second), made);
  options.application = "another";
  World third(options);
  EXPECT_NE(distinct_notes(third), made);
}

}  // namespace
}  // namespace tenure::testing
