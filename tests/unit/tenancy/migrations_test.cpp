#include "shop.hpp"

#include <tenure/tenancy/migrations.hpp>

#include <gmock/gmock.h>

#include <fstream>

namespace tenure {
namespace {

using testing::failure_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

class MigrationsTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text = "select 1") const {
    std::ofstream{folder_ / name, std::ios::binary} << text;
  }
  [[nodiscard]] std::string refusal() const {
    const auto failure = failure_of([&] { return read_migrations(folder_.path()).size(); });
    if (!failure) return {};
    EXPECT_EQ(failure->code, ErrorCode::bad_configuration);
    return failure->message;
  }
  TemporaryFolder folder_;
};

TEST_F(MigrationsTest, FilesAreReadInTheOrderOfTheirNumbers) {
  write("0002_second.sql", "select 2");
  write("10_tenth.txt");
  write("0001_first.sql", "select 1");
  write("README.md");
  const auto migrations = read_migrations(folder_.path());
  ASSERT_EQ(migrations.size(), 2U);
  EXPECT_EQ(migrations[0].name, "0001_first");
  EXPECT_EQ(migrations[1].number, 2);
  EXPECT_EQ(migrations[1].sql, "select 2");
}

TEST_F(MigrationsTest, AnEmptyFolderHasNone) { EXPECT_TRUE(read_migrations(folder_.path()).empty()); }

TEST_F(MigrationsTest, GapsDoublesAndNamesWithoutNumberAreRefused) {
  write("0001_first.sql");
  write("0003_third.sql");
  EXPECT_THAT(refusal(), HasSubstr("number 2 belongs"));
  write("0002_second.sql");
  EXPECT_EQ(refusal(), "");
  write("2_again.sql");
  EXPECT_THAT(refusal(), HasSubstr("belongs"));
  for (const std::string name :
       {"first.sql", "-1_x.sql", "0001.sql", "0_x.sql", "10000_x.sql", "99999999999999999999_x.sql"}) {
    std::filesystem::remove_all(folder_.path());
    std::filesystem::create_directory(folder_.path());
    write(name);
    EXPECT_THAT(refusal(), HasSubstr("has no number")) << name;
  }
}

TEST_F(MigrationsTest, AnEndingInCapitalLettersIsRefusedAndNotIgnored) {
  write("0001_first.sql");
  for (const std::string name : {"0002.SQL", "0002_second.Sql"}) {
    write(name);
    EXPECT_THAT(refusal(), HasSubstr("migrations end in .sql, in lower case")) << name;
    std::filesystem::remove(folder_ / name);
  }
  for (const std::string name : {"0002_second.sql.orig", "0002_second.sqlx", "sql", ".sql~"}) write(name);
  EXPECT_EQ(refusal(), "");
}

TEST_F(MigrationsTest, OddFilesAreRefused) {
  EXPECT_EQ(failure_of([&] { return read_migrations(folder_ / "nowhere").size(); })->code,
            ErrorCode::bad_configuration);
  write("0001_x.sql", std::string{"select '\xff'"});
  EXPECT_THAT(refusal(), HasSubstr("UTF-8"));
  write("0001_x.sql", std::string(kMigrationBytesMax, ' '));
  EXPECT_EQ(refusal(), "");
  write("0001_x.sql", std::string(kMigrationBytesMax + 1, ' '));
  EXPECT_THAT(refusal(), HasSubstr("is above"));
  std::filesystem::remove(folder_ / "0001_x.sql");
  std::filesystem::create_symlink("/etc/hostname", folder_ / "0001_x.sql");
  EXPECT_THAT(refusal(), HasSubstr("plain file"));
}

}  // namespace
}  // namespace tenure
