#include "transactions.hpp"

#include <tenure/queue/envelope.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <support/keys.hpp>

// Seals of jobs that come by an outbox: the writer of a row has put it there, and who takes it over looks at it.
namespace tenure::testing {
namespace {

class TransactionSeal : public ::testing::Test {
 protected:
  std::unique_ptr<queue::Store> store_with(const KeyRing& ring) {
    return queue::open_sqlite_store({.path = folder_ / "control.db", .create = true, .keys = ring}, clock_);
  }
  static void put_in_force(queue::Store& store) {
    store.write(queue::Durability::durable, [](queue::StoreWriter& writer) {
      writer.set_seal_marks({keys('1').mark_of_current(), std::nullopt});
    });
  }
  queue::OutboxFront rows() {
    return lease_->read([](TenantReader& reader) { return queue::read_outbox_front(reader); });
  }

  TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> keyed_ = store_with(keys('1'));
  std::unique_ptr<queue::Store> keyless_ = store_with({});
  AskingStore asking_{*keyless_};
  HandleCache handles_{TenantFiles{(folder_.path() / "tenants/%{tenant}.db").string()}, {}};
  Tenants tenants_{keyed_->registry(), handles_, clock_, {.application = "books"}};
  const TenantRecord acme_ = tenants_.create(TenantName{"acme"});
  TenantScope scope_{TenantName{"acme"}};
  HandleLease lease_ = tenants_.open_current();
  const queue::OutboxOwner owner_{acme_.name, acme_.generation};
};

TEST_F(TransactionSeal, WithAKeyRowsAreSealedAndTakenOver) {
  put_in_force(*keyed_);
  Client client{*keyed_, clock_, {.application = "books"}};
  const Uuid id = client.transaction(*lease_, [&](JobTransaction& transaction) {
    const Uuid enqueued = transaction.enqueue(Remind{1});
    const auto front = queue::read_outbox_front(transaction.reader());
    EXPECT_TRUE(queue::read_outbox_row(front.rows.rows.at(0).text, owner_, keys('1')));
    EXPECT_FALSE(queue::read_outbox_row(front.rows.rows.at(0).text, owner_, keys('2')));
    return enqueued;
  });
  EXPECT_TRUE(rows().rows.rows.empty());
  std::string envelope;
  keyed_->read([&](queue::JobReader& reader) {
    envelope = reader.envelope(reader.find_job({id}).value().seq).value();
  });
  EXPECT_TRUE(queue::check_seal(value_or_raise(queue::read_envelope(envelope)), keys('1')));
}

TEST_F(TransactionSeal, ARowThatWasWrittenWithoutTheKeyIsRefusedAndStays) {
  Client without_key{asking_, clock_, {.application = "books"}};
  int writes = 0;
  asking_.before_write = [&] {
    if (++writes > 1) raise(ErrorCode::store_busy, "for this test");
  };
  without_key.transaction(*lease_, [](JobTransaction& transaction) { transaction.enqueue(Remind{1}); });
  ASSERT_EQ(rows().rows.rows.size(), 1U);
  put_in_force(*keyed_);
  for (int twice = 0; twice < 2; ++twice) {
    const auto relayed = queue::relay_file(*keyed_, *lease_, clock_);
    ASSERT_TRUE(relayed.refused);
    EXPECT_EQ(relayed.refused->failure.code, ErrorCode::bad_seal);
    EXPECT_EQ(rows().rows.rows.size(), 1U);
  }
}

TEST_F(TransactionSeal, WithoutTheKeyThatIsInForceNothingIsEnqueued) {
  put_in_force(*keyed_);
  Client without_key{*keyless_, clock_, {.application = "books"}};
  EXPECT_THROW(
      without_key.transaction(*lease_, [](JobTransaction& transaction) { transaction.enqueue(Remind{1}); }),
      BadConfiguration);
  EXPECT_TRUE(rows().rows.rows.empty());
}

}  // namespace
}  // namespace tenure::testing
