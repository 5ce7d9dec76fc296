#include "shop.hpp"

#include <tenure/tenancy/outbox.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

// The table tenure_outbox of a tenant's file.
namespace tenure::testing {
namespace {

Uuid id_of(std::uint8_t number) {
  Uuid::Bytes bytes{};
  bytes.back() = number;
  return Uuid{bytes};
}

class OutboxEntries : public ::testing::Test {
 protected:
  std::optional<std::string> add(std::uint8_t number, std::string_view text) {
    return lease_->write([&](TenantTransaction& transaction) {
      return add_to_outbox(transaction, id_of(number), text).text_there;
    });
  }
  OutboxPage read(std::size_t count_max = 100, std::size_t bytes_max = 1'000'000) {
    return lease_->read([&](TenantReader& reader) { return read_outbox(reader, count_max, bytes_max); });
  }
  void clear(std::int64_t up_to) {
    TenantTransaction transaction = lease_->begin();
    clear_outbox(transaction, up_to);
    transaction.commit_ordered();
  }
  bool raise_epoch() {
    return lease_->write([](TenantTransaction& transaction) { return raise_outbox_epoch(transaction); });
  }
  std::int64_t epoch() {
    return lease_->write([](TenantTransaction& transaction) { return transaction.stamp().outbox_epoch; });
  }
  static std::vector<std::string> texts(const OutboxPage& page) {
    std::vector<std::string> texts;
    for (const OutboxEntry& entry : page.entries) texts.push_back(entry.text);
    return texts;
  }

  Shop shop_;
  HandleLease lease_ = shop_.create("acme");
  TenantScope scope_{kAcme};
};

using ::testing::ElementsAre;

TEST_F(OutboxEntries, AreReadInTheOrderOfCommitsAndNumberedFromOne) {
  EXPECT_EQ(read().newest, 0);
  EXPECT_TRUE(read().entries.empty());
  add(2, "first");
  add(1, "second");
  const OutboxPage page = read();
  EXPECT_THAT(texts(page), ElementsAre("first", "second"));
  EXPECT_EQ(page.entries[0].seq, 1);
  EXPECT_EQ(page.entries[1].seq, 2);
  EXPECT_EQ(page.newest, 2);
  EXPECT_TRUE(page.is_all);
}

TEST_F(OutboxEntries, ANumberIsNeverGivenTwiceAndNoneIsLeftOut) {
  add(1, "a");
  add(2, "b");
  clear(2);
  EXPECT_TRUE(read().entries.empty());
  EXPECT_EQ(read().newest, 2);
  EXPECT_THROW(lease_->write([&](TenantTransaction& transaction) {
    EXPECT_EQ(add_to_outbox(transaction, id_of(9), "undone").seq, 3);
    throw std::runtime_error("undo");
  }),
               std::runtime_error);
  add(3, "c");
  EXPECT_EQ(read().entries.at(0).seq, 3) << "what was undone has taken no number";
}

TEST_F(OutboxEntries, AnIdIsThereOnceAndItsTextIsTold) {
  EXPECT_EQ(add(1, "text"), std::nullopt);
  EXPECT_EQ(add(1, "other"), "text");
  lease_->write([](TenantTransaction& transaction) {
    EXPECT_EQ(add_to_outbox(transaction, id_of(1), "other").seq, 1);
  });
  EXPECT_THAT(texts(read()), ElementsAre("text"));
  EXPECT_EQ(read().newest, 1);
}

TEST_F(OutboxEntries, TheRowThatTheCallerHasInsertedLastStaysTheLast) {
  add(1, "a");
  lease_->write([](TenantTransaction& transaction) {
    transaction.execute("insert into invoice(id, total) values (77, 1)");
    static_cast<void>(add_to_outbox(transaction, id_of(2), "b"));
    EXPECT_EQ(transaction.last_insert_row(), 77);
  });
}

TEST_F(OutboxEntries, APageHasItsBoundsButForTheFirst) {
  for (std::uint8_t number = 1; number <= 4; ++number) add(number, std::string(100, 'x'));
  const auto size = [&](std::size_t count, std::size_t bytes) {
    const OutboxPage page = read(count, bytes);
    EXPECT_EQ(page.is_all, page.entries.size() == 4);
    EXPECT_EQ(page.newest, 4);
    return page.entries.size();
  };
  EXPECT_EQ(size(3, 1000), 3U);
  EXPECT_EQ(size(4, 1000), 4U);
  EXPECT_EQ(size(5, 1000), 4U);
  EXPECT_EQ(size(9, 1), 1U);
  EXPECT_EQ(size(9, 199), 1U);
  EXPECT_EQ(size(9, 200), 2U);
  EXPECT_EQ(size(9, 400), 4U);
}

TEST_F(OutboxEntries, ClearingTakesWhatIsUpToTheNumberAndNothingElse) {
  for (std::uint8_t number = 1; number <= 3; ++number) add(number, std::to_string(number));
  clear(0);
  EXPECT_EQ(read().entries.size(), 3U);
  clear(2);
  EXPECT_THAT(texts(read()), ElementsAre("3"));
}

TEST_F(OutboxEntries, TheEpochGoesUpOnlyWhereThereAreNone) {
  const std::int64_t before = epoch();
  add(1, "a");
  EXPECT_FALSE(raise_epoch());
  EXPECT_EQ(epoch(), before);
  clear(1);
  EXPECT_TRUE(raise_epoch());
  EXPECT_EQ(epoch(), before + 1);
}

TEST_F(OutboxEntries, AreNotForCodeThatUsesTheHandle) {
  add(1, "a");
  for (const char* sql : {"insert into tenure_outbox(job_id, envelope) values (zeroblob(16), x'00')",
                          "delete from tenure_outbox", "update tenure_outbox set seq = 9",
                          "update sqlite_sequence set seq = 0 where name = 'tenure_outbox'"})
    EXPECT_EQ(
        code_of([&] { lease_->write([&](TenantTransaction& transaction) { transaction.execute(sql); }); }),
        ErrorCode::access_refused)
        << sql;
  EXPECT_EQ(read().entries.size(), 1U);
}

TEST_F(OutboxEntries, ASyncOfAHandleThatHasEndedIsRefused) {
  std::optional<TenantHandle> copy{*lease_};
  lease_->sync();
  { const HandleLease ended = std::move(lease_); }
  EXPECT_EQ(code_of([&] { copy->sync(); }), ErrorCode::handle_ended);
}

}  // namespace
}  // namespace tenure::testing
