#include "table.hpp"

#include <gtest/gtest.h>

namespace tenure::cli {
namespace {

const std::vector<TableColumn> kColumns{{"ID", false, true}, {"STATE"}, {"TRY", true}, {"NOTE"}};
const std::vector<std::vector<std::string>> kRows{{"aaaaaaaa", "dead", "1", "broken"},
                                                  {"b", "ready", "10", ""}};

TEST(Table, AlignsAndPutsNumbersRight) {
  EXPECT_EQ(table_text(kColumns, kRows, {}),
            "ID        STATE  TRY  NOTE\n"
            "aaaaaaaa  dead     1  broken\n"
            "b         ready   10\n");
}

TEST(Table, DropsColumnsFromTheRightAndNeverIds) {
  EXPECT_EQ(table_text(kColumns, kRows, {.columns_max = 28}).substr(0, 26), "ID        STATE  TRY  NOTE");
  EXPECT_EQ(table_text(kColumns, kRows, {.columns_max = 27}),
            "ID        STATE  TRY\naaaaaaaa  dead     1\nb         ready   10\n");
  EXPECT_EQ(table_text(kColumns, kRows, {.columns_max = 3}), "ID\naaaaaaaa\nb\n");
}

TEST(Table, DropsWhatTellsLeastFirst) {
  std::vector<TableColumn> columns = kColumns;
  columns[1].rank = 2;
  columns[2].rank = 1;
  EXPECT_EQ(table_text(columns, kRows, {.columns_max = 27}),
            "ID        TRY  NOTE\naaaaaaaa    1  broken\nb          10\n");
  EXPECT_EQ(table_text(columns, kRows, {.columns_max = 16}), "ID        NOTE\naaaaaaaa  broken\nb\n");
}

TEST(Table, WhatIsDroppedMakesRoomForFreeText) {
  const std::vector<TableColumn> columns{
      {"ID", false, true}, {"A", false, false, false, 1}, {"NOTE", false, false, true}};
  const std::vector<std::vector<std::string>> rows{{"aaaa", "aaaaaaaaaa", "••••••••••••••••••••"}};
  EXPECT_EQ(table_text(columns, rows, {.columns_max = 33}), "ID    NOTE\naaaa  ••••••••••••••••••••\n");
}

TEST(Table, ShortensFreeTextBeforeItDropsAnything) {
  const std::vector<TableColumn> columns{{"ID", false, true}, {"NOTE", false, false, true}};
  const std::vector<std::vector<std::string>> rows{{"aaaa", "••••••••••••••••••••"}, {"b", "short"}};
  EXPECT_EQ(table_text(columns, rows, {.columns_max = 26}),
            "ID    NOTE\naaaa  ••••••••••••••••••••\nb     short\n");
  EXPECT_EQ(table_text(columns, rows, {.columns_max = 25}),
            "ID    NOTE\naaaa  ••••••••••••••••••…\nb     short\n");
  EXPECT_EQ(table_text(columns, rows, {.columns_max = 22}),
            "ID    NOTE\naaaa  •••••••••••••••…\nb     short\n");
  EXPECT_EQ(table_text(columns, rows, {.columns_max = 21}), "ID\naaaa\nb\n");
}

TEST(Table, CountsCharactersNotBytes) {
  EXPECT_EQ(table_text({{"A"}, {"B"}}, {{"••", "x"}, {"abc", "y"}}, {}), "A    B\n••   x\nabc  y\n");
}

TEST(Table, AnEmptyFirstCellKeepsItsColumn) {
  EXPECT_EQ(table_text({{"A"}, {"B"}}, {{"", "x"}}, {}), "A  B\n   x\n");
}

TEST(Table, ABoldHeaderIsTheOnlyColour) {
  EXPECT_EQ(table_text({{"A"}}, {{"x"}}, {.bold_header = true}), "\x1b[1mA\x1b[0m\nx\n");
}

}  // namespace
}  // namespace tenure::cli
