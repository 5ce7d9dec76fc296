#include "payload_contexts.hpp"

#include <tenure/base/text.hpp>

#include <cmath>
#include <limits>
#include <sys/resource.h>

namespace tenure {
namespace {

enum class Switch : bool { off, on };
enum class Color : std::int16_t { red = -1, green, blue };

}  // namespace

template <>
struct EnumRange<Switch> {
  static constexpr Switch first = Switch::off, last = Switch::on;
};
template <>
struct EnumRange<Color> {
  static constexpr Color first = Color::red, last = Color::blue;
};

namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

struct Line {
  std::uint8_t amount = 0;
  bool paid = false;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(amount), CEREAL_NVP(paid));
  }
};

struct Invoice {
  std::vector<Line> lines;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(lines));
  }
};

struct Node {
  std::vector<Node> children;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(children));
  }
};

std::string invoice_with(std::string_view amount, std::string_view paid = "true") {
  return R"({"lines":[{"amount":1,"paid":true},{"amount":)" + std::string(amount) + R"(,"paid":)" +
         std::string(paid) + "}]}";
}

constexpr PayloadLimits kWidest{.bytes_max = limits::kPayloadMax};

long peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Every row of the table of hostile inputs.

TEST(HostilePayload, SER_02_MillionBrackets) {
  const std::string brackets(1'000'000, '[');
  EXPECT_TRUE(refused_text<Node>(brackets, kWidest).starts_with("TooDeep at $[0][0]"));
  EXPECT_TRUE(refused_text<std::vector<int>>(brackets, kWidest).starts_with("TooDeep"));
}

TEST(HostilePayload, SER_02_SelfNestingTypeOfAHundredThousandLevels) {
  std::string text;
  while (text.size() + 13 < limits::kPayloadMax) text += R"({"children":[)";
  EXPECT_TRUE(refused_text<Node>(text, kWidest).starts_with("TooDeep at $.children[0]"));
}

TEST(HostilePayload, SER_02_CountIsNeverBelieved) {
  // Where a format with counts says 2^40, this one has to show the elements.
  struct Counted {
    std::uint64_t count = 0;
    std::vector<int> numbers;
    void serialize(PayloadReader& archive) { archive(CEREAL_NVP(count), CEREAL_NVP(numbers)); }
    void serialize(PayloadWriter&) {}
  };
  const auto read = decoded<Counted>(R"({"count":1099511627776,"numbers":[1]})");
  EXPECT_EQ(read.numbers.capacity(), 1U);
  const std::string million = "[" + std::string(399'999, ' ') + "0]";
  EXPECT_EQ(decoded<std::vector<int>>(million, kWidest).size(), 1U);
}

TEST(HostilePayload, SER_02_HalfAMillionEmptyStringsStayBelow256MiB) {
  std::string text = "[\"\"";
  while (text.size() + 4 < limits::kPayloadMax) text += ",\"\"";
  text += "]";
  const long before = peak_memory_kib();
  EXPECT_EQ(refused_text<std::vector<std::string>>(text, kWidest), "accepted");
  EXPECT_TRUE(refused_text<std::vector<int>>(text, kWidest).starts_with("WrongType at $[0]"));
  EXPECT_LT(peak_memory_kib() - before, 256 * 1024);
}

TEST(HostilePayload, SER_02_CutAtEveryByte) {
  const std::string whole = encoded(Invoice{{{1, true}, {255, false}}});
  EXPECT_EQ(refused_text<Invoice>(whole), "accepted");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(refused_text<Invoice>(whole.substr(0, size)).starts_with("Truncated at $")) << size;
}

TEST(HostilePayload, SER_03_BytesAfterTheValue) {
  const std::string whole = encoded(Invoice{});
  for (const std::string& more : {"x"s, "{}"s, "\0"s, ","s, whole})
    EXPECT_EQ(refused_text<Invoice>(whole + more), "TrailingBytes at $") << escaped(more);
  EXPECT_EQ(refused_text<Invoice>(whole + " \n"), "accepted");
  EXPECT_EQ((refused_text<std::pair<int, int>>("[1,2,3]")), "TrailingBytes at $[2]");
  EXPECT_EQ((refused_text<std::array<int, 2>>("[1,2,3]")), "TrailingBytes at $[2]");
}

TEST(HostilePayload, SER_03_KeyTwice) {
  EXPECT_EQ(refused_text<Invoice>(R"({"lines":[],"lines":[]})"), "DuplicateKey at $.lines");
  EXPECT_EQ(refused_text<Invoice>(R"({"lines":[{"amount":1,"paid":true,"amount":2}]})"),
            "DuplicateKey at $.lines[0].amount");
  EXPECT_EQ((refused_text<std::map<std::string, int>>(R"({"a":1,"\u0061":2})")), "DuplicateKey at $.a");
  EXPECT_EQ((refused_text<std::map<int, int>>("[[1,1],[1,2]]")), "DuplicateKey at $[1]");
  EXPECT_EQ((refused_text<std::set<int>>("[1,2,1]")), "DuplicateKey at $[2]");
  EXPECT_EQ(refused_text<Invoice>(R"({"lines":[],"unknown":{"a":1,"a":2}})"), "DuplicateKey at $.unknown.a");
}

TEST(HostilePayload, SER_03_BoolSevenAndEnumOutsideItsSet) {
  EXPECT_EQ(refused_text<Invoice>(invoice_with("1", "7")), "OutOfRange at $.lines[1].paid");
  EXPECT_EQ(refused_text<Invoice>(invoice_with("1", "1")), "OutOfRange at $.lines[1].paid");
  EXPECT_EQ(refused_text<Invoice>(invoice_with("1", "\"true\"")), "WrongType at $.lines[1].paid");
  for (const char* outside : {"-2", "2", "70000", "18446744073709551615"})
    EXPECT_EQ(refused_text<Color>(outside), "OutOfRange at $") << outside;
  EXPECT_EQ(refused_text<Color>("-1"), "accepted");
  EXPECT_EQ(refused_text<Color>("1"), "accepted");
  EXPECT_EQ(refused_text<Switch>("1"), "accepted");
  EXPECT_EQ(refused_text<Switch>("2"), "OutOfRange at $");
  EXPECT_EQ(refused_value(static_cast<Color>(2)), "OutOfRange at $");
  EXPECT_EQ(refused_value(std::vector<Color>{Color::red, static_cast<Color>(-2)}), "OutOfRange at $[1]");
}

TEST(HostilePayload, SER_03_NumbersThatTheFieldCannotHold) {
  for (const char* amount :
       {"256", "300", "-1", "18446744073709551615", "18446744073709551616", "-9223372036854775809"})
    EXPECT_EQ(refused_text<Invoice>(invoice_with(amount)), "OutOfRange at $.lines[1].amount") << amount;
  for (const char* amount : {"1.5", "1.0", "1e2", "\"1\"", "true", "null", "[]", "{}"})
    EXPECT_EQ(refused_text<Invoice>(invoice_with(amount)), "WrongType at $.lines[1].amount") << amount;
  EXPECT_EQ(refused_text<Invoice>(invoice_with("255")), "accepted");
  EXPECT_EQ(refused_text<std::int64_t>("9223372036854775808"), "OutOfRange at $");
  EXPECT_EQ(refused_text<std::int8_t>("-129"), "OutOfRange at $");
  EXPECT_EQ(refused_text<std::int8_t>("128"), "OutOfRange at $");
  EXPECT_EQ(refused_text<char>("128"), "OutOfRange at $");
}

TEST(HostilePayload, SER_04_NanAndInfinityAreRefusedInBothDirections) {
  struct Amount {
    double amount = 0;
    float rate = 0;
    void serialize(PayloadReader& archive) { archive(CEREAL_NVP(amount), CEREAL_NVP(rate)); }
    void serialize(PayloadWriter& archive) { archive(CEREAL_NVP(amount), CEREAL_NVP(rate)); }
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                   kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refused_value(Amount{kNan, 0}), "NotANumber at $.amount");
  EXPECT_EQ(refused_value(Amount{-kInfinity, 0}), "NotANumber at $.amount");
  EXPECT_EQ(refused_value(Amount{0, std::numeric_limits<float>::infinity()}), "NotANumber at $.rate");
  for (const char* text : {"NaN", "Infinity", "-Infinity"})
    EXPECT_EQ(refused_text<Amount>(R"({"amount":)"s + text + "}"), "NotANumber at $.amount");
  EXPECT_EQ(refused_text<Amount>(R"({"amount":1e999})"), "OutOfRange at $.amount");
  EXPECT_EQ(refused_text<Amount>(R"({"amount":1,"rate":1e39})"), "OutOfRange at $.rate");
  EXPECT_EQ(refused_text<Amount>(R"({"amount":1,"rate":16777217})"), "OutOfRange at $.rate");
  EXPECT_EQ(refused_text<Amount>(R"({"amount":9007199254740993,"rate":0})"), "OutOfRange at $.amount");
}

TEST(HostilePayload, SER_03_BadTextInBothDirections) {
  using Strings = std::vector<std::string>;
  for (const char* text :
       {"[\"\xFF\"]", "[\"\xC3\"]", "[\"\xED\xA0\x80\"]", R"(["\ud800"])", R"(["\udc00"])", "[\"\x01\"]"})
    EXPECT_EQ(refused_text<Strings>(text), "BadText at $[0]") << escaped(text);
  EXPECT_EQ(refused_value(Strings{"a", "\xFF"}), "BadText at $[1]");
  EXPECT_EQ(refused_value(std::map<std::string, int>{{"\xED\xA0\x80", 1}}),
            "BadText at $[\"\\xed\\xa0\\x80\"]");
}

TEST(HostilePayload, Base64ThatIsNotTheOneText) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm 9v", "Zm9v\\n", "Zm9-", "ü"})
    EXPECT_EQ(refused_text<Bytes>("\"" + std::string(text) + "\""), "BadText at $") << text;
  EXPECT_EQ(refused_text<Bytes>("[1]"), "WrongType at $");
}

TEST(HostilePayload, WrongTypeAndMissingField) {
  EXPECT_EQ(refused_text<Invoice>("{}"), "MissingField at $.lines");
  EXPECT_EQ(refused_text<Invoice>(R"({"lines":[{"amount":1}]})"), "MissingField at $.lines[0].paid");
  EXPECT_EQ(refused_text<Invoice>(R"({"lines":{}})"), "WrongType at $.lines");
  EXPECT_EQ(refused_text<Invoice>(R"({"lines":[[]]})"), "WrongType at $.lines[0]");
  EXPECT_EQ(refused_text<Invoice>("[]"), "WrongType at $");
  EXPECT_EQ(refused_text<Invoice>("null"), "WrongType at $");
  EXPECT_EQ((refused_text<std::map<std::string, int>>("[]")), "WrongType at $");
  EXPECT_EQ((refused_text<std::map<int, int>>("{}")), "WrongType at $");
  EXPECT_EQ((refused_text<std::map<int, int>>("[[1]]")), "MissingField at $[0][1]");
  EXPECT_EQ((refused_text<std::tuple<int, int>>("[1]")), "MissingField at $[1]");
  EXPECT_EQ((refused_text<std::array<int, 3>>("[1]")), "MissingField at $[1]");
  EXPECT_EQ((refused_text<std::optional<int>>("\"x\"")), "WrongType at $");
}

TEST(HostilePayload, VariantOutsideItsAlternatives) {
  using Variant = std::variant<std::monostate, int>;
  EXPECT_EQ(refused_text<Variant>("[2,1]"), "OutOfRange at $[0]");
  EXPECT_EQ(refused_text<Variant>("[-1,1]"), "OutOfRange at $[0]");
  EXPECT_EQ(refused_text<Variant>("[4294967297,1]"), "OutOfRange at $[0]");
  EXPECT_EQ(refused_text<Variant>("[1]"), "MissingField at $[1]");
  EXPECT_EQ(refused_text<Variant>("[1,null]"), "WrongType at $[1]");
  EXPECT_EQ(refused_text<Variant>("[0,1]"), "WrongType at $[1]");
}

TEST(HostilePayload, TimesThatTheFieldCannotHold) {
  EXPECT_EQ(refused_text<std::chrono::microseconds>("1500"), "OutOfRange at $");
  EXPECT_EQ(refused_text<std::chrono::milliseconds>("1.5"), "WrongType at $");
  using Short = std::chrono::duration<std::int8_t>;
  EXPECT_EQ(refused_text<Short>("127000000000"), "accepted");
  EXPECT_EQ(refused_text<Short>("128000000000"), "OutOfRange at $");
  const std::chrono::sys_days year30000{std::chrono::year{30000} / 1 / 1};
  EXPECT_EQ(refused_value(year30000), "OutOfRange at $");
  EXPECT_EQ(refused_text<std::chrono::sys_days>("884541340800000000000"), "OutOfRange at $");
}

TEST(HostilePayload, SER_14_DamageInsideAFieldThatTheTypeLacks) {
  const auto with = [](std::string_view value) { return R"({"lines":[],"new":)" + std::string(value) + "}"; };
  EXPECT_EQ(refused_text<Invoice>(with("[1,{}]")), "accepted");
  EXPECT_EQ(refused_text<Invoice>(with("truu")), "BadSyntax at $.new");
  EXPECT_EQ(refused_text<Invoice>(with("1e999")), "OutOfRange at $.new");
  EXPECT_EQ(refused_text<Invoice>(with("[01]")), "BadSyntax at $.new[0]");
  EXPECT_EQ(refused_text<Invoice>(with("\"\xFF\"")), "BadText at $.new");
}

TEST(HostilePayload, WhatOtherReadersAllowBesidesJson) {
  for (const char* text :
       {"[1,]", "[/**/1]", "[+1]", "[01]", "[1]//", "\xEF\xBB\xBF[1]", "[0x1]", "['1']", "[1,,2]"}) {
    const std::string refused = refused_text<std::vector<int>>(text);
    EXPECT_TRUE(refused.starts_with("BadSyntax") || refused.starts_with("TrailingBytes")) << text << refused;
  }
  EXPECT_EQ(refused_text<Invoice>(""), "Truncated at $");
}

TEST(HostilePayload, NamesInMessagesCannotForgeALine) {
  const std::string text = "{\"a\\n\\u001b[2J\":[}";
  EXPECT_EQ((refused_text<std::map<std::string, int>>(text)), "BadSyntax at $[\"a\\x0a\\x1b[2J\"][0]");
  EXPECT_EQ((refused_text<std::map<std::string, int>>(R"({"a\n\u001b[2J":"x"})")),
            "WrongType at $[\"a\\x0a\\x1b[2J\"]");
}

}  // namespace
}  // namespace tenure
