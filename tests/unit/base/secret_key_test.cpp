#include <tenure/base/secret_key.hpp>
#include <tenure/base/sha256.hpp>
#include <tenure/base/system.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <string>
#include <support/keys.hpp>
#include <unistd.h>

// Keys of keyed hashes: their text, what they make, and how they get from one process to another.
namespace tenure {
namespace {

using testing::key_text;
using testing::keys;

std::string refusal(std::string_view text) {
  const auto key = SecretKey::from_text(text);
  return key ? "" : key.error().message;
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    out = Descriptor{ends[0]};
    in = Descriptor{ends[1]};
  }
  Descriptor out, in;
};

Result<KeyRing> handed_on(std::string_view bytes) {
  Pipe pipe;
  EXPECT_TRUE(write_all(pipe.in.number(), bytes));
  pipe.in = Descriptor{};
  return KeyRing::read_from(pipe.out.number());
}

TEST(SecretKey, IsSoManyHexadecimalDigitsAndALinesEnd) {
  for (const std::size_t digits : {64UL, 66UL, 128UL}) {
    EXPECT_EQ(refusal(std::string(digits, 'a')), "") << digits;
    EXPECT_EQ(refusal(std::string(digits, 'F') + "\r\n"), "") << digits;
  }
  for (const std::size_t digits : {0UL, 2UL, 62UL, 63UL, 65UL, 130UL})
    EXPECT_NE(refusal(std::string(digits, 'a')), "") << digits;
  for (const char* wrong : {" ", "g", "\n0", "\0"})
    EXPECT_NE(refusal(std::string(63, '1') + wrong), "") << "'" << wrong << "'";
}

TEST(SecretKey, WhatIsNoneIsNotQuoted) {
  const std::string message =
      refusal("hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2");
  EXPECT_EQ(message.find("hunter2"), std::string::npos) << message;
  EXPECT_NE(message.find("64 to 128 hexadecimal digits"), std::string::npos) << message;
}

// As Python's hashlib.blake2b(b"tenure", digest_size=32, key=bytes(32)) has it.
TEST(SecretKey, MakesTheHashesOfKeyedBlake2b) {
  const KeyRing ring = keys('0');
  EXPECT_EQ(hex_text(ring.hash({"tenure"})),
            "af8aaf8583dd86f5be130e3bf231b5b03ee5d295512bb25a23c5469796752417");
  EXPECT_EQ(ring.hash({"ten", "", "ure"}), ring.hash({"tenure"}));
  EXPECT_NE(ring.hash({"tenure"}), keys('1').hash({"tenure"}));
}

TEST(KeyRing, KnowsWhatEitherKeyHasMade) {
  const KeyedHash by_1 = keys('1').hash({"text"});
  EXPECT_TRUE(keys('1').has_made(by_1, {"text"}));
  EXPECT_TRUE(keys('2', '1').has_made(by_1, {"te", "xt"}));
  EXPECT_TRUE(keys(' ', '1').has_made(by_1, {"text"}));
  EXPECT_FALSE(keys('2', '3').has_made(by_1, {"text"}));
  EXPECT_FALSE(keys('1').has_made(by_1, {"texts"}));
  EXPECT_FALSE(KeyRing().has_made(by_1, {"text"}));
}

TEST(KeyRing, AMarkTellsKeysApartAndIsNoSealOfAnEnvelope) {
  EXPECT_EQ(keys('1').mark_of_current(), keys('2', '1').mark_of_previous());
  EXPECT_NE(keys('1').mark_of_current(), keys('2').mark_of_current());
  EXPECT_EQ(keys('1').mark_of_previous(), std::nullopt);
  EXPECT_EQ(KeyRing().mark_of_current(), std::nullopt);
}

TEST(KeyRing, GoesThroughAPipe) {
  for (const KeyRing& ring : {keys('1'), keys('2', '1'), keys(' ', '3'), KeyRing()}) {
    Pipe pipe;
    ASSERT_TRUE(ring.write_to(pipe.in.number()));
    pipe.in = Descriptor{};
    const KeyRing read = value_or_raise(KeyRing::read_from(pipe.out.number()));
    EXPECT_EQ(read.mark_of_current(), ring.mark_of_current());
    EXPECT_EQ(read.mark_of_previous(), ring.mark_of_previous());
  }
}

TEST(KeyRing, WhatIsNotWholeIsRefused) {
  const std::string line = key_text('1') + '\n';
  EXPECT_TRUE(handed_on(line + line));
  for (const std::string& bytes : {std::string(), line, std::string("\n"), line + key_text('2'),
                                   line + line + line, line + "11\n", std::string(1000, '\n')})
    EXPECT_FALSE(handed_on(bytes)) << bytes.size();
}

TEST(SecretText, IsReadToItsEndWithinItsLimit) {
  for (const std::size_t size : {0UL, 9UL, 10UL, 11UL}) {
    Pipe pipe;
    ASSERT_TRUE(write_all(pipe.in.number(), std::string(size, 'x')));
    pipe.in = Descriptor{};
    const auto text = SecretText::read(pipe.out.number(), 10);
    EXPECT_EQ(text.has_value(), size <= 10) << size;
    EXPECT_EQ(text ? text->view() : "", std::string(size <= 10 ? size : 0, 'x'));
  }
}

// VmFlags of the range of this process's memory in which the address lies: the kernel writes no core of one with `dd`.
std::string flags_of_range(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream lines("/proc/self/smaps");
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-') is_inside = begin <= wanted && wanted < end;
    else if (is_inside && line.starts_with("VmFlags:")) return line + ' ';
  }
  return {};
}

TEST(SecretText, LiesInPagesThatNoCoreFileHas) {
  Pipe pipe;
  ASSERT_TRUE(write_all(pipe.in.number(), key_text('1')));
  pipe.in = Descriptor{};
  const auto text = SecretText::read(pipe.out.number(), SecretKey::kTextMax);
  ASSERT_TRUE(text);
  EXPECT_NE(flags_of_range(text->view().data()).find(" dd "), std::string::npos)
      << flags_of_range(text->view().data());
  const std::string other = key_text('1');
  EXPECT_EQ(flags_of_range(other.data()).find(" dd "), std::string::npos) << "as any other memory does not";
}

}  // namespace
}  // namespace tenure
