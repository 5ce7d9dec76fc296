#include <tenure/base/bytes.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tenure {
namespace {

TEST(Bytes, IntegersStandWithTheirLowestByteFirst) {
  std::string out;
  put(out, std::uint32_t{0x01020304});
  put(out, std::int16_t{-2});
  EXPECT_EQ(out, std::string("\x04\x03\x02\x01\xFE\xFF"));
}

TEST(Bytes, WhatWasPutIsTakenAgain) {
  std::string out;
  put(out, std::numeric_limits<std::int64_t>::min());
  put(out, std::numeric_limits<std::uint64_t>::max());
  put(out, std::int8_t{-1});
  put_text<std::uint16_t>(out, "text");
  ByteReader reader{out};
  EXPECT_EQ(reader.take<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(reader.take<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(reader.take<std::int8_t>(), -1);
  EXPECT_EQ(reader.take_text<std::uint16_t>(), "text");
  EXPECT_TRUE(reader.ok_and_empty());
}

TEST(Bytes, AfterTheFirstThatIsMissingEverythingIsEmpty) {
  ByteReader reader{"\x01\x02\x03"};
  EXPECT_EQ(reader.take<std::uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.take<std::uint8_t>(), 0U);
  ByteReader text{
      std::string_view{"\x04\x00"
                       "abc",
                       5}};
  EXPECT_EQ(text.take_text<std::uint16_t>(), "");
  EXPECT_FALSE(text.ok());
}

}  // namespace
}  // namespace tenure
