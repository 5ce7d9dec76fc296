#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <locale>

namespace tenure::json {
namespace {

using namespace std::string_literals;

template <class Write>
std::string written(Write write) {
  std::string out;
  Writer writer(out);
  write(writer);
  return out;
}

std::string number(double value) {
  return written([&](Writer& writer) { writer.number(value); });
}
std::string string(std::string_view value) {
  return written([&](Writer& writer) { writer.string(value); });
}

TEST(JsonWriter, WritesContainersWithTheirCommasAndColons) {
  EXPECT_EQ(
      written([](Writer& writer) {
        writer.begin_object().key("a").begin_array().integer(1).null().boolean(true).end_array();
        writer.key("b").begin_object().end_object().key("c").begin_array().begin_array().end_array().raw("7");
        writer.end_array().end_object();
      }),
      R"({"a":[1,null,true],"b":{},"c":[[],7]})");
}

TEST(JsonWriter, IsFinishedWhenEveryContainerIsClosed) {
  std::string out;
  Writer writer(out);
  EXPECT_FALSE(writer.finished());
  writer.begin_array();
  EXPECT_FALSE(writer.finished());
  writer.end_array();
  EXPECT_TRUE(writer.finished());
}

TEST(JsonWriter, WritesIntegersAtTheirLimits) {
  EXPECT_EQ(written([](Writer& writer) { writer.integer(INT64_MIN); }), "-9223372036854775808");
  EXPECT_EQ(written([](Writer& writer) { writer.unsigned_integer(UINT64_MAX); }), "18446744073709551615");
}

TEST(JsonWriter, WritesTheShortestDoubleThatReadsBackAndStaysADouble) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1), "1.0");
  EXPECT_EQ(number(-0.0), "-0.0");
  EXPECT_EQ(number(1e22), "1e+22");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(9007199254740993.0), "9007199254740992.0");
  EXPECT_EQ(number(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
}

TEST(JsonWriter, RefusesNanAndInfinity) {
  EXPECT_THROW(number(std::nan("")), BadPayload);
  EXPECT_THROW(number(std::numeric_limits<double>::infinity()), BadPayload);
  EXPECT_THROW(number(-std::numeric_limits<double>::infinity()), BadPayload);
}

TEST(JsonWriter, EscapesWhatJsonAndTerminalsActOn) {
  EXPECT_EQ(string("a\"b\\c\b\f\n\r\t"), R"("a\"b\\c\b\f\n\r\t")");
  EXPECT_EQ(string("\0\x1b\x7f"s), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(string("\u0085\u009b\u2028\u2029"), R"("\u0085\u009b\u2028\u2029")");
  EXPECT_EQ(string("\u00a0\u00e9€🙂\u202a/"), "\"\u00a0\u00e9€🙂\u202a/\"");
}

TEST(JsonWriter, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(string("\xFF"), BadPayload);
  EXPECT_THROW(written([](Writer& writer) { writer.begin_object().key("\xED\xA0\x80"); }), BadPayload);
}

TEST(JsonWriter, DoesNotAskTheLocale) {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
    char do_thousands_sep() const override { return '.'; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  EXPECT_EQ(number(1234567.5), "1234567.5");
  std::locale::global(before);
}

TEST(JsonWriterDeathTest, MisuseIsAnInvariant) {
  EXPECT_DEATH(written([](Writer& writer) { writer.key("a"); }), "invariant");
  EXPECT_DEATH(written([](Writer& writer) { writer.begin_object().integer(1); }), "invariant");
  EXPECT_DEATH(written([](Writer& writer) { writer.begin_array().end_object(); }), "invariant");
  EXPECT_DEATH(written([](Writer& writer) { writer.begin_object().key("a").end_object(); }), "invariant");
  EXPECT_DEATH(written([](Writer& writer) { writer.integer(1).integer(2); }), "invariant");
}

TEST(Printable, KeepsTheValueAndHidesTheCharacters) {
  constexpr std::string_view kHostile = "a\u202Eb\u200Bc\u2066d\uFEFFe\U000E0041f\u061Cg\"\\";
  std::string text;
  Writer(text).string(kHostile);
  const std::string printed = printable(text);
  for (const char* hidden : {"\u202E", "\u200B", "\u2066", "\uFEFF", "\U000E0041", "\u061C"})
    EXPECT_EQ(printed.find(hidden), std::string::npos) << escaped(hidden);
  const auto document = Document::parse(printed, {.bytes_max = 10'000, .depth_max = 4});
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().string().value(), kHostile);
  EXPECT_EQ(printable("[\"é日本😀\", 1]"), "[\"é日本😀\", 1]");
  EXPECT_EQ(printable("\"\x7F\""), "\"\\u007f\"");
}

}  // namespace
}  // namespace tenure::json
