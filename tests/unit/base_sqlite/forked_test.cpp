#include "items.hpp"
#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/database.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace tenure::sqlite {
namespace {

using tenure::testing::in_child;
using tenure::testing::TemporaryFolder;
using tenure::testing::throws;

constexpr Query kInsertForked{"insert_forked_item", "insert into item(id) values(?1)"};

// A database that its process has open, and what a child of fork() can do to it.
class ForkedTest : public ::testing::Test {
 protected:
  ForkedTest() {
    database_->write(Durability::durable, [](Connection& connection) { connection.execute(kItemTable); });
  }
  static void insert(Database& database, int id) {
    database.write(Durability::durable,
                   [id](Connection& connection) { connection.statement(kInsertForked).bind(id).run(); });
  }
  std::int64_t count() {
    std::int64_t rows = 0;
    database_->read(
        [&](Connection& connection) { rows = connection.statement(kCountItems).row().integer(0); });
    return rows;
  }

  TemporaryFolder folder_;
  std::optional<Database> database_{
      std::in_place, folder_ / "one.db",
      DatabaseOptions{.connection = {.access = Access::create}, .writer_queue = true}};
};

TEST_F(ForkedTest, EveryCallIsRefusedInTheChild) {
  EXPECT_EQ(in_child([&] {
              int refused = 0;
              refused += throws<ForkedProcess>([&] { insert(*database_, 1); }) ? 1 : 0;
              refused += throws<ForkedProcess>([&] { static_cast<void>(count()); }) ? 1 : 0;
              refused += throws<ForkedProcess>([&] { database_->sync(); }) ? 1 : 0;
              refused += throws<ForkedProcess>([&] { database_->checkpoint(); }) ? 1 : 0;
              refused += throws<ForkedProcess>([&] { static_cast<void>(database_->data_version()); }) ? 1 : 0;
              return refused;
            }),
            5);
  insert(*database_, 2);
  EXPECT_EQ(count(), 1);
}

TEST_F(ForkedTest, TheChildsDestructorLeavesTheFileToTheParent) {
  insert(*database_, 1);
  EXPECT_EQ(in_child([&] {
              database_.reset();
              return 0;
            }),
            0);
  insert(*database_, 2);
  EXPECT_EQ(count(), 2);
}

TEST_F(ForkedTest, ATransactionThatIsOpenAtTheForkIsTheParents) {
  database_->write(Durability::durable, [&](Connection& connection) {
    connection.statement(kInsertForked).bind(1).run();
    EXPECT_EQ(in_child([&] {
                return throws<ForkedProcess>([&] { connection.statement(kInsertForked).bind(2).run(); }) ? 1
                                                                                                         : 0;
              }),
              1);
    connection.statement(kInsertForked).bind(3).run();
  });
  EXPECT_EQ(count(), 2);
}

TEST_F(ForkedTest, AStatementThatIsOpenAtTheForkIsTheParents) {
  for (int id = 1; id <= 3; ++id) insert(*database_, id);
  static constexpr Query kIds{"forked_ids", "select id from item order by id"};
  database_->read([&](Connection& connection) {
    Statement ids = connection.statement(kIds);
    ASSERT_TRUE(ids.step());
    EXPECT_EQ(in_child([&] { return throws<ForkedProcess>([&] { ids.step(); }) ? 1 : 0; }), 1);
    EXPECT_TRUE(ids.step());
    EXPECT_EQ(ids.integer(0), 2);
  });
}

// SQLite of the child has a copy of the parent's locks: it would find the file locked, or take no lock of its own.
TEST_F(ForkedTest, TheChildCannotOpenADatabaseWhileTheParentHadOne) {
  EXPECT_EQ(in_child([&] {
              return throws<ForkedProcess>([&] {
                       Connection{folder_ / "one.db", {}};
                     }) && throws<ForkedProcess>([&] {
                       Connection{folder_ / "two.db", {.access = Access::create}};
                     })
                         ? 1
                         : 0;
            }),
            1);
}

TEST_F(ForkedTest, TheChildOfAProcessWithoutAnOpenDatabaseOpensItsOwn) {
  database_.reset();
  EXPECT_EQ(in_child([&] {
              Database own{folder_ / "one.db", {.writer_queue = true}};
              Connection another{folder_ / "one.db", {}};
              insert(own, 1);
              return 1;
            }),
            1);
  database_.emplace(folder_ / "one.db", DatabaseOptions{.writer_queue = true});
  EXPECT_EQ(count(), 1);
}

}  // namespace
}  // namespace tenure::sqlite
