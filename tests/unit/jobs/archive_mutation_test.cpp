#include "payload_contexts.hpp"

#include <tenure/base/random.hpp>
#include <tenure/base/text.hpp>

#include <array>

namespace tenure {
namespace {

enum class Color : std::uint8_t { red, green, blue };

}  // namespace

template <>
struct EnumRange<Color> {
  static constexpr Color first = Color::red, last = Color::blue;
};

namespace {

struct Everything {
  bool flag = true;
  std::int8_t small = -5;
  std::uint64_t large = UINT64_MAX;
  double real = 0.1;
  float single = 1.5F;
  std::string text = "Zürich\n\x01";
  Bytes bytes{{std::byte{1}, std::byte{255}}};
  Color color = Color::blue;
  std::chrono::microseconds wait{1500};
  std::optional<std::string> note = "n";
  std::vector<std::vector<int>> numbers{{1, 2}, {}, {3}};
  std::map<std::string, std::optional<int>> by_name{{"a", 1}, {"b", {}}};
  std::map<int, std::string> by_number{{1, "x"}, {2, "y"}};
  std::set<std::string> words{"p", "q"};
  std::variant<std::monostate, int, std::string> choice = "c";
  std::tuple<int, std::string, bool> tuple{1, "t", false};
  std::array<int, 2> array{7, 8};
  std::vector<Everything> children = {};

  friend bool operator==(const Everything&, const Everything&) = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(flag), CEREAL_NVP(small), CEREAL_NVP(large), CEREAL_NVP(real), CEREAL_NVP(single),
            CEREAL_NVP(text), CEREAL_NVP(bytes), CEREAL_NVP(color), CEREAL_NVP(wait), CEREAL_NVP(note));
    archive(CEREAL_NVP(numbers), CEREAL_NVP(by_name), CEREAL_NVP(by_number), CEREAL_NVP(words),
            CEREAL_NVP(choice), CEREAL_NVP(tuple), CEREAL_NVP(array),
            tenure::optional_field(CEREAL_NVP(children)));
  }
};

constexpr std::array<std::string_view, 24> kFragments{"[",
                                                      "]",
                                                      "{",
                                                      "}",
                                                      ",",
                                                      ":",
                                                      "\"",
                                                      "\\",
                                                      "null",
                                                      "true",
                                                      "-",
                                                      "0",
                                                      "1e999",
                                                      "1.5",
                                                      "\\u",
                                                      "\\ud800",
                                                      "\xFF",
                                                      "\xC3",
                                                      "{\"$gid\":\"x\"}",
                                                      "99999999999999999999",
                                                      "\xEF\xBB\xBF",
                                                      "[[[[[[[[",
                                                      "\"a\":1,",
                                                      " "};

std::string mutated(std::string text, Random& random) {
  const std::uint64_t steps = 1 + random.below(4);
  for (std::uint64_t i = 0; i < steps && !text.empty(); ++i) {
    const std::size_t at = random.below(text.size());
    const std::size_t length = 1 + random.below(std::min<std::size_t>(12, text.size() - at));
    switch (random.below(6)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(random.below(text.size()), length));
        break;
      case 3:
        text.insert(at, kFragments.at(random.below(kFragments.size())));
        break;
      case 4:
        text.replace(at, length, kFragments.at(random.below(kFragments.size())));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

// The text is refused with a tenure::Error that names reason and path, or it decodes and has one canonical form.
// Anything else (a crash, another exception) ends the test.
bool decodes(const std::string& text) {
  try {
    const auto value = decoded<Everything>(text);
    EXPECT_EQ(decoded<Everything>(encoded(value)), value) << escaped(text, 4096);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_payload) << escaped(text, 4096);
    EXPECT_TRUE(error.failure().where.starts_with("$")) << error.what() << escaped(text, 4096);
    EXPECT_TRUE(is_utf8(error.what())) << escaped(text, 4096);
    return false;
  }
}

TEST(MutatedPayload, SER_02_TenThousandMutationsAreRefusedOrDecoded) {
  Everything value;
  value.children.resize(2);
  const std::string original = encoded(value);
  EXPECT_EQ(decoded<Everything>(original), value);
  Random random(20260302);
  int accepted = 0;
  for (int i = 0; i < 10'000 && !testing::Test::HasFailure(); ++i)
    accepted += decodes(mutated(original, random)) ? 1 : 0;
  // Both sides of the test must have been tested.
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 9'000);
}

}  // namespace
}  // namespace tenure
