#include <tenure/base/sha256.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/seal.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <support/keys.hpp>
#include <vector>

// What a seal covers, and which keys may follow each other in a control database.
namespace tenure::queue {
namespace {

using testing::keys;

Envelope sealed(const KeyRing& ring) {
  Envelope envelope{JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")}, TenantName{"acme"},
                    Generation{3}, "billing.send_invoice", R"({"invoice":8812})"};
  envelope.seal = seal_of(envelope, ring);
  return envelope;
}

std::string refusal(const Envelope& envelope, const KeyRing& ring) {
  const auto checked = check_seal(envelope, ring);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, ErrorCode::bad_seal);
  return checked.error().message.substr(0, checked.error().message.find(':'));
}

// As Python's hashlib.blake2b(envelope without its seal, digest_size=32, key=bytes([0x11] * 32)) has it.
TEST(Seal, HasTheBytesOfItsFormat) {
  EXPECT_EQ(hex_text(*sealed(keys('1')).seal),
            "12221d61c3a5d314c3c288c88c707a23d121d2873b7a22de8999560157589d37");
}

TEST(Seal, CoversEveryPartOfTheEnvelope) {
  const std::vector<std::function<void(Envelope&)>> changes{
      [](Envelope& e) { e.id = JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a02")}; },
      [](Envelope& e) { e.tenant = TenantName{"bolt"}; },
      [](Envelope& e) { e.tenant.reset(); },
      [](Envelope& e) { e.generation = Generation{4}; },
      [](Envelope& e) { e.kind = "billing.send_invoices"; },
      [](Envelope& e) { e.arguments[11] = '9'; },
      [](Envelope& e) { e.arguments += ' '; },
      [](Envelope& e) { e.arguments.clear(); },
      [](Envelope& e) { (*e.seal)[31] ^= std::byte{1}; }};
  EXPECT_EQ(refusal(sealed(keys('1')), keys('1')), "");
  for (const auto& change : changes) {
    Envelope envelope = sealed(keys('1'));
    change(envelope);
    EXPECT_EQ(refusal(envelope, keys('1')), "WrongSeal");
  }
}

TEST(Seal, IsRequiredWhereThereIsAKeyAndByEitherOfTwo) {
  Envelope bare = sealed(keys('1'));
  bare.seal.reset();
  EXPECT_EQ(refusal(bare, keys('1')), "NotSealed");
  EXPECT_EQ(refusal(bare, KeyRing()), "");
  EXPECT_EQ(refusal(bare, keys(' ', '1')), "") << "sealing ends";
  EXPECT_EQ(refusal(sealed(keys('1')), keys('2', '1')), "");
  EXPECT_EQ(refusal(sealed(keys('1')), keys('2', '3')), "WrongSeal");
  EXPECT_EQ(refusal(sealed(keys('1')), KeyRing()), "") << "who has no key looks at none";
}

struct KeysCase {
  KeyRing before, now;
  bool is_accepted;
};

SealMarks marks_of(const KeyRing& ring) {
  return {ring.mark_of_current(), ring.has_current() ? ring.mark_of_previous() : std::nullopt};
}

TEST(Seal, ADispatcherShowsThatItHasTheKeyThatWasInForce) {
  const std::vector<KeysCase> cases{{{}, {}, true},
                                    {{}, keys('1'), true},
                                    {keys('1'), keys('1'), true},
                                    {keys('1'), keys('2', '1'), true},
                                    {keys('2', '1'), keys('2'), true},
                                    {keys('2', '1'), keys('3', '2'), true},
                                    {keys('2', '1'), keys('1', '2'), true},
                                    {keys('1'), keys(' ', '1'), true},
                                    {keys('1'), {}, false},
                                    {keys('1'), keys('2'), false},
                                    {keys('1'), keys('2', '3'), false},
                                    {keys('1'), keys(' ', '2'), false},
                                    {keys('2', '1'), keys('1'), false},
                                    {keys('2', '1'), keys('3', '1'), false}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto marks = marks_to_be(marks_of(cases[i].before), cases[i].now);
    EXPECT_EQ(marks.has_value(), cases[i].is_accepted) << i;
    if (marks) {
      EXPECT_EQ(*marks, marks_of(cases[i].now)) << i;
    } else {
      EXPECT_EQ(marks.error().code, ErrorCode::bad_configuration) << i;
    }
  }
}

TEST(Seal, WhoBringsJobsInHasAKeyInForce) {
  const auto may = [](const KeyRing& in_force, const KeyRing& own) {
    return check_keys(marks_of(in_force), own).has_value();
  };
  EXPECT_TRUE(may({}, {}));
  EXPECT_TRUE(may({}, keys('1'))) << "applications get the key before the daemon";
  EXPECT_TRUE(may(keys('1'), keys('1')));
  EXPECT_TRUE(may(keys('2', '1'), keys('1')));
  EXPECT_FALSE(may(keys('1'), {}));
  EXPECT_FALSE(may(keys('1'), keys('2', '1'))) << "the daemon gets a new key first";
  EXPECT_FALSE(may(keys('1'), keys(' ', '1')));
}

}  // namespace
}  // namespace tenure::queue
