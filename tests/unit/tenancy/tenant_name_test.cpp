#include <tenure/base/limits.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tenure {
namespace {

using ::testing::HasSubstr;

std::string refusal_of_name(std::string_view text) {
  const Result<TenantName> name = TenantName::parse(text);
  if (name) return {};
  EXPECT_EQ(name.error().code, ErrorCode::bad_tenant_name);
  return name.error().message;
}

TEST(TenantName, NAME_01_OneTo63BytesOfTheAlphabetPass) {
  for (const std::string& text :
       {std::string{"a"}, std::string{"0"}, std::string{"acme"}, std::string{"a-b_c9"}, std::string(62, 'x'),
        std::string(limits::kTenantNameMax, 'x')}) {
    const Result<TenantName> name = TenantName::parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->text(), text);
  }
  EXPECT_THAT(refusal_of_name(std::string(limits::kTenantNameMax + 1, 'x')), HasSubstr("at most 63"));
  EXPECT_THAT(refusal_of_name(std::string(300, 'x')), HasSubstr("300 bytes"));
}

TEST(TenantName, NAME_02_PathsAndEscapesAreRefusedWithTheReason) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      "."sv,
                                      ".."sv,
                                      "../x"sv,
                                      "../other"sv,
                                      "a/b"sv,
                                      "a\\b"sv,
                                      "-a"sv,
                                      "_a"sv,
                                      "a\0b"sv,
                                      "acme\n"sv,
                                      "\nacme"sv,
                                      "%2e%2e%2f"sv,
                                      "%252e%252e%252f"sv,
                                      " a"sv,
                                      "a "sv,
                                      "x'; DROP TABLE jobs;--"sv,
                                      "$(id)"sv,
                                      "`id`"sv,
                                      "*"sv,
                                      "~"sv,
                                      "a.db"sv})
    EXPECT_THAT(refusal_of_name(text), HasSubstr("is no tenant name: ")) << text;
  EXPECT_THAT(refusal_of_name("a/b"), HasSubstr("byte 2"));
  EXPECT_THAT(refusal_of_name("-a"), HasSubstr("begins with neither"));
}

TEST(TenantName, NAME_03_NothingIsFoldedIntoAnotherName) {
  for (const std::string_view text : {"ACME", "Acme", "caf\xc3\xa9", "cafe\xcc\x81", "\xd0\xb0\xd1\x81me",
                                      "ac\xe2\x80\x8bme", "\342\200\256acme", "\xff"})
    EXPECT_FALSE(TenantName::parse(text)) << text;
}

TEST(TenantName, NAME_04_ReservedWordsAndEndingsAreRefused) {
  for (const std::string_view text :
       {"all", "none", "default", "public", "global", "con", "nul", "aux", "prn", "com1", "lpt9"})
    EXPECT_THAT(refusal_of_name(text), HasSubstr("reserved")) << text;
  for (const std::string_view text : {"acme-wal", "acme-shm", "acme-journal"})
    EXPECT_THAT(refusal_of_name(text), HasSubstr("reserved for SQLite")) << text;
  for (const std::string_view text : {"allied", "console", "nuls", "walter", "com10"})
    EXPECT_TRUE(TenantName::parse(text)) << text;
}

TEST(TenantName, NAME_05_TheEmptyTextIsNoName) {
  EXPECT_THROW(TenantName{""}, BadTenantName);
  EXPECT_THAT(refusal_of_name(""), HasSubstr("no tenant is not a name"));
}

TEST(TenantName, NAME_06_TextsThatSqliteWouldReadAreNoNames) {
  for (const std::string_view text : {"file:x?mode=memory", ":memory:", "?vfs=memdb"})
    EXPECT_FALSE(TenantName::parse(text)) << text;
}

TEST(TenantName, NAME_08_TheRefusalShowsBadBytesEscapedAndShort) {
  EXPECT_THAT(refusal_of_name("a\x1b[2Jb"), HasSubstr("\\x1b"));
  EXPECT_EQ(refusal_of_name("a\x1b[2Jb").find('\x1b'), std::string::npos);
  EXPECT_LT(refusal_of_name(std::string(100'000, '/')).size(), 600U);
}

}  // namespace
}  // namespace tenure
