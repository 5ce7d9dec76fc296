#include <tenure/base/text.hpp>
#include <tenure/base/uuid.hpp>

#include <gtest/gtest.h>

#include <unordered_set>

namespace tenure {
namespace {

using namespace std::chrono_literals;

// By two that know nothing of one another, as two clients of a process do.
TEST(UuidGenerator, ENQ_11_AMillionIdsOfAProcessAreUniqueAndIncreaseAlsoWhenTheClockStepsBack) {
  VirtualClock clock, other_clock;
  const auto next_of_both = [&](int i) {
    return uuids_of_process().next(i % 2 == 0 ? clock.wall() : other_clock.wall());
  };
  Uuid last;
  for (int i = 0; i < 1'000'000; ++i) {
    const Uuid next = next_of_both(i);
    ASSERT_LT(last, next) << i;  // strictly increasing is unique
    ASSERT_EQ(next.bytes()[6] >> 4U, 7);
    last = next;
    if (i % 1000 == 0) clock.advance(777us);
    if (i % 3000 == 0) other_clock.jump_wall(i % 2 == 0 ? -50ms : 49ms);
    if (i == 500'000) clock.jump_wall(-24h);
  }
}

TEST(UuidGenerator, WritesTimeVersionAndVariantAsRfc9562Says) {
  const VirtualClock clock(WallTime{1'645'557'742'000ms});  // the example of the RFC
  UuidGenerator generator(3);
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = generator.next(clock.wall());
    EXPECT_EQ(uuid.text().substr(0, 13), "017f22e2-79b0");
    EXPECT_EQ(uuid.bytes()[6] >> 4U, 7);
    EXPECT_EQ(uuid.bytes()[8] >> 6U, 2);
  }
}

TEST(UuidGenerator, GivesOtherIdsForAnotherSeed) {
  const VirtualClock clock;
  UuidGenerator one(1), other(2);
  EXPECT_NE(one.next(clock.wall()), other.next(clock.wall()));
}

TEST(Uuid, ReadsItsTextAndNothingElse) {
  const std::string text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
  const auto uuid = Uuid::parse(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), text);
  for (const char* bad : {"", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
                          "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
                          "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
                          "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f"})
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
}

TEST(Uuid, ReadsExactlySixteenBytes) {
  const std::string bytes = "0123456789abcdef";
  EXPECT_EQ(Uuid::from_bytes(as_bytes(bytes))->bytes()[0], '0');
  EXPECT_FALSE(Uuid::from_bytes(as_bytes(bytes.substr(1))));
  EXPECT_FALSE(Uuid::from_bytes(as_bytes(bytes + "x")));
}

TEST(Uuid, HashesItsRandomPart) {
  const VirtualClock clock;
  UuidGenerator generator(4);
  std::unordered_set<std::size_t> hashes;
  for (int i = 0; i < 1000; ++i) hashes.insert(std::hash<Uuid>{}(generator.next(clock.wall())));
  EXPECT_EQ(hashes.size(), 1000U);
}

}  // namespace
}  // namespace tenure
