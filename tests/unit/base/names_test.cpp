#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace tenure {
namespace {

using ::testing::HasSubstr;

constexpr std::array kLengths{
    std::pair{NameOf::application, limits::kApplicationNameMax},
    std::pair{NameOf::kind, limits::kKindNameMax},
    std::pair{NameOf::pool, limits::kPoolNameMax},
    std::pair{NameOf::queue, limits::kQueueNameMax},
    std::pair{NameOf::tenant, limits::kTenantNameMax},
};

TEST(Names, HaveAtLeastOneByteAndAtMostTheirLimit) {
  for (const auto& [what, bytes_max] : kLengths) {
    EXPECT_EQ(broken_name_rule(what, ""), "is empty");
    EXPECT_EQ(broken_name_rule(what, "a"), "");
    EXPECT_EQ(broken_name_rule(what, std::string(bytes_max, 'a')), "");
    const std::string max = std::to_string(bytes_max);
    EXPECT_EQ(broken_name_rule(what, std::string(bytes_max + 1, 'a')),
              "has " + std::to_string(bytes_max + 1) + " bytes, at most " + max + " are allowed");
    EXPECT_THAT(name_rule(what), HasSubstr("1 to " + max + " bytes"));
  }
}

TEST(Names, BeginWithALetterOrDigitAndHaveNoForeignCharacter) {
  for (const auto& [what, bytes_max] : kLengths) {
    EXPECT_EQ(broken_name_rule(what, "0a_9"), "");
    for (const char* text :
         {"_other", "-a", ".a", "A", "aB", "a b", "a\n", "\xC3\xBC", "a/b", "a,b", "a*", "a:b"})
      EXPECT_NE(broken_name_rule(what, text), "") << text;
  }
  EXPECT_EQ(broken_name_rule(NameOf::queue, "a b"), "cannot have byte 2: it is none of a-z, 0-9, _ and -");
  EXPECT_EQ(broken_name_rule(NameOf::queue, "_other"), "begins with neither a-z nor 0-9");
}

TEST(Names, OnlyKindsHaveDotsAndAWordBehindEach) {
  for (const char* text : {"billing.send_invoice", "a.b.c2"}) {
    EXPECT_EQ(broken_name_rule(NameOf::kind, text), "");
    EXPECT_NE(broken_name_rule(NameOf::queue, text), "");
  }
  for (const char* text : {"a.", "a..b"})
    EXPECT_EQ(broken_name_rule(NameOf::kind, text), "has no word behind a dot") << text;
  EXPECT_NE(broken_name_rule(NameOf::kind, "a-b"), "");
  EXPECT_EQ(broken_name_rule(NameOf::queue, "a-b"), "");
}

TEST(Names, ARefusalSaysWhatItShouldNameAndShowsItEscaped) {
  EXPECT_TRUE(check_name(NameOf::queue, "mailers"));
  const auto refused = check_name(NameOf::queue, "a\nb");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (Failure{ErrorCode::bad_options,
                     "the queue name \"a\\x0ab\" cannot have byte 2: it is none of a-z, 0-9, _ and -", "",
                     "queue"}));
}

TEST(TenantPlaceholders, OneOfThemNamesTheTenantAndThereAreNoOthers) {
  for (const char* path : {"/t/%{tenant}.db", "/t/%{bucket}/%{tenant}.db", "%{tenant}", "/100%/%{tenant}"})
    EXPECT_EQ(broken_placeholder_rule(path), "") << path;
  for (const char* path : {"", "/t.db", "/t/%{bucket}.db", "/t/%tenant.db", "/t/%{ tenant}"})
    EXPECT_THAT(broken_placeholder_rule(path), HasSubstr("must hold %{tenant}")) << path;
  for (const char* path : {"/%{tenant}/%{home}", "/%{%{tenant}", "/%{tenant}/%{", "/%{tenant}%{bucket"})
    EXPECT_THAT(broken_placeholder_rule(path), HasSubstr("only the placeholders %{tenant} and %{bucket}"))
        << path;
}

TEST(TenantPlaceholders, TheFolderAboveThemEndsBeforeTheComponentWithTheFirst) {
  EXPECT_EQ(folder_before_placeholders("/t/x-%{bucket}/%{tenant}.db"), "/t/");
  EXPECT_EQ(folder_before_placeholders("/%{tenant}"), "/");
  EXPECT_EQ(folder_before_placeholders("%{tenant}"), "");
}

}  // namespace
}  // namespace tenure
