#include "payload_contexts.hpp"

namespace tenure {
namespace {

struct WritesNothing {};
struct WritesTwice {};

}  // namespace

// Codecs with mistakes of ours, which no type of a user's can make.
template <>
struct detail::Codec<WritesNothing> {
  static void write(PayloadWriter&, const WritesNothing&) {}
};
template <>
struct detail::Codec<WritesTwice> {
  static void write(PayloadWriter& writer, const WritesTwice&) {
    writer.output().string("once");
    writer.output().string("twice");
  }
};

namespace {

template <class T>
struct Holds {
  T member{};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(member));
  }
};

// As encode_arguments does it, without what the tests add.
template <class T>
std::string refused(const T& value) {
  AcmeOnly context;
  return refusal([&] { (void)encode_arguments(value, context); });
}

TEST(ArchiveOutput, AValueThatIsWrittenAsNothingIsRefusedWherever) {
  EXPECT_EQ(refused(WritesNothing{}), "SerializeFailed at $");
  EXPECT_EQ(refused(std::vector<WritesNothing>(2)), "SerializeFailed at $[0]");
  EXPECT_EQ(refused(std::map<std::string, WritesNothing>{{"key", {}}}), "SerializeFailed at $.key");
  EXPECT_EQ(refused(std::map<int, WritesNothing>{{1, {}}}), "SerializeFailed at $[0][1]");
  EXPECT_EQ(refused(std::pair<int, WritesNothing>{}), "SerializeFailed at $[1]");
  EXPECT_EQ(refused(std::optional<WritesNothing>{WritesNothing{}}), "SerializeFailed at $");
  EXPECT_EQ(refused(std::variant<WritesNothing>{}), "SerializeFailed at $[1]");
}

TEST(ArchiveOutput, ADebugBuildReadsAgainWhatItWrote) {
  EXPECT_EQ(refused(WritesTwice{}), TENURE_CHECKS_ARGUMENTS ? "SerializeFailed at $" : "accepted");
  EXPECT_EQ(refused(Holds<WritesTwice>{}), TENURE_CHECKS_ARGUMENTS ? "SerializeFailed at $" : "accepted");
  EXPECT_ANY_THROW((void)encoded(WritesTwice{})) << "what tests encode is read again in any build";
}

}  // namespace
}  // namespace tenure
