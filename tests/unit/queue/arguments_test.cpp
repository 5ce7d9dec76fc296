#include <tenure/queue/arguments.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

// Arguments whose type nobody here knows: their canonical text, and what is refused with its place.
namespace tenure::queue {
namespace {

std::string canonical(std::string_view text, const PayloadLimits& limits = {}) {
  TenantPayloadContext context{"billing", TenantName("acme")};
  return canonical_arguments(text, context, limits);
}

// "Code: message at path".
std::string refusal(std::string_view text, const PayloadLimits& limits = {}) {
  try {
    return "accepted " + canonical(text, limits);
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(CanonicalArguments, AreTheTextThatATypeWouldBeWrittenAs) {
  EXPECT_EQ(
      canonical(
          "{ \"b\" : [3, 1.50, -0.0, 1e2] ,\n \"a\":{\"d\":null,\"c\":\"\\u00e9\\u0000\"}, \"B\":true }"),
      R"({"B":true,"a":{"c":"é\u0000","d":null},"b":[3,1.5,-0.0,100.0]})");
  EXPECT_EQ(canonical(R"({"n":18446744073709551615,"m":-9223372036854775808})"),
            R"({"m":-9223372036854775808,"n":18446744073709551615})");
  EXPECT_EQ(canonical("{}"), "{}");
}

TEST(CanonicalArguments, OfWhatIsCanonicalAreTheSame) {
  constexpr std::string_view kText =
      R"({"a":[1,{"b":0.1}],"c":{"$gid":"gid://billing/Invoice/7?tenant=acme"}})";
  EXPECT_EQ(canonical(kText), kText);
}

TEST(CanonicalArguments, BadTextIsRefusedWithItsPlace) {
  EXPECT_EQ(refusal(R"({"a":[1,)"), "BadPayload: Truncated: the text ends too early (byte 8) (at $.a[1])");
  EXPECT_EQ(refusal(R"({"a":1,"b":{"x":1,"x":2}})"),
            "BadPayload: DuplicateKey: the key stands there twice (at $.b.x)");
  EXPECT_EQ(refusal("[1]"),
            "BadPayload: WrongType: the arguments of a job are an object, {\"name\": value, ...} (at $)");
  EXPECT_EQ(refusal(R"({"a":{"b":{"c":1}}})", {.depth_max = 2}).substr(0, 19), "BadPayload: TooDeep");
  EXPECT_EQ(refusal(R"({"a":[1,2,3]})", {.elements_max = 3}),
            "BadPayload: TooManyElements: the arguments have more than the 3 elements that are allowed (at "
            "$.a[2])");
  EXPECT_EQ(refusal(R"({"a":"1234"})", {.string_max = 3}),
            "BadPayload: StringTooLong: the string has more than 3 bytes (at $.a)");
  EXPECT_EQ(refusal(R"({"a":1})", {.bytes_max = 6}),
            "PayloadTooLarge: the arguments have 7 bytes, more than the 6 that are allowed (at $)");
}

TEST(CanonicalArguments, IdsOfOtherTenantsAreRefusedWhereverTheyStand) {
  EXPECT_EQ(refusal(R"({"a":[{"b":{"$gid":"gid://billing/Invoice/7?tenant=globex"}}]})"),
            "WrongTenant: the id gid://billing/Invoice/7?tenant=globex belongs to globex, the job to acme "
            "(at $.a[0].b)");
  EXPECT_EQ(refusal(R"({"a":{"$gid":"gid://shop/Invoice/7?tenant=acme"}})").substr(0, 11), "BadGlobalId");
  EXPECT_EQ(refusal(R"({"a":{"$gid":"no id"}})").substr(0, 11), "BadGlobalId");
  EXPECT_EQ(refusal(R"({"a":{"$gid":7}})"),
            "BadPayload: WrongType: a string was expected, not an integer (at $.a.$gid)");
  EXPECT_EQ(refusal(R"({"a":{"$gid":"gid://billing/Invoice/7?tenant=acme","b":1}})"),
            "BadPayload: WrongType: the key $gid is kept for references to records, which have no other key "
            "(at $.a)");
  EXPECT_EQ(canonical(R"({"a":{"$gid":"gid://billing/Currency/EUR"}})"),
            R"({"a":{"$gid":"gid://billing/Currency/EUR"}})");
  TenantPayloadContext untenanted{"billing", std::nullopt};
  EXPECT_THROW(
      (void)canonical_arguments(R"({"a":{"$gid":"gid://billing/Invoice/7?tenant=acme"}})", untenanted, {}),
      NoTenant);
}

}  // namespace
}  // namespace tenure::queue
