#include <tenure/replay/row_changes.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>

namespace tenure::replay {
namespace {

using sqlite::Cell;
using sqlite::ChangedRow;
using Kind = ChangedRow::Kind;

TEST(RowChanges, AreJsonByTheNamesOfColumnsInTheOrderOfTableAndKey) {
  const std::vector<ChangedRow> rows{
      {"word", Kind::deleted, {{.name = "word", .is_key = true, .before = Cell{std::string{"b"}}}}},
      {"invoice",
       Kind::updated,
       {{.name = "id", .is_key = true, .before = Cell{std::int64_t{7}}},
        {.name = "paid", .before = Cell{nullptr}, .after = Cell{1.5}}}},
      {"invoice",
       Kind::inserted,
       {{.name = "id", .is_key = true, .after = Cell{std::int64_t{2}}},
        {.name = "paid", .after = Cell{std::int64_t{0}}}}}};
  const std::vector<RowChange> changes = changes_of(rows);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0],
            (RowChange{"invoice", RowChange::Kind::inserted, R"({"id":2})", "", R"({"id":2,"paid":0})"}));
  EXPECT_EQ(changes[1], (RowChange{"invoice", RowChange::Kind::updated, R"({"id":7})", R"({"paid":null})",
                                   R"({"paid":1.5})"}));
  EXPECT_EQ(changes[2],
            (RowChange{"word", RowChange::Kind::deleted, R"({"word":"b"})", R"({"word":"b"})", ""}));
}

TEST(RowChanges, WhatJsonCannotHoldStandsAsWhatItIs) {
  const std::vector<ChangedRow> rows{
      {"t",
       Kind::inserted,
       {{.name = "id", .is_key = true, .after = Cell{std::int64_t{1}}},
        {.name = "raw", .after = Cell{Bytes{{std::byte{1}, std::byte{255}}}}},
        {.name = "bad", .after = Cell{std::string{"\xff"}}},
        {.name = "far", .after = Cell{-std::numeric_limits<double>::infinity()}}}}};
  EXPECT_EQ(changes_of(rows).front().after,
            R"({"id":1,"raw":{"$base64":"Af8="},"bad":{"$base64":"/w=="},"far":{"$real":"-Infinity"}})");
}

TEST(RowChanges, TablesOfTenuresOwnAreNoApplications) {
  EXPECT_FALSE(is_application_table("tenure_receipts"));
  EXPECT_FALSE(is_application_table("Tenure_stamp"));
  EXPECT_TRUE(is_application_table("tenures"));
}

}  // namespace
}  // namespace tenure::replay
