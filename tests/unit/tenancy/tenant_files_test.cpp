#include "shop.hpp"

#include <tenure/tenancy/tenant_files.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace tenure {
namespace {

namespace fs = std::filesystem;
using testing::code_of;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

std::string refusal_of_template(const std::string& path_template) {
  const std::optional<Failure> failure = failure_of([&] { return TenantFiles{path_template}; });
  if (!failure) return {};
  EXPECT_EQ(failure->code, ErrorCode::bad_configuration);
  return failure->message;
}

TEST(TenantFiles, NAME_07_A63ByteNameStaysUnderTheRoot) {
  const TemporaryFolder folder;
  const TenantFiles files = testing::files_in(folder.path());
  const TenantName name{std::string(63, 'x')};
  EXPECT_EQ(files.root(), folder.path() / "tenants");
  EXPECT_EQ(files.path_for(name),
            folder.path() / "tenants" / TenantFiles::bucket_of(name) / (name.text() + ".db"));
  EXPECT_EQ(files.building_path_for(name), folder.path() / "tenants" / ".building" / (name.text() + ".db"));
}

// The values are those of the published FNV-1a test vectors: changing the hash would lose every file.
TEST(TenantFiles, BucketIsTheLowByteOfFnv1a) {
  EXPECT_EQ(TenantFiles::bucket_of(TenantName{"a"}), "8c");       // af63dc4c8601ec8c
  EXPECT_EQ(TenantFiles::bucket_of(TenantName{"foobar"}), "e8");  // 85944171f73967e8
}

TEST(TenantFiles, BucketsSpreadTheTenants) {
  std::set<std::string> buckets;
  for (int number = 0; number < 5000; ++number)
    buckets.insert(TenantFiles::bucket_of(TenantName{"t" + std::to_string(number)}));
  EXPECT_EQ(buckets.size(), 256U);
}

TEST(TenantFiles, NoPathIsMadeOfANameThatARowHeldAndTheRulesRefuse) {
  const TemporaryFolder folder;
  const TenantFiles files((folder / "%{tenant}.db").native());
  for (const char* name : {"../other", "Acme Ltd", "none", ""}) {
    EXPECT_THROW(static_cast<void>(files.path_for(TenantName::stored(name))), BadTenantName) << name;
    EXPECT_THROW(static_cast<void>(files.building_path_for(TenantName::stored(name))), BadTenantName) << name;
    EXPECT_THROW(static_cast<void>(files.building_lock_for(TenantName::stored(name))), BadTenantName) << name;
  }
}

TEST(TenantFiles, PlainTemplateHasNoBucket) {
  const TemporaryFolder folder;
  const TenantFiles files{folder.path().string() + "/%{tenant}"};
  EXPECT_EQ(files.root(), folder.path());
  EXPECT_EQ(files.path_for(TenantName{"acme"}), folder.path() / "acme");
}

TEST(TenantFiles, NAME_09_EverythingElseInATemplateIsLiteral) {
  const TemporaryFolder folder;
  const std::string odd = folder.path().string() + "/a*[b]? c%d100%\xc3\xa9%s/%{bucket}x/%{tenant}-%.db";
  const TenantFiles files{odd};
  const TenantName name{"acme"};
  EXPECT_EQ(files.path_for(name),
            folder.path() / "a*[b]? c%d100%\xc3\xa9%s" / (TenantFiles::bucket_of(name) + "x") / "acme-%.db");
}

TEST(TenantFiles, TemplatesThatCannotWorkAreRefused) {
  EXPECT_THAT(refusal_of_template("tenants/%{tenant}.db"), HasSubstr("not absolute"));
  EXPECT_THAT(refusal_of_template("/t/all.db"), HasSubstr("must hold %{tenant}"));
  EXPECT_THAT(refusal_of_template("/t/%{bucket}.db"), HasSubstr("must hold %{tenant}"));
  EXPECT_THAT(refusal_of_template("/t/%{name}/%{tenant}.db"), HasSubstr("placeholder"));
  EXPECT_THAT(refusal_of_template("/t/%{tenant.db"), HasSubstr("must hold %{tenant}"));
  EXPECT_THAT(refusal_of_template("/t/%{tenant}/../x.db"), HasSubstr(".."));
  EXPECT_THAT(refusal_of_template("/t/./%{tenant}.db"), HasSubstr("."));
  EXPECT_THAT(refusal_of_template("/t/%{tenant}/"), HasSubstr("names no file"));
  EXPECT_THAT(refusal_of_template(std::string{"/t/\0/%{tenant}", 14}), HasSubstr("NUL"));
}

TEST(TenantFiles, PathIsLimitedBySqlite) {
  const std::string start = "/nowhere/";
  const std::string end = "/%{tenant}.db";  // 67 bytes with the longest name
  const auto of_size = [&](std::size_t size) {
    return start + std::string(size - start.size() - 67, 'd') + end;
  };
  EXPECT_EQ(refusal_of_template(of_size(TenantFiles::kPathMax - 11)),
            "");  // .building/ makes the longer path
  EXPECT_THAT(refusal_of_template(of_size(TenantFiles::kPathMax + 1)), HasSubstr("at most 500"));
}

TEST(TenantFiles, NAME_07_ASymlinkOnTheWayIsRefused) {
  const TemporaryFolder folder;
  const TenantFiles files = testing::files_in(folder.path());
  const TenantName name{"acme"};
  EXPECT_EQ(code_of([&] { files.refuse_links(name); }), std::nullopt) << "what is missing is no link";

  fs::create_directories(folder.path() / "elsewhere");
  fs::create_directories(files.root());
  fs::create_directory_symlink(folder.path() / "elsewhere", files.path_for(name).parent_path());
  EXPECT_EQ(code_of([&] { files.refuse_links(name); }), ErrorCode::access_refused);

  fs::remove(files.path_for(name).parent_path());
  fs::create_directories(files.path_for(name).parent_path());
  EXPECT_EQ(code_of([&] { files.refuse_links(name); }), std::nullopt);
  std::ofstream{folder.path() / "other.db"} << "x";
  fs::create_symlink(folder.path() / "other.db", files.path_for(name));
  EXPECT_EQ(code_of([&] { files.refuse_links(name); }), ErrorCode::access_refused);
}

std::string refusal_of(const TenantFiles& files, const TenantName& name) {
  try {
    files.refuse_links(name);
  } catch (const AccessRefused& error) {
    return error.what();
  }
  return "";
}

TEST(TenantFiles, WhatLiesInTheFilesPlaceIsSaid) {
  const TemporaryFolder folder;
  const TenantFiles files = testing::files_in(folder.path());
  const TenantName name{"acme"};
  const fs::path file = files.path_for(name);
  fs::create_directories(file.parent_path());
  fs::create_symlink("/nowhere/real.db", file);
  EXPECT_THAT(refusal_of(files, name), HasSubstr("a symbolic link to /nowhere/real.db lies where the file"));
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_THAT(refusal_of(files, name), HasSubstr("a folder lies where the file"));
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_THAT(refusal_of(files, name), HasSubstr("a fifo lies where the file"));
  fs::remove_all(file.parent_path());
  fs::create_directory_symlink("/nowhere", file.parent_path());
  EXPECT_THAT(refusal_of(files, name), HasSubstr("a symbolic link to /nowhere lies where a folder"));
}

TEST(TenantFiles, AFileInAFoldersPlaceIsRefused) {
  const TemporaryFolder folder;
  const TenantFiles files{folder.path().string() + "/%{tenant}/%{tenant}"};
  std::ofstream{folder.path() / "acme"} << "x";
  EXPECT_EQ(code_of([&] { files.refuse_links(TenantName{"acme"}); }), ErrorCode::access_refused);
}

TEST(TenantFiles, ALinkAboveTheRootIsTheAdministratorsChoice) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "disk" / "tenants");
  fs::create_directory_symlink(folder.path() / "disk", folder.path() / "data");
  const TenantFiles files{(folder.path() / "data").string() + "/tenants/%{tenant}.db"};
  EXPECT_EQ(files.root(), folder.path() / "disk" / "tenants");
}

}  // namespace
}  // namespace tenure
