#include "store_suite.hpp"

#include <string>
#include <vector>

// What operators have changed is recorded in the commit that changed it, in the order of the commits.
namespace tenure::testing {

class AuditSuite : public StoreSuite {
 protected:
  static AuditEntry entry(std::string verb, std::string subject = "state=dead") {
    return {.who = {.uid = 1000,
                    .login = "dana",
                    .login_uid = 1000,
                    .sudo_uid = std::nullopt,
                    .terminal = "/dev/pts/3",
                    .host = "app-1"},
            .verb = std::move(verb),
            .subject = std::move(subject),
            .count = 3,
            .reason = "ticket 4711"};
  }
  void append(const AuditEntry& entry) {
    write([&](StoreWriter& writer) { writer.append_audit(entry, now_); });
  }
  std::vector<AuditRecord> records(std::optional<std::int64_t> before = std::nullopt) {
    return asked([&](JobReader& reader) {
      std::vector<AuditRecord> list;
      reader.for_each_audit(before, [&](const AuditRecord& record) {
        list.push_back(record);
        return true;
      });
      return list;
    });
  }
  std::vector<std::int64_t> numbers(std::optional<std::int64_t> before = std::nullopt) {
    std::vector<std::int64_t> list;
    for (const AuditRecord& record : records(before)) list.push_back(record.number);
    return list;
  }
  AuditVerdict verdict(const std::optional<AuditMark>& known = std::nullopt) {
    return asked([&](JobReader& reader) { return reader.check_audit(known); });
  }
};

TEST_P(AuditSuite, ARecordIsReadAsItWasWritten) {
  append(entry("job retry"));
  const auto all = records();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].number, 1);
  EXPECT_EQ(all[0].at, now_);
  EXPECT_EQ(all[0].entry.who, entry("").who);
  EXPECT_EQ(all[0].entry.verb, "job retry");
  EXPECT_EQ(all[0].entry.subject, "state=dead");
  EXPECT_EQ(all[0].entry.count, 3);
  EXPECT_EQ(all[0].entry.reason, "ticket 4711");
}

TEST_P(AuditSuite, TheNewestComesFirstAndTheReaderStopsWhereItIsTold) {
  for (const char* verb : {"job retry", "job run", "job cancel", "job delete"}) append(entry(verb));
  EXPECT_EQ(numbers(), (std::vector<std::int64_t>{4, 3, 2, 1}));
  EXPECT_EQ(numbers(3), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(numbers(1), (std::vector<std::int64_t>{}));
  int seen = 0;
  static_cast<void>(asked([&](JobReader& reader) {
    reader.for_each_audit(std::nullopt, [&](const AuditRecord&) { return ++seen < 2; });
    return seen;
  }));
  EXPECT_EQ(seen, 2);
}

TEST_P(AuditSuite, ARecordStandsOrFallsWithItsCommit) {
  append(entry("job retry"));
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 writer.append_audit(entry("job delete"), now_);
                 throw Abandoned{};
               }),
               Abandoned);
  append(entry("job run"));
  EXPECT_EQ(numbers(), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(records().front().entry.verb, "job run");
  EXPECT_FALSE(verdict().fault);
}

TEST_P(AuditSuite, TheChainIsWholeAndItsHeadIsTheNewestRow) {
  EXPECT_FALSE(verdict().fault);
  EXPECT_EQ(verdict().head, AuditMark{});
  for (int i = 0; i < 5; ++i) append(entry("job retry"));
  const AuditVerdict found = verdict();
  EXPECT_FALSE(found.fault);
  EXPECT_EQ(found.records, 5);
  EXPECT_EQ(found.head, (AuditMark{5, records().front().hash}));
}

TEST_P(AuditSuite, EqualRecordsHaveHashesOfTheirOwn) {
  append(entry("job retry"));
  append(entry("job retry"));
  EXPECT_NE(records()[0].hash, records()[1].hash);
}

TEST_P(AuditSuite, AHeadThatWasNotedIsFoundAgain) {
  append(entry("job retry"));
  const AuditMark noted = verdict().head;
  append(entry("job run"));
  EXPECT_FALSE(verdict(noted).fault);
  AuditMark other = noted;
  other.hash[0] ^= std::byte{1};
  ASSERT_TRUE(verdict(other).fault);
  EXPECT_EQ(verdict(other).fault->number, 1);
  ASSERT_TRUE(verdict(AuditMark{3, noted.hash}).fault);
  EXPECT_EQ(verdict(AuditMark{3, noted.hash}).fault->number, 3);
}

TEST_P(AuditSuite, TextsAreCutAtTheirLimitsAndSayThatTheyWere) {
  for (const std::size_t more : {0U, 1U}) {
    AuditEntry long_one =
        entry(std::string(kAuditNameMax + more, 'v'), std::string(kAuditSubjectMax + more, 's'));
    long_one.reason = std::string(kAuditReasonMax + more, 'r');
    long_one.who.host = std::string(kAuditNameMax + more, 'h');
    append(long_one);
    const AuditEntry kept = records().front().entry;
    EXPECT_EQ(kept.verb.size(), kAuditNameMax);
    EXPECT_EQ(kept.subject.size(), kAuditSubjectMax);
    EXPECT_EQ(kept.reason.size(), kAuditReasonMax);
    EXPECT_EQ(kept.who.host.ends_with("..."), more == 1);
    EXPECT_EQ(kept.subject.ends_with("..."), more == 1);
  }
  EXPECT_FALSE(verdict().fault);
}

TEST_P(AuditSuite, BytesThatAreNoTextAreKept) {
  append(entry("job retry", "kind=\xff\xfe*"));
  EXPECT_EQ(records().front().entry.subject, "kind=\xff\xfe*");
  EXPECT_FALSE(verdict().fault);
}

TEST_P(AuditSuite, ATenantThatAnOperatorCreatesIsRecordedStepByStep) {
  VirtualClock clock{now_};
  const auto registry = store().audited_registry(entry("tenant create", ""), clock);
  const TenantName name{"acme"};
  const TenantRecord tenant = value_or_raise(registry->begin_create(name, now_));
  static_cast<void>(value_or_raise(registry->begin_create(name, now_)));  // taken up: nothing changes
  value_or_raise(registry->activate(name, tenant.generation));
  EXPECT_FALSE(registry->activate(name, tenant.generation));
  EXPECT_FALSE(registry->begin_create(name, now_));
  const TenantRecord other = value_or_raise(registry->begin_create(TenantName{"corvid"}, now_));
  registry->abandon_create(other.name, other.generation);
  registry->abandon_create(other.name, other.generation);
  std::vector<std::string> subjects;
  for (const AuditRecord& record : records()) {
    subjects.push_back(record.entry.subject);
    EXPECT_EQ(record.entry.count, 1);
    EXPECT_EQ(record.entry.who.login, "dana");
    EXPECT_EQ(record.at, now_);
  }
  EXPECT_EQ(subjects,
            (std::vector<std::string>{"corvid generation 1, taken back", "corvid generation 1, provisioning",
                                      "acme generation 1, active", "acme generation 1, provisioning"}));
  EXPECT_FALSE(verdict().fault);
}

TEST_P(AuditSuite, TheRegistryOfAProgramRecordsNothing) {
  create_tenant("acme");
  EXPECT_TRUE(records().empty());
}

INSTANTIATE_TEST_SUITE_P(EachStore, AuditSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
