#include <gtest/gtest.h>

#include <supervisor/greeting.hpp>

namespace tenure::daemon {
namespace {

const config::PoolSettings kMailPool{
    .name = "mail", .program = "/nowhere", .processes = 1, .slots = 4, .queues = {"mailers", "default"}};

TEST(Greeting, NamesTheProgramItsQueuesAndItsKinds) {
  EXPECT_EQ(greeting_text(812, kMailPool, {"1.4", {"mail.send", "mail.bounce"}}),
            "pid 812, 4 slots, program version 1.4; 2 queues: mailers, default; 2 kinds: mail.bounce, "
            "mail.send");
  EXPECT_EQ(greeting_text(812, kMailPool, {"1.4", {}}),
            "pid 812, 4 slots, program version 1.4; 2 queues: mailers, default; 0 kinds: ");
}

TEST(Greeting, NamesSoManyKindsAtMostAndCountsTheOthers) {
  DaemonEnd::Greeted hello{"1\n4", {}};
  for (std::size_t kind = 0; kind < kNamesInGreetingMax; ++kind)
    hello.kinds.emplace_back(1, char('a' + kind));
  EXPECT_TRUE(greeting_text(1, kMailPool, hello).ends_with(", s, t"));
  hello.kinds.emplace_back("u");
  hello.kinds.emplace_back("v");
  const std::string text = greeting_text(1, kMailPool, hello);
  EXPECT_TRUE(text.ends_with(", s, t and 2 more")) << text;
  EXPECT_NE(text.find("22 kinds"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace tenure::daemon
