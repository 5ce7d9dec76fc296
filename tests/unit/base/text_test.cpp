#include <tenure/base/text.hpp>

#include <gtest/gtest.h>

#include <array>

namespace tenure {
namespace {

using namespace std::string_literals;

TEST(Escaped, LeavesOrdinaryTextInAnyLanguage) {
  EXPECT_EQ(escaped("plain text, Zürich, 東京, 🙂"), "plain text, Zürich, 東京, 🙂");
}

TEST(Escaped, ShowsControlsThatWouldMoveACursorOrForgeALine) {
  EXPECT_EQ(escaped("a\nb\r\x1b[31m\0\x7f"s),
            "a\\x0ab\\x0d\\x1b[31m\\x00\\x7f"
            "");
  EXPECT_EQ(escaped("\xC2\x9B"s + "31m"), "\\u{9b}31m");  // the C1 form of ESC [
  EXPECT_EQ(escaped("a\u2028b\u2029c"), "a\\u{2028}b\\u{2029}c");
}

TEST(Escaped, ShowsWhatIsInvisibleOrTurnsTheDirection) {
  EXPECT_EQ(escaped("a\u200Bb\u202Ec\u2066d\uFEFF\U000E0041"),
            "a\\u{200b}b\\u{202e}c\\u{2066}d\\u{feff}\\u{e0041}");
}

TEST(Escaped, ShowsMalformedBytes) {
  EXPECT_EQ(escaped("a\xFF\xC3"), "a\\xff\\xc3");
  EXPECT_EQ(escaped("\xC0\xAF"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // surrogate
}

TEST(Escaped, ShowsAtMostItsLimitAndSaysThatThereIsMore) {
  EXPECT_EQ(escaped("abcd", 4), "abcd");
  EXPECT_EQ(escaped("abcde", 4), "abcd...");
  EXPECT_EQ(escaped("abcü", 4), "abc...");
}

TEST(CutUtf8, CutsBetweenCharacters) {
  EXPECT_EQ(cut_utf8("aü", 3), "aü");
  EXPECT_EQ(cut_utf8("aü", 2), "a");
  EXPECT_EQ(cut_utf8("aü", 1), "a");
  EXPECT_EQ(cut_utf8("🙂🙂", 7), "🙂");
  EXPECT_EQ(cut_utf8("🙂", 3), "");
  EXPECT_EQ(cut_utf8("abc", 0), "");
}

TEST(CutUtf8, CutsMalformedTextAtTheLimit) { EXPECT_EQ(cut_utf8("\x80\x80\x80\x80\x80\x80", 5).size(), 5U); }

TEST(IsUtf8, AcceptsTheLimitsOfEachLengthAndRefusesTheRest) {
  for (const std::string& good :
       {""s, "\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s,
        "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s})
    EXPECT_TRUE(is_utf8(good)) << escaped(good);
  for (const std::string& bad : {"\x80"s, "\xC1\xBF"s, "\xC2"s, "\xC2\x41"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s,
                                 "\xED\xBF\xBF"s, "\xE2\x82"s, "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s,
                                 "\xF5\x80\x80\x80"s, "\xFE"s, "\xFF"s, "a\xFF"s})
    EXPECT_FALSE(is_utf8(bad)) << escaped(bad);
}

TEST(ToUtf8, ReplacesEachMalformedByteAndNothingElse) {
  EXPECT_EQ(to_utf8("a\xFFü\xC3"), "a\uFFFDü\uFFFD");
  EXPECT_TRUE(is_utf8(to_utf8("\xED\xA0\x80\xF4\x90\x80\x80")));
  EXPECT_EQ(to_utf8("a\0b"s), "a\0b"s);
}

TEST(Characters, AreCountedAndCutWhole) {
  EXPECT_EQ(character_count(""), 0U);
  EXPECT_EQ(character_count("aü€😀"), 4U);
  EXPECT_EQ(character_count("a\xFF\xC3"), 3U);
  EXPECT_EQ(first_characters("aü€😀", 0), "");
  EXPECT_EQ(first_characters("aü€😀", 3), "aü€");
  EXPECT_EQ(first_characters("aü€😀", 4), "aü€😀");
  EXPECT_EQ(first_characters("aü€😀", 5), "aü€😀");
}

TEST(Characters, TheFirstIsACodePointOrOneMalformedByte) {
  const Character euro = first_character("€x");
  EXPECT_EQ(euro.code_point, 0x20ACU);
  EXPECT_EQ(euro.size, 3U);
  EXPECT_TRUE(euro.well_formed);
  const Character stray = first_character("\x80x");
  EXPECT_EQ(stray.size, 1U);
  EXPECT_FALSE(stray.well_formed);
}

TEST(Split, GivesOnePartMoreThanThereAreSeparators) {
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(split("a", ','), std::vector<std::string>{"a"});
  EXPECT_EQ(split(",a,,b,", ','), (std::vector<std::string>{"", "a", "", "b", ""}));
}

TEST(Wrapped, BreaksBetweenWordsAndIndentsAllLinesButTheFirst) {
  EXPECT_EQ(wrapped("", 10, 2), "");
  EXPECT_EQ(wrapped("one two", 7, 2), "one two");
  EXPECT_EQ(wrapped("one two", 6, 2), "one\n  two");
  EXPECT_EQ(wrapped("one two three four", 9, 4), "one two\n    three\n    four");
  EXPECT_EQ(wrapped("one\ntwo", 9, 2), "one two");
  EXPECT_EQ(wrapped("  name  what it is", 14, 8), "  name  what\n        it is");
}

TEST(Wrapped, LeavesAWordThatIsLongerThanALineInOnePiece) {
  EXPECT_EQ(wrapped("/a/long/path", 5, 2), "/a/long/path");
  EXPECT_EQ(wrapped("/a/long/path and more", 8, 2), "/a/long/path\n  and\n  more");
  EXPECT_EQ(wrapped("more /a/long/path", 8, 2), "more\n  /a/long/path");
}

TEST(Nearest, FindsWhatSomebodyMeant) {
  constexpr std::array<std::string_view, 4> kCandidates{"job", "tenant", "queue", "schedule"};
  EXPECT_EQ(nearest("tennant", kCandidates), "tenant");
  EXPECT_EQ(nearest("qeue", kCandidates), "queue");
  EXPECT_EQ(nearest("shcedule", kCandidates), "schedule");
  EXPECT_EQ(nearest("jib", kCandidates), "job");
  EXPECT_EQ(nearest("job", kCandidates), "job");
}

TEST(Nearest, IsSilentWhereNothingIsNear) {
  constexpr std::array<std::string_view, 2> kCandidates{"job", "tenant"};
  EXPECT_EQ(nearest("", kCandidates), std::nullopt);
  EXPECT_EQ(nearest("xyz", kCandidates), std::nullopt);
  EXPECT_EQ(nearest("tenxxxnt", kCandidates), std::nullopt);
  EXPECT_EQ(nearest(std::string(129, 't'), kCandidates), std::nullopt);
  EXPECT_EQ(nearest("job", {}), std::nullopt);
}

}  // namespace
}  // namespace tenure
