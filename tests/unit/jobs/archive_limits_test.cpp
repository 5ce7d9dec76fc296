#include "payload_contexts.hpp"

namespace tenure {
namespace {

struct Node {
  std::vector<Node> children;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(children));
  }
};

// Two levels a generation: the object and its array.
Node generations(int count) {
  Node node;
  for (int i = 1; i < count; ++i) {
    Node parent;
    parent.children.push_back(std::move(node));
    node = std::move(parent);
  }
  return node;
}

struct Wrapped {
  int inner = 0;
  template <class Archive>
  int save_minimal(const Archive&) const {
    return inner;
  }
  template <class Archive>
  void load_minimal(const Archive&, const int& value) {
    inner = value;
  }
};

TEST(ArchiveLimits, SER_05_DepthIsLimitedWhenWritingAndReading) {
  const std::string deepest = encoded(generations(32));
  EXPECT_EQ(refused_text<Node>(deepest), "accepted");
  EXPECT_TRUE(refused_value(generations(33)).starts_with("TooDeep at $.children[0].children[0]"));
  const std::string deeper = R"({"children":[)" + deepest + "]}";
  EXPECT_TRUE(refused_text<Node>(deeper).starts_with("TooDeep at $.children[0].children[0]"));
}

TEST(ArchiveLimits, DepthCountsUserTypesThatAddNoBrackets) {
  const PayloadLimits one{.depth_max = 1};
  EXPECT_EQ(refused_value(Wrapped{1}, one), "accepted");
  EXPECT_EQ(refused_text<Wrapped>("1", one), "accepted");
  EXPECT_EQ(refused_value(std::vector<int>{1}, one), "accepted");
  EXPECT_EQ(refused_value(std::vector<Wrapped>{{1}}, one), "TooDeep at $[0]");
  EXPECT_EQ(refused_text<std::vector<Wrapped>>("[1]", one), "TooDeep at $[0]");
}

TEST(ArchiveLimits, SER_05_BytesAtTheLimitPassAndOneMoreIsRefused) {
  const PayloadLimits ten{.bytes_max = 10};
  EXPECT_EQ(refused_value(std::string(8, 'x'), ten), "accepted");
  EXPECT_EQ(refused_value(std::string(9, 'x'), ten), "PayloadTooLarge at $");
  EXPECT_EQ(refused_text<std::string>("\"12345678\"", ten), "accepted");
  EXPECT_EQ(refused_text<std::string>("\"123456789\"", ten), "PayloadTooLarge at $");
  EXPECT_EQ(refused_value(std::vector<int>{1, 2, 3, 4}, {.bytes_max = 9}), "accepted");
  EXPECT_EQ(refused_value(std::vector<int>{1, 2, 3, 4}, {.bytes_max = 8}), "PayloadTooLarge at $");
}

TEST(ArchiveLimits, SER_05_TheDefaultIs256KiBAndNoSettingPassesOneMiB) {
  EXPECT_EQ(refused_value(std::string(limits::kPayloadDefault - 2, 'x')), "accepted");
  EXPECT_EQ(refused_value(std::string(limits::kPayloadDefault - 1, 'x')), "PayloadTooLarge at $");
  const PayloadLimits any{.bytes_max = SIZE_MAX};
  EXPECT_EQ(refused_value(std::string(limits::kPayloadMax - 2, 'x'), any), "accepted");
  EXPECT_EQ(refused_value(std::string(limits::kPayloadMax - 1, 'x'), any), "PayloadTooLarge at $");
  EXPECT_EQ(refused_text<std::string>('"' + std::string(limits::kPayloadMax - 2, 'x') + '"', any),
            "accepted");
  EXPECT_EQ(refused_text<std::string>('"' + std::string(limits::kPayloadMax - 1, 'x') + '"', any),
            "PayloadTooLarge at $");
}

TEST(ArchiveLimits, WritingStopsSoonAfterTheLimit) {
  // Far more than memory would like, if every element were written first.
  const std::vector<std::string> many(1000, std::string(limits::kPayloadMax, 'x'));
  EXPECT_EQ(refused_value(many), "PayloadTooLarge at $[0]");
}

TEST(ArchiveLimits, ElementsOfAllContainersAreCountedTogether) {
  using Type = std::vector<std::map<std::string, int>>;
  const Type value{{{"a", 1}, {"b", 2}}, {}};
  EXPECT_EQ(refused_value(value, {.elements_max = 4}), "accepted");
  EXPECT_EQ(refused_value(value, {.elements_max = 3}), "TooManyElements at $[1]");
  EXPECT_EQ(refused_text<Type>(R"([{"a":1,"b":2},{}])", {.elements_max = 4}), "accepted");
  EXPECT_EQ(refused_text<Type>(R"([{"a":1,"b":2},{}])", {.elements_max = 3}), "TooManyElements at $[1]");
}

TEST(ArchiveLimits, ElementsThatTheTypeLacksCountToo) {
  EXPECT_EQ(refused_text<Node>(R"({"children":[],"x":[1,2,3]})", {.elements_max = 5}), "accepted");
  EXPECT_EQ(refused_text<Node>(R"({"children":[],"x":[1,2,3]})", {.elements_max = 4}),
            "TooManyElements at $.x[2]");
}

TEST(ArchiveLimits, StringsAndKeysAreLimited) {
  const PayloadLimits three{.string_max = 3};
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(refused_value(Map{{"abc", "abc"}}, three), "accepted");
  EXPECT_EQ(refused_value(Map{{"abc", "abcd"}}, three), "StringTooLong at $.abc");
  EXPECT_EQ(refused_value(Map{{"abcd", "abc"}}, three), "StringTooLong at $.abcd");
  EXPECT_EQ(refused_text<Map>(R"({"abc":"abc"})", three), "accepted");
  EXPECT_EQ(refused_text<Map>(R"({"abc":"abcd"})", three), "StringTooLong at $.abc");
  EXPECT_EQ(refused_text<Map>(R"({"abcd":"abc"})", three), "StringTooLong at $");
}

}  // namespace
}  // namespace tenure
