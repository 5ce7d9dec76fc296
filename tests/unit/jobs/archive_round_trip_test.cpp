#include "payload_contexts.hpp"

#include <cmath>
#include <limits>
#include <locale>

namespace tenure {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

enum class Color : std::uint8_t { red = 1, green, blue };

}  // namespace

template <>
struct EnumRange<Color> {
  static constexpr Color first = Color::red, last = Color::blue;
};

namespace {

struct Line {
  std::string text;
  std::int64_t amount = 0;
  std::optional<std::string> note;

  friend bool operator==(const Line&, const Line&) = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text), CEREAL_NVP(amount), CEREAL_NVP(note));
  }
};

struct Invoice {
  std::vector<Line> lines;
  std::map<std::string, Line> by_name;
  std::pair<int, std::string> pair;

  friend bool operator==(const Invoice&, const Invoice&) = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(pair), CEREAL_NVP(lines), CEREAL_NVP(by_name));
  }
};

// Encodes, compares with the text that is kept for ever, and decodes.
template <class T>
void expect_text(const T& value, std::string_view text) {
  EXPECT_EQ(encoded(value), text);
  EXPECT_EQ(decoded<T>(text), value) << text;
}

TEST(ArchiveText, SER_01_ScalarsAtTheirLimits) {
  expect_text(true, "true");
  expect_text<std::int8_t>(-128, "-128");
  expect_text<std::uint8_t>(255, "255");
  expect_text<std::int16_t>(-32768, "-32768");
  expect_text<std::uint32_t>(4294967295U, "4294967295");
  expect_text(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
  expect_text(std::numeric_limits<std::int64_t>::max(), "9223372036854775807");
  expect_text(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
  expect_text<long long>(1LL << 53 | 1, "9007199254740993");
  expect_text('\xFF', "-1");
  expect_text(Color::green, "2");
}

TEST(ArchiveText, SER_01_DoublesAreExactBitForBit) {
  expect_text(0.1, "0.1");
  expect_text(5e-324, "5e-324");
  expect_text(std::numeric_limits<double>::max(), "1.7976931348623157e+308");
  expect_text(3.0, "3.0");
  expect_text(0.1F, "0.10000000149011612");
  EXPECT_TRUE(std::signbit(decoded<double>(encoded(-0.0))));
  EXPECT_EQ(decoded<double>("3"), 3.0);
  EXPECT_EQ(decoded<float>("0.1"), 0.1F);
}

TEST(ArchiveText, SER_01_StringsKeepNulAndEveryLanguage) {
  expect_text(""s, R"("")");
  expect_text("a\0b"s, R"("a\u0000b")");
  expect_text("Zürich 東京 🙂"s, R"("Zürich 東京 🙂")");
}

TEST(ArchiveText, BytesAreBase64) {
  const auto bytes = [](std::string_view text) {
    Bytes made;
    for (const char c : text) made.value.push_back(static_cast<std::byte>(c));
    return made;
  };
  expect_text(bytes(""), R"("")");
  expect_text(bytes("f"), R"("Zg==")");
  expect_text(bytes("fo"), R"("Zm8=")");
  expect_text(bytes("foo"), R"("Zm9v")");
  expect_text(bytes("\xFF\xFE\x00\xFB"), R"("//4=")");
  expect_text(bytes("\xFF\xFE\x00\xFB"s), R"("//4A+w==")");
}

TEST(ArchiveText, SER_01_TimesAreWholeNanoseconds) {
  expect_text(std::chrono::nanoseconds{1}, "1");
  expect_text(std::chrono::microseconds{-7}, "-7000");
  expect_text(std::chrono::hours{2}, "7200000000000");
  expect_text(std::chrono::sys_time<std::chrono::nanoseconds>{1'700'000'000'123'456'789ns},
              "1700000000123456789");
  expect_text(std::chrono::sys_days{2026y / 3 / 2}, "1772409600000000000");
}

TEST(ArchiveText, SER_01_Containers) {
  expect_text(std::vector<int>{1, 2}, "[1,2]");
  expect_text(std::vector<bool>{true, false}, "[true,false]");
  expect_text(std::deque<std::string>{"a"}, R"(["a"])");
  expect_text(std::list<int>{3}, "[3]");
  expect_text(std::array<int, 2>{1, 2}, "[1,2]");
  expect_text(std::array<int, 0>{}, "[]");
  expect_text(std::pair<int, std::string>{1, "x"}, R"([1,"x"])");
  expect_text(std::tuple<int, bool, std::string>{1, true, "x"}, R"([1,true,"x"])");
  expect_text(std::tuple<>{}, "[]");
  expect_text(std::map<std::string, int>{{"b", 2}, {"a", 1}}, R"({"a":1,"b":2})");
  expect_text(std::map<int, std::string>{{2, "b"}, {1, "a"}}, R"([[1,"a"],[2,"b"]])");
  expect_text(std::set<std::string>{"b", "a"}, R"(["a","b"])");
  expect_text(std::optional<int>{}, "null");
  expect_text(std::optional<int>{4}, "4");
  expect_text(std::vector<std::optional<int>>{1, {}}, "[1,null]");
  expect_text(std::variant<std::monostate, int, std::string>{}, "[0,null]");
  expect_text(std::variant<std::monostate, int, std::string>{"x"}, R"([2,"x"])");
  expect_text(std::vector<std::vector<std::map<std::string, std::vector<int>>>>{{{{"a", {}}}}},
              R"([[{"a":[]}]])");
}

TEST(ArchiveText, ObjectsHaveSortedKeysAndLeaveOutAbsentOptionals) {
  expect_text(Invoice{{{"x", 1, {}}, {"y", -2, "n"}}, {{"k", {"z", 3, {}}}}, {7, "seven"}},
              R"({"by_name":{"k":{"amount":3,"text":"z"}},)"
              R"("lines":[{"amount":1,"text":"x"},{"amount":-2,"note":"n","text":"y"}],"pair":[7,"seven"]})");
}

TEST(ArchiveText, SER_09_SameValueSameBytesWhateverTheOrderOfInsertion) {
  std::unordered_map<std::string, int> forward, backward;
  std::unordered_set<int> numbers_forward, numbers_backward;
  std::unordered_map<int, int> pairs_forward, pairs_backward(1000);
  for (int i = 0; i < 300; ++i) {
    const int j = 299 - i;
    forward[std::to_string(i)] = i;
    backward[std::to_string(j)] = j;
    numbers_forward.insert(i);
    numbers_backward.insert(j);
    pairs_forward[i] = i;
    pairs_backward[j] = j;
  }
  EXPECT_EQ(encoded(forward), encoded(backward));
  EXPECT_EQ(encoded(numbers_forward), encoded(numbers_backward));
  EXPECT_EQ(encoded(pairs_forward), encoded(pairs_backward));
  EXPECT_EQ(decoded<decltype(forward)>(encoded(forward)), forward);
  EXPECT_EQ(decoded<decltype(numbers_forward)>(encoded(numbers_forward)), numbers_forward);
  EXPECT_EQ(decoded<decltype(pairs_forward)>(encoded(pairs_forward)), pairs_forward);
}

TEST(ArchiveText, SER_09_KeysAreSortedByTheirBytes) {
  EXPECT_EQ(encoded(std::unordered_map<std::string, int>{
                {"é", 1}, {"z", 2}, {"A", 3}, {"a", 4}, {"aa", 5}, {"", 6}}),
            R"({"":6,"A":3,"a":4,"aa":5,"z":2,"é":1})");
}

TEST(ArchiveText, SER_09_DoesNotAskTheLocale) {
  struct German : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
    char do_thousands_sep() const override { return '.'; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new German));
  EXPECT_EQ(encoded(std::pair{1234567, 1234.5}), "[1234567,1234.5]");
  EXPECT_EQ(refused_text<std::int8_t>("1234"), "OutOfRange at $");
  std::locale::global(before);
}

TEST(ArchiveText, ReadingReplacesWhatAValueHeld) {
  struct Full {
    std::vector<int> numbers{1, 2, 3};
    std::map<std::string, int> map{{"x", 1}};
    std::set<int> set{9};
    std::optional<int> optional = 5;
    void serialize(PayloadReader& archive) {
      archive(CEREAL_NVP(numbers), CEREAL_NVP(map), CEREAL_NVP(set), CEREAL_NVP(optional));
    }
    void serialize(PayloadWriter&) {}
  };
  const auto read = decoded<Full>(R"({"numbers":[4],"map":{},"set":[]})");
  EXPECT_EQ(read.numbers, std::vector<int>{4});
  EXPECT_TRUE(read.map.empty());
  EXPECT_TRUE(read.set.empty());
  EXPECT_EQ(read.optional, std::nullopt);
}

}  // namespace
}  // namespace tenure
