#include <tenure/base/sha256.hpp>

#include <gtest/gtest.h>

#include <string>

namespace tenure {
namespace {

// The examples of FIPS 180-4.
TEST(Sha256, HasTheDigestsOfTheStandard) {
  EXPECT_EQ(hex_text(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_text(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_text(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_text(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TakesBytesThatAreNoText) {
  EXPECT_NE(sha256(std::string_view{"\0", 1}), sha256(""));
  EXPECT_NE(sha256("\xff"), sha256("\xfe"));
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  const std::string text(1000, 'x');
  Sha256 sum;
  for (std::size_t at = 0; at < text.size(); at += 77) sum.add(std::string_view{text}.substr(at, 77));
  EXPECT_EQ(sum.digest(), sha256(text));
  EXPECT_EQ(Sha256{}.digest(), sha256(""));
}

}  // namespace
}  // namespace tenure
