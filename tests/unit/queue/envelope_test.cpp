#include <tenure/base/limits.hpp>
#include <tenure/base/random.hpp>
#include <tenure/queue/envelope.hpp>

#include <gtest/gtest.h>

namespace tenure::queue {
namespace {

Envelope example() {
  return {JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")}, TenantName{"acme"}, Generation{3},
          "billing.send_invoice", R"({"invoice":8812})"};
}

constexpr std::string_view kExample =
    "tenure/1 019cadff-fbe9-7e60-8d13-c2a9945b7a01 acme 3 billing.send_invoice 16\n{\"invoice\":8812}";

std::string reason_of(std::string_view bytes) {
  const auto envelope = read_envelope(bytes);
  if (envelope) return "read";
  if (envelope.error().code != ErrorCode::bad_payload) return std::string{name_of(envelope.error().code)};
  return envelope.error().message.substr(0, envelope.error().message.find(':'));
}

std::string with(std::string_view from, std::string_view to) {
  std::string text{kExample};
  return text.replace(text.find(from), from.size(), to);
}

TEST(Envelope, HasTheBytesOfItsFormat) { EXPECT_EQ(write_envelope(example()), kExample); }

TEST(Envelope, IsReadAsItWasWritten) {
  EXPECT_EQ(read_envelope(kExample), example());
  Envelope untenanted = example();
  untenanted.tenant.reset();
  untenanted.generation = Generation{0};
  untenanted.arguments = std::string{"a\0\n b", 5};
  EXPECT_EQ(read_envelope(write_envelope(untenanted)), untenanted);
  untenanted.arguments.clear();
  EXPECT_EQ(read_envelope(write_envelope(untenanted)), untenanted);
}

TEST(Envelope, ASealIsASeventhWordAndPartOfNothingElse) {
  Envelope sealed = example();
  sealed.seal = Seal{};
  sealed.seal->front() = std::byte{0xAB};
  const std::string digits = "ab" + std::string(62, '0');
  EXPECT_EQ(write_envelope(sealed), with(" 16\n", " 16 " + digits + "\n"));
  EXPECT_EQ(read_envelope(write_envelope(sealed)), sealed);
  EXPECT_EQ(envelope_head(sealed) + sealed.arguments, kExample);
  EXPECT_TRUE(says_same_job(write_envelope(sealed), example()));
  EXPECT_TRUE(says_same_job(kExample, sealed));
  EXPECT_FALSE(says_same_job(with("8812", "8813"), sealed));
  EXPECT_FALSE(says_same_job("", sealed));
}

TEST(Envelope, ASealThatIsNoneIsRefused) {
  const auto with_seal = [](const std::string& seal) {
    return reason_of(with(" 16\n", " 16 " + seal + "\n"));
  };
  EXPECT_EQ(with_seal(std::string(64, 'a')), "read");
  for (const std::string& seal :
       {std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'), std::string(64, 'g')})
    EXPECT_EQ(with_seal(seal), "OutOfRange") << seal;
  EXPECT_EQ(with_seal(std::string(64, 'a') + " b"), "NotAnEnvelope");
  EXPECT_EQ(with_seal(""), "NotAnEnvelope");
}

TEST(Envelope, AnUntenantedJobHasGenerationZeroWhateverWasSaid) {
  Envelope envelope = example();
  envelope.tenant.reset();
  EXPECT_NE(write_envelope(envelope).find(" - 0 "), std::string::npos);
}

TEST(Envelope, SER_07_ANewerVersionIsToldApartWhateverFollows) {
  EXPECT_EQ(reason_of("tenure/2 anything"), "NewerEnvelope");
  EXPECT_EQ(reason_of("tenure/999\n"), "NewerEnvelope");
}

TEST(Envelope, SER_06_DamageIsNamed) {
  EXPECT_EQ(reason_of(""), "NotAnEnvelope");
  EXPECT_EQ(reason_of("{}"), "NotAnEnvelope");
  EXPECT_EQ(reason_of("tenure/"), "NotAnEnvelope");
  EXPECT_EQ(reason_of("tenure/0 x"), "NotAnEnvelope");
  EXPECT_EQ(reason_of("tenure/01 x"), "NotAnEnvelope");
  EXPECT_EQ(reason_of("tenure/1 x"), "Truncated");
  EXPECT_EQ(reason_of("tenure/1 " + std::string(1'000, 'x')), "NotAnEnvelope");
  EXPECT_EQ(reason_of("tenure/1 a b\n"), "NotAnEnvelope");
  EXPECT_EQ(reason_of(with(" acme", "  acme")), "NotAnEnvelope");
  EXPECT_EQ(reason_of(with("16\n", "16 \n")), "NotAnEnvelope");
  EXPECT_EQ(reason_of(with("019cadff", "019CADFF")), "OutOfRange");
  EXPECT_EQ(reason_of(with("acme", "Acme")), "OutOfRange");
  EXPECT_EQ(reason_of(with("acme 3", "acme 0")), "OutOfRange");
  EXPECT_EQ(reason_of(with("acme 3", "acme 03")), "OutOfRange");
  EXPECT_EQ(reason_of(with("acme 3", "acme -3")), "OutOfRange");
  EXPECT_EQ(reason_of(with("acme 3", "- 3")), "OutOfRange");
  EXPECT_EQ(reason_of(with("billing.send_invoice", "b\ti")), "OutOfRange");
  EXPECT_EQ(reason_of(with("16\n", "17\n")), "Truncated");
  EXPECT_EQ(reason_of(with("16\n", "15\n")), "TrailingBytes");
  EXPECT_EQ(reason_of(with("16\n", "99999999999999999999\n")), "OutOfRange");
  EXPECT_EQ(reason_of(with("16\n", "1048577\n")), "OutOfRange");
}

TEST(Envelope, OneValueHasOneText) {
  Random random{5};
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes{kExample};
    for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    const auto envelope = read_envelope(bytes);
    EXPECT_EQ(envelope ? write_envelope(*envelope) : bytes, bytes);
  }
}

}  // namespace
}  // namespace tenure::queue
