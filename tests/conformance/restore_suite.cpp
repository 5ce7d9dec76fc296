#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// What is in neither database, since one of the two was put back.
namespace tenure::testing {
namespace {

class RestoreSuite : public StoreSuite {
 protected:
  RestoreSuite() {
    create_tenant("acme");
    create_tenant("globex");
  }

  static OutboxOwner owner(std::string_view name) { return {TenantName::parse(name).value(), Generation{1}}; }
  std::int64_t note(std::string_view name, std::int64_t newest) {
    return written(
        [&](StoreWriter& writer) { return writer.note_lost_rows(owner(name), OutboxSeq{newest}, now_); });
  }
  LostRows lost(std::string_view name) {
    return asked([&](JobReader& reader) { return reader.lost_rows(owner(name)); });
  }
  std::vector<LostRows> all(std::size_t limit = 100) {
    return asked([&](JobReader& reader) { return reader.lost_rows(limit); });
  }
  std::int64_t watermark(std::string_view name) {
    return asked([&](JobReader& reader) { return reader.outbox_watermark(owner(name)); }).value;
  }
  Relayed relay(std::int64_t seq) {
    NewJob job = new_job("acme");
    job.generation = Generation{1};
    const OutboxRows rows{OutboxSeq{seq}, {{OutboxSeq{seq}, write_outbox_row(job, {})}}};
    return written([&](StoreWriter& writer) { return writer.relay_outbox(owner("acme"), rows, now_); });
  }
  std::vector<AuditRecord> audit() {
    return asked([&](JobReader& reader) {
      std::vector<AuditRecord> records;
      reader.for_each_audit({}, [&](const AuditRecord& record) { return records.push_back(record), true; });
      return records;
    });
  }
};

TEST_P(RestoreSuite, RowsOfAnEmptyFileAboveTheWatermarkAreLostOnceAndTheNextComes) {
  EXPECT_EQ(note("acme", 0), 0);
  EXPECT_EQ(relay(1).missing, 0);
  EXPECT_EQ(note("acme", 1), 0) << "it was taken over";
  EXPECT_TRUE(audit().empty());
  EXPECT_EQ(note("acme", 4), 3);
  EXPECT_EQ(note("acme", 4), 0);
  EXPECT_EQ(watermark("acme"), 4);
  EXPECT_EQ(relay(5).inserted, 1);
  EXPECT_EQ(lost("acme"), (LostRows{owner("acme"), 3, now_}));
  EXPECT_EQ(lost("globex").count, 0);
}

TEST_P(RestoreSuite, NumbersThatRowsLeaveOutAreLostToo) {
  EXPECT_EQ(relay(3).missing, 2);
  EXPECT_EQ(lost("acme"), (LostRows{owner("acme"), 2, now_}));
  advance(seconds{5});
  EXPECT_EQ(relay(7).missing, 3);
  EXPECT_EQ(lost("acme"), (LostRows{owner("acme"), 5, now_})) << "together, and when the last were found";
}

TEST_P(RestoreSuite, EachIsInTheAuditWithItsTenant) {
  EXPECT_EQ(note("acme", 2), 2);
  EXPECT_EQ(relay(5).missing, 2);
  const std::vector<AuditRecord> records = audit();
  ASSERT_EQ(records.size(), 2U);
  for (const AuditRecord& record : records) {
    EXPECT_EQ(record.entry.verb, "outbox lost");
    EXPECT_EQ(record.entry.subject, "acme, generation 1");
    EXPECT_EQ(record.entry.count, 2);
  }
  EXPECT_THAT(records[0].entry.reason, ::testing::HasSubstr("rows up to 5 of its outbox"));
}

TEST_P(RestoreSuite, ThoseFoundLastComeFirst) {
  EXPECT_TRUE(all().empty());
  note("acme", 2);
  advance(seconds{1});
  note("globex", 1);
  EXPECT_EQ(all(), (std::vector<LostRows>{lost("globex"), lost("acme")}));
  EXPECT_EQ(all(1), std::vector<LostRows>{lost("globex")});
}

TEST_P(RestoreSuite, NothingIsLostOfAFileThatIsAnOlderCopyNorOfAStranger) {
  EXPECT_EQ(relay(1).inserted, 1);
  write(
      [&](StoreWriter& writer) { writer.note_older_copy(owner("acme"), OutboxSeq{0}, OutboxSeq{1}, now_); });
  EXPECT_EQ(note("acme", 9), 0) << "it has gone on since, with numbers that mean others";
  EXPECT_EQ(watermark("acme"), 1);
  EXPECT_EQ(note("initech", 9), 0);
  EXPECT_TRUE(all().empty());
}

TEST_P(RestoreSuite, WhatIsUndoneHasNotBeenLost) {
  EXPECT_THROW(store().write(Durability::durable,
                             [&](StoreWriter& writer) {
                               static_cast<void>(writer.note_lost_rows(owner("acme"), OutboxSeq{3}, now_));
                               throw Abandoned{};
                             }),
               Abandoned);
  EXPECT_EQ(watermark("acme"), 0);
  EXPECT_EQ(lost("acme").count, 0);
}

TEST_P(RestoreSuite, AStoreThatNobodyHasCopiedIsNoCopy) {
  EXPECT_FALSE(asked([](JobReader& reader) { return reader.copied(); }));
  EXPECT_FALSE(written([&](StoreWriter& writer) { return writer.accept_copy({}, now_); }));
  EXPECT_FALSE(asked([](JobReader& reader) { return reader.last_restore(); }));
  EXPECT_TRUE(audit().empty());
}

INSTANTIATE_TEST_SUITE_P(EachStore, RestoreSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
