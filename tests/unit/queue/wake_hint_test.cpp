#include "support/temporary_folder.hpp"

#include <tenure/queue/wake_hint.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace tenure::queue {
namespace {

using namespace std::string_literals;

const Lane kNews{QueueNumber{0x0103}, Priority{-2}, TenantNumber{5}, KindNumber{6}};

// As the page of the format has it.
const std::string kDatagram = "\x02"s + "\x03\x01\0\0\0\0\0\0"s + "\xfe\xff\xff\xff\xff\xff\xff\xff"s +
                              "\x05\0\0\0\0\0\0\0"s + "\x06\0\0\0\0\0\0\0"s;

std::string sent(const std::optional<Lane>& lane) {
  const testing::TemporaryFolder folder;
  const int receiver = bind_wake_receiver(folder / "control.db");
  send_wake_hint(folder / "control.db", lane);
  std::array<char, 128> buffer{};
  const auto size = ::recv(receiver, buffer.data(), buffer.size(), 0);
  ::close(receiver);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

TEST(WakeHint, SaysLookAndNothingElse) {
  EXPECT_EQ(sent(std::nullopt), "\1");
  EXPECT_FALSE(read_wake_hint("\1"));
}

TEST(WakeHint, NamesTheLaneOfAJobThatIsNew) {
  EXPECT_EQ(sent(kNews), kDatagram);
  EXPECT_EQ(kDatagram.size(), kWakeHintMax);
  EXPECT_EQ(read_wake_hint(kDatagram), kNews);
}

TEST(WakeHint, WhatItDoesNotUnderstandOnlySaysLook) {
  EXPECT_FALSE(read_wake_hint(""));
  EXPECT_FALSE(read_wake_hint(kDatagram.substr(0, kDatagram.size() - 1)));
  EXPECT_FALSE(read_wake_hint(kDatagram + "x"));
  std::string newer = kDatagram;
  newer[0] = 3;
  EXPECT_FALSE(read_wake_hint(newer));
  std::string priority = kDatagram;
  priority.replace(9, 8, "\x65\0\0\0\0\0\0\0"s);
  EXPECT_FALSE(read_wake_hint(priority));
  priority.replace(9, 8, "\x64\0\0\0\0\0\0\0"s);
  EXPECT_TRUE(read_wake_hint(priority));
}

}  // namespace
}  // namespace tenure::queue
