#include <tenure/base/limits.hpp>
#include <tenure/tenancy/global_id.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenure {
namespace {

using ::testing::HasSubstr;
using namespace std::string_view_literals;

std::string refusal_of_id(std::string_view text) {
  const Result<GlobalId> id = GlobalId::parse(text);
  if (id) return {};
  EXPECT_EQ(id.error().code, ErrorCode::bad_global_id);
  return id.error().message;
}

TEST(GlobalId, GID_06_ItsPartsAreReadAndItPrintsBackEqual) {
  const Result<GlobalId> id = GlobalId::parse("gid://shop/billing.Invoice/42?tenant=acme");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->application(), "shop");
  EXPECT_EQ(id->model(), "billing.Invoice");
  EXPECT_EQ(id->id(), "42");
  EXPECT_EQ(id->tenant(), TenantName{"acme"});
  EXPECT_EQ(id->text(), "gid://shop/billing.Invoice/42?tenant=acme");
  EXPECT_EQ(*id, (GlobalId{"shop", "billing.Invoice", "42", TenantName{"acme"}}));
}

TEST(GlobalId, GID_06_EveryAcceptedTextPrintsBackByteForByte) {
  for (const std::string_view text :
       {"gid://shop/Invoice/9223372036854775807?tenant=acme",
        "gid://shop/Invoice/-9223372036854775808?tenant=acme",
        "gid://shop/tenure.job/0197a1b2-0000-7000-8000-0123456789ab?tenant=acme", "gid://shop/Currency/EUR",
        "gid://a/A::B/a%20b%2Fc?tenant=acme", "gid://shop/Invoice/1?page=2&tenant=acme&x=%20%2F,;:@/?",
        "gid://shop/Invoice/%C3%A9?tenant=acme", "gid://shop/Invoice/%252e?tenant=acme"}) {
    const Result<GlobalId> id = GlobalId::parse(text);
    ASSERT_TRUE(id) << text << id.error().message;
    EXPECT_EQ(id->text(), text);
    EXPECT_EQ(GlobalId::parse(id->text()), *id);
  }
}

TEST(GlobalId, GID_06_AnyTextIsEscapedAsAnId) {
  for (const std::string_view id : {"a b", "a/b?c#d", "%41", "1;2", "\xc3\xa9", "a+b&c=d"}) {
    const GlobalId made{"shop", "Invoice", id, TenantName{"acme"}};
    const Result<GlobalId> read = GlobalId::parse(made.text());
    ASSERT_TRUE(read) << made.text();
    EXPECT_EQ(read->id(), id);
  }
}

TEST(GlobalId, GID_07_EachMalformedIdIsRefusedWithItsReason) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"", "no URI"},
      {"42", "no URI"},
      {"gid:/shop/Invoice/1", "no URI"},
      {"http://shop/Invoice/1", "scheme"},
      {"GID://shop/Invoice/1", "scheme"},
      {" gid://shop/Invoice/1", "scheme"},
      {"gid://", "names no model"},
      {"gid://shop", "names no model"},
      {"gid:///Invoice/1", "names no application"},
      {"gid://Shop/Invoice/1", "its application cannot have byte 1"},
      {"gid://user@shop/Invoice/1", "user information"},
      {"gid://shop:80/Invoice/1", "port"},
      {"gid://shop//1", "names no model"},
      {"gid://shop/Invoice", "has no id"},
      {"gid://shop/Invoice/", "has no id"},
      {"gid://shop/1nvoice/1", "model is not of the form"},
      {"gid://shop/In%20voice/1", "model is not of the form"},
      {"gid://shop/Invoice/1/2", "more than a model and an id"},
      {"gid://shop/Invoice/1;2", "must be escaped"},
      {"gid://shop/Invoice/a b", "must be escaped"},
      {"gid://shop/Invoice/%4", "malformed escape"},
      {"gid://shop/Invoice/%zz", "malformed escape"},
      {"gid://shop/Invoice/%2f", "malformed escape"},
      {"gid://shop/Invoice/%41", "needs none"},
      {"gid://shop/Invoice/%00", "control character"},
      {"gid://shop/Invoice/%0A", "control character"},
      {"gid://shop/Invoice/%7F", "control character"},
      {"gid://shop/Invoice/a%C2%80", "control character"},
      {"gid://shop/Invoice/%C2%9B2J", "control character"},
      {"gid://shop/Invoice/%C2%9F", "control character"},
      {"gid://shop/Invoice/%FF", "not UTF-8"},
      {"gid://shop/Invoice/1#top", "fragment"},
      {"gid://shop/Invoice/1?", "no name or no value"},
      {"gid://shop/Invoice/1?tenant", "no name or no value"},
      {"gid://shop/Invoice/1?=acme", "no name or no value"},
      {"gid://shop/Invoice/1?tenant=acme&", "no name or no value"},
      {"gid://shop/Invoice/1?tenant=", "tenant is empty"},
      {"gid://shop/Invoice/1?tenant=acme&tenant=acme", "two tenants"},
      {"gid://shop/Invoice/1?tenant=acme&tenant=globex", "two tenants"},
      {"gid://shop/Invoice/1?tenant=ACME", "is no tenant name"},
      {"gid://shop/Invoice/1?tenant=all", "reserved"},
      {"gid://shop/Invoice/1?x=%zz", "malformed escape"},
      {"gid://shop/Invoice/1?x= ", "must be escaped"},
  };
  for (const auto& [text, reason] : cases)
    EXPECT_THAT(refusal_of_id(text), HasSubstr(std::string{reason})) << text;
}

TEST(GlobalId, GID_07_FourKibibytesPassAndOneMoreDoesNot) {
  const std::string start = "gid://shop/Invoice/";
  const std::string end = "?tenant=acme";
  const auto of_size = [&](std::size_t size) {
    return start + std::string(size - start.size() - end.size(), 'x') + end;
  };
  EXPECT_TRUE(GlobalId::parse(of_size(limits::kGlobalIdMax - 1)));
  EXPECT_TRUE(GlobalId::parse(of_size(limits::kGlobalIdMax)));
  EXPECT_THAT(refusal_of_id(of_size(limits::kGlobalIdMax + 1)), HasSubstr("at most 4096"));
  EXPECT_THROW(GlobalId("shop", "Invoice", std::string(1366, ' '), TenantName{"acme"}), BadGlobalId);
}

TEST(GlobalId, ApplicationAndModelHaveLimits) {
  for (const std::size_t over : {0U, 1U}) {
    const std::string application(limits::kApplicationNameMax + over, 'a');
    EXPECT_EQ(GlobalId::parse("gid://" + application + "/M/1").has_value(), over == 0);
    const std::string model(GlobalId::kModelMax + over, 'M');
    EXPECT_EQ(GlobalId::parse("gid://shop/" + model + "/1").has_value(), over == 0);
  }
}

TEST(GlobalId, GID_08_NothingIsDecodedTwice) {
  EXPECT_EQ(GlobalId::parse("gid://shop/Invoice/%252e")->id(), "%2e");
  for (const std::string_view text :
       {"gid://shop/Invoice/1?tenant=%61cme", "gid://shop/Invoice/1?tenant=ac%252dme",
        "gid://shop/Invoice/1?tenant=acme%26tenant%3Dglobex", "gid://shop/Invoice/1?tenant%3Dacme",
        "gid://shop/Invoice/1?%74enant=globex&tenant=acme", "gid://shop/Invoice/1?tenant=acme%3D"})
    EXPECT_NE(refusal_of_id(text), "") << text;
}

TEST(GlobalId, GID_09_EqualityAndHashIncludeTheTenant) {
  const GlobalId acme{"shop", "Invoice", "1", TenantName{"acme"}};
  const GlobalId globex{"shop", "Invoice", "1", TenantName{"globex"}};
  const GlobalId none{"shop", "Invoice", "1", std::nullopt};
  EXPECT_NE(acme, globex);
  EXPECT_NE(acme, none);
  EXPECT_NE(std::hash<GlobalId>{}(acme), std::hash<GlobalId>{}(globex));
}

TEST(GlobalId, EqualMeansTheSameTextWhateverTheModelTakesForTheSameRecord) {
  const auto parsed = [](std::string_view text) { return *GlobalId::parse(text); };
  const GlobalId one = parsed("gid://shop/User/1?tenant=acme");
  for (const std::string_view other : {"gid://shop/User/01?tenant=acme", "gid://shop/User/%2B1?tenant=acme",
                                       "gid://shop/User/1.0?tenant=acme", "gid://shop/user/1?tenant=acme",
                                       "gid://shop/User/1?tenant=acme&page=2"}) {
    EXPECT_NE(parsed(other), one) << other;
    EXPECT_NE(std::hash<GlobalId>{}(parsed(other)), std::hash<GlobalId>{}(one)) << other;
  }
  EXPECT_NE(parsed("gid://shop/User/1?a=1&b=2"), parsed("gid://shop/User/1?b=2&a=1"));
}

TEST(GlobalId, WhatCannotBePutTogetherIsShownPartByPart) {
  const auto message = [](std::string_view model, std::string_view id) {
    try {
      return GlobalId("shop", model, id, TenantName{"acme"}).text();
    } catch (const BadGlobalId& error) {
      return error.failure().message;
    }
  };
  EXPECT_EQ(message("Invoice", "a\nb"),
            R"(no Global ID can be made of application "shop", model "Invoice" and id "a\x0ab": )"
            "its id contains a control character");
  EXPECT_THAT(message("1nvoice", "1"),
              HasSubstr(R"(model "1nvoice" and id "1": its model is not of the form)"));
  EXPECT_THAT(message("Invoice", std::string(1366, ' ')),
              HasSubstr("it would have 4129 bytes, at most 4096"));
  EXPECT_THAT(message("Invoice", "\xC2\x9B"), HasSubstr("control character"));
  EXPECT_EQ(message("Invoice", "\xC2\xA0"), "gid://shop/Invoice/%C2%A0?tenant=acme");
}

TEST(GlobalId, BadPartsCannotBePutTogether) {
  EXPECT_THROW(GlobalId("", "Invoice", "1", std::nullopt), BadGlobalId);
  EXPECT_THROW(GlobalId("shop", "", "1", std::nullopt), BadGlobalId);
  EXPECT_THROW(GlobalId("shop", "Invoice", "", std::nullopt), BadGlobalId);
  EXPECT_THROW(GlobalId("shop", "Invoice", "a\nb"sv, std::nullopt), BadGlobalId);
}

}  // namespace
}  // namespace tenure
