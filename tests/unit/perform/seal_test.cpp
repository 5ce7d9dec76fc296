#include "bookkeeping.hpp"

#include <tenure/queue/envelope.hpp>
#include <tenure/queue/seal.hpp>

#include <support/keys.hpp>

// Seals before a handler.
namespace tenure::testing {
namespace {

class Sealed : public Bookkeeping {
 protected:
  Sealed() {
    jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
      ++ran_;
      context.once("pay", [](JobTransaction& transaction) {
        transaction.execute("update invoice set paid = paid + 1 where id = 1");
      });
    });
  }
  queue::ClaimedJob claim_sealed(char digit) {
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    queue::ClaimedJob job = claim();
    auto envelope = value_or_raise(queue::read_envelope(job.envelope));
    envelope.seal = queue::seal_of(envelope, keys(digit));
    job.envelope = queue::write_envelope(envelope);
    return job;
  }
  std::optional<queue::AttemptFailure> perform_with(const KeyRing& ring, const queue::ClaimedJob& job) {
    Performer performer{jobs_, handles_, clock_, {.application = "books", .keys = ring}};
    return perform_by(performer, job, {});
  }
  int ran_ = 0;
};

TEST_F(Sealed, AJobIsPerformedByItsSealAndAfterAnExchangeOfKeys) {
  const queue::ClaimedJob job = claim_sealed('1');
  EXPECT_EQ(perform_with(keys('1'), job), std::nullopt);
  EXPECT_EQ(perform_with(keys('2', '1'), job), std::nullopt);
  EXPECT_EQ(perform_with({}, job), std::nullopt);
  EXPECT_EQ(ran_, 3);
}

// Whoever can write rows can write all of them alike, but for the seal.
TEST_F(Sealed, SEC_01_ARowForgedWholeIsRefusedBeforeTheHandler) {
  queue::ClaimedJob job = claim_sealed('1');
  auto envelope = value_or_raise(queue::read_envelope(job.envelope));
  envelope.tenant = TenantName{"bolt"};
  envelope.arguments.replace(envelope.arguments.find("acme"), 4, "bolt");
  job.tenant = envelope.tenant;
  job.envelope = queue::write_envelope(envelope);
  const auto outcome = perform_with(keys('1'), job);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::bad_seal);
  EXPECT_TRUE(outcome->error.starts_with("WrongSeal: ")) << outcome->error;
  envelope.seal.reset();
  job.envelope = queue::write_envelope(envelope);
  EXPECT_TRUE(perform_with(keys('1'), job)->error.starts_with("NotSealed: "));
  EXPECT_EQ(ran_, 0);
  EXPECT_EQ(perform_with({}, job), std::nullopt) << "and nothing but the seal was wrong with it";
}

TEST_F(Sealed, SEC_01_EachBitOfTheArgumentsCounts) {
  const queue::ClaimedJob original = claim_sealed('1');
  const std::size_t begin = original.envelope.find('\n') + 1;
  for (std::size_t at = begin; at < original.envelope.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      queue::ClaimedJob job = original;
      job.envelope[at] = static_cast<char>(job.envelope[at] ^ static_cast<char>(1U << bit));
      ASSERT_EQ(perform_with(keys('1'), job)->code, ErrorCode::bad_seal) << at << ' ' << bit;
    }
  EXPECT_EQ(ran_, 0);
}

TEST_F(Sealed, SEC_04_ASealMovedToAnotherJobIsRefused) {
  const queue::ClaimedJob first = claim_sealed('1');
  queue::ClaimedJob second = claim_sealed('1');
  auto envelope = value_or_raise(queue::read_envelope(second.envelope));
  envelope.seal = value_or_raise(queue::read_envelope(first.envelope)).seal;
  second.envelope = queue::write_envelope(envelope);
  EXPECT_EQ(perform_with(keys('1'), second)->code, ErrorCode::bad_seal);
  second.envelope = first.envelope;
  EXPECT_EQ(perform_with(keys('1'), second)->code, ErrorCode::envelope_mismatch)
      << "a whole envelope, in another row";
  EXPECT_EQ(ran_, 0);
}

// The seal cannot tell that a row was there before; the receipts in the tenant's database do.
TEST_F(Sealed, SEC_04_AnOldEnvelopeInsertedAgainRepeatsNoEffectOfOnce) {
  queue::ClaimedJob job = claim_sealed('1');
  EXPECT_EQ(perform_with(keys('1'), job), std::nullopt);
  ASSERT_EQ(paid("acme"), 1);
  // Inserted again it gets a row and a claim of its own, whose token is greater than any before.
  clock_.advance(std::chrono::hours(7 * 24) - std::chrono::seconds(1));
  job.seq = queue::JobSeq{job.seq.value + 1000};
  job.token.counter += 1000;
  EXPECT_EQ(perform_with(keys('1'), job), std::nullopt);
  EXPECT_EQ(ran_, 2);
  EXPECT_EQ(paid("acme"), 1);
}

}  // namespace
}  // namespace tenure::testing
