#include "sorted_forms.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/mask.hpp>

#include <gtest/gtest.h>

#include <string>

// Which members of arguments are secret, and texts that quote them.
namespace tenure::queue {
namespace {

constexpr std::string_view kArguments =
    R"({"recipient":"ap@acme.example","lines":[{"IBAN":"DE89370400440532013000"}],"pin_key":1234,"n":1234567,)"
    R"("login":{"accounts_by_token":{"tok-8812":{"$gid":"gid://billing/Invoice/7?tenant=corvid"}}},"no_secret":[true,"a\"b\nc",12]})";

const Mask kMask({"recipient", "iban", "*_key"});

TEST(Mask, CoversPasswordsTokensAndSecretsAtAnyDepth) {
  EXPECT_EQ(
      Mask().shown(
          R"({"a":[{"user_password":"x"}],"TOKEN":1,"b":{"clientSecret":[1,2]},"c":18446744073709551615})"),
      R"({"a":[{"user_password":"••••"}],"TOKEN":"••••","b":{"clientSecret":"••••"},"c":18446744073709551615})");
  EXPECT_EQ(Mask().shown("{broken"), "");
  EXPECT_TRUE(Mask().covers("Password"));
  EXPECT_FALSE(Mask().covers("pass"));
}

TEST(Mask, CannotBeEscapedByEscapes) {
  EXPECT_EQ(Mask().shown(R"({"pass\u0077ord":"x"})"), R"({"password":"••••"})");
}

TEST(Mask, PatternsAreOfTheWholeNameInAnyCase) {
  EXPECT_TRUE(kMask.covers("Recipient"));
  EXPECT_FALSE(kMask.covers("recipients"));
  EXPECT_TRUE(kMask.covers("API_KEY"));
  EXPECT_TRUE(kMask.covers("_key"));
  EXPECT_FALSE(kMask.covers("keys"));
  EXPECT_TRUE(Mask({"gr?ß"}).covers("Gr\u00fc\u00df"));
  EXPECT_TRUE(Mask({"*"}).covers(""));
  EXPECT_FALSE(Mask({"recip[a-z]*"}).covers("recipient"));
}

TEST(Mask, OfAFailureInAMaskedMemberOnlyCodePlaceAndReasonAreTold) {
  const auto told = [](std::string where, std::string message = "OutOfRange: 7 is too small") {
    return kMask.told({ErrorCode::bad_payload, std::move(message), "acme", std::move(where)});
  };
  EXPECT_EQ(told("$.recipient").text(),
            "BadPayload: OutOfRange: what is wrong with a masked value is not told (at $.recipient)");
  EXPECT_EQ(told("$.recipient", "Truncated: the text ends too early (byte 23)").message,
            "Truncated: what is wrong with a masked value is not told (byte 23)");
  EXPECT_EQ(told("$.lines[3].IBAN[0].x").where, "$.lines[3].IBAN");
  EXPECT_EQ(told(R"($["a password"]["tok-1"].x)", "the id tok-1 is none").text(),
            R"(BadPayload: what is wrong with a masked value is not told (at $["a password"]))");
  for (const char* plain :
       {"$", "", "$.amount", "$.lines[3]", "envelope", "/etc/password.key", "$[\"cut", "$."})
    EXPECT_EQ(told(plain).message, "OutOfRange: 7 is too small") << plain;
}

// As a path shows them: cut, and whatever a key holds.
TEST(Mask, OfAKeyThatAPathShowsCutOrWithItsBracketsNothingIsTold) {
  const auto told = [](std::string_view key, std::string_view json_begin, std::string_view json_end) {
    const std::string json = std::string(json_begin) + std::string(key) + std::string(json_end);
    const auto document = json::Document::parse(json, {.bytes_max = 1000, .depth_max = 10});
    EXPECT_FALSE(document.has_value()) << json;
    return Mask({"recipient"}).told(document.error());
  };
  const std::string is_hidden = "what is wrong with a masked value is not told";
  for (const std::string& key :
       {std::string(R"(pass\u0077ord)"), std::string(R"(re\u0063ipient)"), std::string(80, 'x') + "_password",
        std::string(R"(a\"]b_token)"), std::string(R"(a b\"].c_token)")}) {
    const Failure failure = told(key, R"({"a":[{")", R"(":{"tok-1":12,}}]})");
    EXPECT_NE(failure.message.find(is_hidden), std::string::npos) << failure.text();
    EXPECT_EQ(failure.where.find("tok-1"), std::string::npos) << failure.text();
  }
  EXPECT_EQ(told(R"(pl\u0061in)", R"({")", R"(":{"b":12,}})").where, "$.plain");
}

class SecretsTest : public ::testing::Test {
 protected:
  std::string hidden(std::string_view text) { return secrets_.hidden_in(text); }
  Secrets secrets_{kMask, kArguments};
};

TEST_F(SecretsTest, AreHiddenWhereverATextQuotesThem) {
  EXPECT_EQ(hidden("no mailbox ap@acme.example at mx"), "no mailbox •••• at mx");
  EXPECT_EQ(hidden("DE89370400440532013000DE89370400440532013000"), "••••••••");
  EXPECT_EQ(hidden("pin 1234 is wrong"), "pin •••• is wrong");
  EXPECT_EQ(hidden("tok-8812: gid://billing/Invoice/7?tenant=corvid is foreign"), "••••: •••• is foreign");
}

TEST_F(SecretsTest, AlsoAsMessagesAndJsonShowThem) {
  EXPECT_EQ(hidden("raw a\"b\nc, shown a\"b\\x0ac, json a\\\"b\\nc."), "raw ••••, shown ••••, json ••••.");
}

TEST_F(SecretsTest, TheBeginningOfOneThatWasCutOffIsHidden) {
  EXPECT_EQ(hidden("account DE89370400440532..."), "account ••••...");
  EXPECT_EQ(hidden("account DE893704004405"), "account DE893704004405") << "shorter than what is looked for";
}

TEST_F(SecretsTest, WhatIsNotMaskedOrTooShortToBeFoundStays) {
  EXPECT_EQ(hidden("1234567 lines, true, 12 of them"), "••••567 lines, true, 12 of them");
  EXPECT_EQ(hidden("n and lines"), "n and lines");
  EXPECT_EQ(hidden(""), "");
  EXPECT_EQ(Secrets(kMask, "{broken").hidden_in("ap@acme.example"), "ap@acme.example");
}

TEST_F(SecretsTest, ACharacterIsNeverCutInTwo) {
  const Secrets secrets(Mask(), "{\"password\":\"0123456789abcdef\u00e9\"}");
  EXPECT_EQ(secrets.hidden_in("0123456789abcdef\u00e8"), "••••\u00e8");
}

// Each beside each other one would be minutes.
TEST_F(SecretsTest, TensOfThousandsOfThemAreFoundInALongText) {
  constexpr int kCount = 50'000;
  std::string arguments = R"({"password":[)";
  std::string text;
  std::string expected;
  for (int i = 0; i < kCount; ++i) {
    const std::string value = "tok-" + std::to_string(100'000 + i) + "-end";
    arguments += (i == 0 ? "\"" : ",\"") + value + '"';
    text += value + " tok-none ";
    expected += "•••• tok-none ";
  }
  const Secrets secrets(Mask(), arguments + "]}");
  EXPECT_EQ(secrets.hidden_in(text), expected);
}

TEST(SortedForms, AreSearchedByTheLogarithmOfTheirNumber) {
  std::vector<std::string> forms;
  for (int i = 0; i < 50'000; ++i) forms.push_back("tok-" + std::to_string(100'000 + i));
  forms.emplace_back("tok");
  sort_uniquely(forms);
  int asked = 0;
  const auto before = [&](std::string_view one, std::string_view other) {
    ++asked;
    return one < other;
  };
  constexpr int kLogarithm = 17;  // of the number, and one more question where a place is looked at
  const auto length = [&](std::string_view text) {
    asked = 0;
    const std::size_t found = length_at_front(text, forms, {.least = 3, .part = 16}, before);
    EXPECT_LE(asked, 16 * kLogarithm) << text;
    return found;
  };
  EXPECT_EQ(length("tok-123456 and so on"), 10U);
  EXPECT_EQ(length("tok-12345"), 3U);
  EXPECT_EQ(length("tok-none"), 3U);
  EXPECT_EQ(length("to"), 0U);
  EXPECT_EQ(length("something else"), 0U);
  EXPECT_EQ(length("zz"), 0U);
  EXPECT_EQ(length(""), 0U);
}

TEST_F(SecretsTest, TheLongestThatStandsThereIsHidden) {
  const Secrets secrets(
      Mask(), R"({"password":["abc","abcdef","abcdefghijklmnopqrstuvwxyz","abcdefghijklmnopq-other"]})");
  EXPECT_EQ(secrets.hidden_in("abc abcd abcdef abcdefg"), "•••• ••••d •••• ••••g");
  EXPECT_EQ(secrets.hidden_in("abcdefghijklmnopqr."), "••••.") << "the beginning of the third";
  EXPECT_EQ(secrets.hidden_in("abcdefghijklmnop"), "••••");
  EXPECT_EQ(secrets.hidden_in("abcdefghijklmno"), "••••ghijklmno");
}

TEST_F(SecretsTest, AFailureIsToldWithoutThem) {
  const Failure told = secrets_.hidden_in(
      Failure{ErrorCode::wrong_tenant, "the id tok-8812 belongs to corvid", "acme", "$.login[\"tok-8812\"]"});
  EXPECT_EQ(told.text(), "WrongTenant: the id •••• belongs to corvid (at $.login[\"••••\"])");
}

}  // namespace
}  // namespace tenure::queue
