#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace tenure::json {
namespace {

using namespace std::string_literals;

constexpr ReadLimits kLimits{.bytes_max = 4UL << 20U, .depth_max = 64};

Document parsed(std::string_view text) {
  auto document = Document::parse(text, kLimits);
  if (!document) ADD_FAILURE() << document.error().text();
  return value_or_raise(std::move(document));
}

// "REASON at PATH" of a text that must be refused.
std::string refusal(std::string_view text, ReadLimits limits = kLimits) {
  const auto document = Document::parse(text, limits);
  if (document) return "accepted";
  EXPECT_EQ(document.error().code, ErrorCode::bad_payload);
  const std::string& message = document.error().message;
  return message.substr(0, message.find(':')) + " at " + document.error().where;
}

template <class T>
std::string refusal(const Result<T>& result) {
  if (result) return "accepted";
  const std::string& message = result.error().message;
  return message.substr(0, message.find(':')) + " at " + result.error().where;
}

TEST(JsonReader, ReadsEveryType) {
  const Document document = parsed(R"({"n":null,"b":true,"i":-7,"d":0.5,"s":"x","a":[1,2],"o":{"k":false}})");
  const Value root = document.root();
  EXPECT_EQ(root.type(), Type::object);
  EXPECT_EQ(root.size(), 7U);
  EXPECT_EQ(root.member("n")->type(), Type::null);
  EXPECT_EQ(root.member("b")->boolean(), true);
  EXPECT_EQ(root.member("i")->integer(), -7);
  EXPECT_EQ(root.member("d")->number(), 0.5);
  EXPECT_EQ(root.member("s")->string(), "x");
  EXPECT_EQ(root.member("a")->size(), 2U);
  EXPECT_EQ(root.member("o")->member("k")->boolean(), false);
  EXPECT_FALSE(root.member("missing"));
  EXPECT_FALSE(root.member("a")->member("k"));
  EXPECT_EQ(root.member("i")->size(), 0U);
}

TEST(JsonReader, ReadsAScalarAsTheWholeText) {
  EXPECT_EQ(parsed(" 42 ").root().integer(), 42);
  EXPECT_EQ(parsed("\"\"").root().string(), "");
  EXPECT_EQ(parsed("null").root().type(), Type::null);
  EXPECT_EQ(parsed("-0").root().integer(), 0);
}

TEST(JsonReader, KeepsNulInsideStringsAndKeys) {
  const Document document = parsed(R"({"a\u0000b":"x\u0000y"})");
  document.root().each_member([](std::string_view key, Value value) {
    EXPECT_EQ(key, "a\0b"s);
    EXPECT_EQ(value.string(), "x\0y"s);
    return true;
  });
}

TEST(JsonReader, SER_01_NumbersAreExactAtTheirLimits) {
  EXPECT_EQ(parsed("-9223372036854775808").root().integer(), INT64_MIN);
  EXPECT_EQ(parsed("9223372036854775807").root().integer(), INT64_MAX);
  EXPECT_EQ(parsed("18446744073709551615").root().unsigned_integer(), UINT64_MAX);
  EXPECT_EQ(parsed("9007199254740993").root().integer(), 9007199254740993);
  for (const double exact :
       {0.1, 5e-324, 1.7976931348623157e308, 2.2250738585072011e-308, 123456789.123456789}) {
    std::string text;
    Writer(text).number(exact);
    EXPECT_EQ(parsed(text).root().number(), exact) << text;
  }
  EXPECT_TRUE(std::signbit(*parsed("-0.0").root().number()));
}

TEST(JsonReader, NeverConvertsSilently) {
  const Document document =
      parsed(R"({"big":9223372036854775808,"minus":-1,"half":1.5,"one":1.0,"text":"1","t":true})");
  const auto at = [&](std::string_view key) { return *document.root().member(key); };
  EXPECT_EQ(refusal(at("big").integer()), "OutOfRange at $.big");
  EXPECT_EQ(refusal(at("minus").unsigned_integer()), "OutOfRange at $.minus");
  EXPECT_EQ(refusal(at("half").integer()), "WrongType at $.half");
  EXPECT_EQ(refusal(at("one").unsigned_integer()), "WrongType at $.one");
  EXPECT_EQ(refusal(at("text").integer()), "WrongType at $.text");
  EXPECT_EQ(refusal(at("t").integer()), "WrongType at $.t");
  EXPECT_EQ(refusal(at("text").boolean()), "WrongType at $.text");
  EXPECT_EQ(refusal(at("t").string()), "WrongType at $.t");
  EXPECT_EQ(refusal(at("t").number()), "WrongType at $.t");
}

TEST(JsonReader, TakesAnIntegerForADoubleOnlyWhereItIsExact) {
  EXPECT_EQ(parsed("9007199254740992").root().number(), 9007199254740992.0);
  EXPECT_EQ(parsed("-9007199254740992").root().number(), -9007199254740992.0);
  EXPECT_EQ(parsed("9007199254740994").root().number(), 9007199254740994.0);
  EXPECT_EQ(parsed("9223372036854775808").root().number(), 0x1p63);
  EXPECT_EQ(parsed("-9223372036854775808").root().number(), -0x1p63);
  EXPECT_EQ(parsed("18446744073709549568").root().number(), 0x1.fffffffffffffp63);
  EXPECT_EQ(refusal(parsed("9007199254740993").root().number()), "OutOfRange at $");
  EXPECT_EQ(refusal(parsed("-9007199254740993").root().number()), "OutOfRange at $");
  EXPECT_EQ(refusal(parsed("9223372036854775807").root().number()), "OutOfRange at $");
  EXPECT_EQ(refusal(parsed("9223372036854775809").root().number()), "OutOfRange at $");
  EXPECT_EQ(refusal(parsed("18446744073709551615").root().number()), "OutOfRange at $");
}

TEST(JsonReader, WritesScalarsAsTheyWereRead) {
  const std::string text = R"([null,true,-9223372036854775808,18446744073709551615,1.5,"a\nb"])";
  const Document document = parsed(text);
  std::string out;
  Writer writer(out);
  writer.begin_array();
  document.root().each_element([&](Value item) {
    item.write_scalar(writer);
    return true;
  });
  writer.end_array();
  EXPECT_EQ(out, text);
}

TEST(JsonReader, NamesThePathOfAValue) {
  const Document document =
      parsed(R"({"a b":[0,{"c":[[]]}],"lines":[{"amount":1},{"amount":"x"}],"\u001b":true})");
  const Value root = document.root();
  EXPECT_EQ(root.path(), "$");
  std::vector<Value> lines;
  root.member("lines")->each_element([&](Value line) {
    lines.push_back(line);
    return true;
  });
  EXPECT_EQ(refusal(lines.at(1).member("amount")->integer()), "WrongType at $.lines[1].amount");
  EXPECT_EQ(root.member("a b")->path(), "$[\"a b\"]");
  root.member("a b")->each_element([&](Value element) {
    if (const auto inner = element.member("c"))
      inner->each_element([](Value innermost) {
        EXPECT_EQ(innermost.path(), "$[\"a b\"][1].c[0]");
        return true;
      });
    return true;
  });
  EXPECT_EQ(root.member("\x1b")->path(), "$[\"\\x1b\"]");
}

TEST(JsonReader, ShowsDuplicateKeys) {
  const Document document = parsed(R"({"a":1,"b":2,"a":3})");
  std::vector<std::string> keys;
  document.root().each_member([&](std::string_view key, Value) {
    keys.emplace_back(key);
    return true;
  });
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "b", "a"}));
  EXPECT_EQ(document.root().member("a")->integer(), 1);
}

TEST(JsonReader, StopsWhereTheVisitorSaysSo) {
  const Document document = parsed("[1,2,3]");
  int seen = 0;
  document.root().each_element([&](Value) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

TEST(JsonReader, ATextWithoutAnAddressIsEmpty) { EXPECT_EQ(refusal(std::string_view{}), "Truncated at $"); }

TEST(JsonReader, SurvivesAMoveOfItsDocument) {
  Document document = parsed(R"(["x"])");
  const Value root = document.root();
  const Document moved = std::move(document);
  EXPECT_EQ(root.size(), 1U);
}

struct Refused {
  std::string text, refusal;
};

TEST(JsonReader, RefusesWhatIsNotExactlyOneJsonValue) {
  const std::vector<Refused> rows{
      {"", "Truncated at $"},
      {"   ", "Truncated at $"},
      {"{\"a\":1} x", "TrailingBytes at $"},
      {"1 2", "TrailingBytes at $"},
      {"{}{}", "TrailingBytes at $"},
      {"[1]\0"s, "TrailingBytes at $"},
      {"{\"a\":[1,2", "Truncated at $.a[1]"},
      {"{\"a\":\"xy", "Truncated at $.a"},
      {"{", "Truncated at $"},
      {"{\"a\"", "Truncated at $.a"},
      {"tru", "Truncated at $"},
      {"-", "Truncated at $"},
      {"[1,]", "BadSyntax at $[1]"},
      {"{\"a\":1,}", "BadSyntax at $"},
      {"[1 2]", "BadSyntax at $[0]"},
      {"{a:1}", "BadSyntax at $"},
      {"{'a':1}", "BadSyntax at $"},
      {"{\"a\" 1}", "BadSyntax at $.a"},
      {"[1] // why", "TrailingBytes at $"},
      {"[/* why */1]", "BadSyntax at $[0]"},
      {"[+1]", "BadSyntax at $[0]"},
      {"[01]", "BadSyntax at $[0]"},
      {"[-01]", "BadSyntax at $[0]"},
      {"[.5]", "BadSyntax at $[0]"},
      {"[5.]", "BadSyntax at $[0]"},
      {"[1e]", "BadSyntax at $[0]"},
      {"[0x10]", "BadSyntax at $[0]"},
      {"[True]", "BadSyntax at $[0]"},
      {"[nul]", "BadSyntax at $[0]"},
      {"[undefined]", "BadSyntax at $[0]"},
      {"\xEF\xBB\xBF[1]", "BadSyntax at $"},
      {"[1}", "BadSyntax at $[0]"},
      {"]", "BadSyntax at $"},
      {"[NaN]", "NotANumber at $[0]"},
      {"[-Infinity]", "NotANumber at $[0]"},
      {"[Infinity]", "NotANumber at $[0]"},
      {"{\"a\":1e999}", "OutOfRange at $.a"},
      {"{\"a\":-1e999}", "OutOfRange at $.a"},
      {"{\"a\":[18446744073709551616]}", "OutOfRange at $.a[0]"},
      {"{\"a\":[-9223372036854775809]}", "OutOfRange at $.a[0]"},
      {"{\"a\":123456789012345678901234567890}", "OutOfRange at $.a"},
  };
  for (const Refused& row : rows) EXPECT_EQ(refusal(row.text), row.refusal) << escaped(row.text);
}

TEST(JsonReader, RefusesBadText) {
  const std::vector<Refused> rows{
      {"{\"a\":\"\\ud800\"}", "BadText at $.a"},  // a high half alone
      {"{\"a\":\"\\ud800x\"}", "BadText at $.a"},
      {"{\"a\":\"\\ud800\\u0041\"}", "BadText at $.a"},
      {"{\"a\":\"\\ud800\\ud800\"}", "BadText at $.a"},
      {"{\"a\":\"\\udc00\"}", "BadText at $.a"},  // a low half alone
      {"{\"a\":\"\\udc00\\ud800\"}", "BadText at $.a"},
      {"{\"\\udfff\":1}", "BadText at $"},
      {"[\"\xFF\"]", "BadText at $[0]"},
      {"[\"\xED\xA0\x80\"]", "BadText at $[0]"},
      {"[\"\xC0\xAF\"]", "BadText at $[0]"},
      {"[\"a\nb\"]", "BadText at $[0]"},
      {"[\"a\0b\"]"s, "BadText at $[0]"},
      {"[\"\\x41\"]", "BadText at $[0]"},
      {"[\"\\u12g4\"]", "BadText at $[0]"},
      {"[\"\\u+123\"]", "BadText at $[0]"},
      {"[\"\\u12", "Truncated at $[0]"},
  };
  for (const Refused& row : rows) EXPECT_EQ(refusal(row.text), row.refusal) << escaped(row.text);
  EXPECT_EQ(parsed(R"("\ud83d\ude42")").root().string(), "🙂");
}

TEST(JsonReader, SER_14_RefusesDamageInFieldsThatNobodyAsksFor) {
  EXPECT_EQ(refusal("{\"known\":1,\"unknown\":[1,{\"x\":truu}]}"), "BadSyntax at $.unknown[1].x");
  EXPECT_EQ(refusal("{\"known\":1,\"unknown\":1e999}"), "OutOfRange at $.unknown");
  EXPECT_EQ(refusal("{\"known\":1,\"unknown\":\"\xFF\"}"), "BadText at $.unknown");
}

std::string nested(std::size_t levels, std::string_view inner = "") {
  return std::string(levels, '[') + std::string(inner) + std::string(levels, ']');
}

TEST(JsonReader, NestsAsDeepAsItsLimitAndNoDeeper) {
  for (const std::string_view inner : {"", "1"}) {
    EXPECT_EQ(refusal(nested(63, inner)), "accepted");
    EXPECT_EQ(refusal(nested(64, inner)), "accepted");
    EXPECT_TRUE(refusal(nested(65, inner)).starts_with("TooDeep at $[0][0]"));
  }
  EXPECT_EQ(refusal("{\"[[[[[[[\":\"[[[[\\\"[[[[\"}", {.bytes_max = 100, .depth_max = 1}), "accepted");
  EXPECT_EQ(refusal("7", {.bytes_max = 100, .depth_max = 0}), "accepted");
  EXPECT_EQ(refusal("[]", {.bytes_max = 100, .depth_max = 0}), "TooDeep at $");
}

TEST(JsonReader, QuotesInsideStringsDoNotHideTheDepth) {
  EXPECT_EQ(refusal(R"(["\\\"",)" + nested(63) + "]"), "accepted");
  EXPECT_TRUE(refusal(R"(["\"",)" + nested(64) + "]").starts_with("TooDeep at $[1][0]"));
  EXPECT_TRUE(refusal(R"(["\\",)" + nested(64) + "]").starts_with("TooDeep at $[1][0]"));
}

TEST(JsonReader, SER_02_RefusesAMillionBrackets) {
  EXPECT_TRUE(refusal(std::string(1'000'000, '[')).starts_with("TooDeep"));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(refusal(objects).starts_with("TooDeep at $.a.a"));
}

TEST(JsonReader, ReadsAsManyBytesAsItsLimitAndNoMore) {
  EXPECT_EQ(refusal("[1]", {.bytes_max = 3, .depth_max = 1}), "accepted");
  EXPECT_EQ(refusal("[12]", {.bytes_max = 3, .depth_max = 1}), "TooLarge at $");
}

TEST(JsonReader, ThePathOfWhatIsBrokenHasKeysAsTheyAreMeant) {
  EXPECT_EQ(refusal(R"({"pass\u0077ord":{"\u00e9\"":[1,}})"), "BadSyntax at $.password[\"\u00e9\"\"][1]");
  EXPECT_EQ(refusal(R"({"a\\b":})"), "BadSyntax at $[\"a\\b\"]");
}

TEST(JsonReader, SER_02_RefusesATextThatIsCutAnywhere) {
  const std::string whole = R"({"a":[1,-2.5e3,"x\u00e9\n",null,true,{"b":{}}],"c":"ü"})";
  EXPECT_EQ(refusal(whole), "accepted");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string found = refusal(whole.substr(0, size));
    EXPECT_NE(found, "accepted") << size;
    // Between the bytes of a character it is the character that is broken.
    EXPECT_TRUE(found.starts_with("Truncated") || found.starts_with("BadText")) << size << found;
  }
}

}  // namespace
}  // namespace tenure::json
