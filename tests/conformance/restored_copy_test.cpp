#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/copies.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/receipt_time.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// A copy of a control database that was put in place is noticed, and becomes the control database, once.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr sqlite::Query kSetState{"set_state", "update tenant set state = ?2 where name = ?1"};

class RestoredCopy : public ::testing::Test {
 protected:
  RestoredCopy() {
    for (const char* const name : {"acme", "globex", "initech"}) add_tenant(name);
    set_state("globex", TenantState::paused);
    set_state("initech", TenantState::deleted);
  }

  void add_tenant(const std::string& name) {
    const TenantRecord made =
        value_or_raise(store_->registry().begin_create(TenantName{name}, clock_.wall()));
    value_or_raise(store_->registry().activate(TenantName{name}, made.generation));
  }
  void set_state(const std::string& name, TenantState state) const {
    sqlite::Connection connection(path_, {});
    connection.statement(kSetState).bind(name, static_cast<std::int64_t>(state)).run();
  }
  // The copy lies in the place of the control database, of which nobody has anything left.
  void put_back() {
    store_.reset();
    std::filesystem::remove(path_);
    std::filesystem::copy_file(copy_, path_);
    store_ = open();
  }
  void copy(const std::filesystem::path& target) const {
    copy_control_database(path_, target, clock_, [](const CopyProgress&) {});
  }
  void copy_and_put_back() {
    copy(copy_);
    put_back();
  }
  std::unique_ptr<Store> open() { return open_sqlite_store({.path = path_, .create = true}, clock_); }
  template <class Question>
  auto asked(Question question) {
    std::optional<std::invoke_result_t<Question, JobReader&>> answer;
    store_->read([&](JobReader& reader) { answer.emplace(question(reader)); });
    return std::move(*answer);
  }
  std::optional<RestoreRecord> accept(AcceptRepeats repeats = AcceptRepeats::no) {
    return accept_if_copied(*store_, repeats, {.who = {.login = "dana"}, .verb = "store restored"}, clock_);
  }
  std::string refusal() {
    try {
      static_cast<void>(accept());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::access_refused);
      return error.what();
    }
    return "no refusal";
  }
  std::vector<OutboxMark> marks() {
    return asked([](JobReader& reader) { return reader.outbox_marks({}, 100); });
  }
  std::vector<std::string> marked() {
    std::vector<std::string> names;
    for (const OutboxMark& mark : marks())
      if (mark.epoch == kEpochOfRestore) names.push_back(mark.owner.tenant.text());
    return names;
  }
  std::vector<AuditRecord> records_of_restores() {
    return asked([](JobReader& reader) {
      std::vector<AuditRecord> records;
      reader.for_each_audit({}, [&](const AuditRecord& record) {
        if (record.entry.verb == "store restored") records.push_back(record);
        return true;
      });
      return records;
    });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  std::filesystem::path copy_ = folder_ / "copy.db";
  VirtualClock clock_;
  std::unique_ptr<Store> store_ = open();
};

TEST_F(RestoredCopy, TakesTheNextEpochAndAMarkForEachTenantThatLivesAndIsACopyNoMore) {
  copy(copy_);
  const WallTime copied = clock_.wall();
  EXPECT_FALSE(accept()) << "of the one that was copied";
  clock_.advance(hours{5});
  put_back();
  EXPECT_EQ(asked([](JobReader& reader) { return reader.copied(); }), copied);
  const RestoreRecord expected{.epoch = 2, .copied = copied, .noticed = clock_.wall(), .marked = 2};
  EXPECT_EQ(accept(), expected);
  EXPECT_THAT(marked(), ::testing::UnorderedElementsAre("acme", "globex"));
  EXPECT_EQ(asked([](JobReader& reader) { return reader.last_restore(); }), expected);
  const auto records = records_of_restores();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].entry.who.login, "dana");
  EXPECT_EQ(records[0].entry.count, 2);
  EXPECT_THAT(records[0].entry.subject, HasSubstr("epoch 2, from a copy of " + to_rfc3339(copied)));

  EXPECT_FALSE(accept()) << "once";
  EXPECT_EQ(records_of_restores().size(), 1U);
  std::filesystem::remove(copy_);
  copy_and_put_back();
  EXPECT_EQ(accept()->epoch, 3);
}

TEST_F(RestoredCopy, MarksThatItHadStandBesideTheNewOnesWhichGetAnotherNumberEachTime) {
  store_->write(Durability::durable, [&](StoreWriter& writer) {
    const OutboxOwner acme{TenantName{"acme"}, Generation{1}};
    static_cast<void>(value_or_raise(writer.mark_outbox(acme, {.epoch = 4}, clock_.wall())));
  });
  copy_and_put_back();
  ASSERT_TRUE(accept());
  ASSERT_EQ(marks().size(), 3U);
  EXPECT_EQ(marks()[0].epoch, 4);
  const OutboxMarkNumber last = marks().back().number;
  std::filesystem::remove(copy_);
  copy_and_put_back();
  ASSERT_TRUE(accept());
  ASSERT_EQ(marks().size(), 3U);
  EXPECT_GT(marks()[1].number, last);
}

TEST_F(RestoredCopy, ThatIsOlderThanReceiptsAreKeptIsRefusedUntilSomebodyAcceptsWhatMayRepeat) {
  copy(copy_);
  clock_.advance(kReceiptsKeptFor - kNeededLong - seconds{1});
  put_back();
  EXPECT_TRUE(accept());

  put_back();
  clock_.advance(seconds{1});
  const std::string why = refusal();
  EXPECT_THAT(why, HasSubstr("6 days ago, and receipts are certain to be there for 7 days less an hour"));
  EXPECT_THAT(why, HasSubstr("steps of `once` whose receipts are gone may be done a second time"));
  EXPECT_THAT(why, HasSubstr("tenure store restore --accept-repeats"));
  EXPECT_TRUE(marks().empty());
  EXPECT_TRUE(asked([](JobReader& reader) { return reader.copied(); }));
  EXPECT_EQ(accept(AcceptRepeats::yes)->epoch, 2);
  EXPECT_FALSE(accept());
}

TEST_F(RestoredCopy, FromATimeToComeIsRefusedToo) {
  clock_.advance(days{1});
  copy(copy_);
  clock_.jump_wall(-kCopyAheadMax);
  put_back();
  EXPECT_TRUE(accept()) << "clocks of two machines differ";
  put_back();
  clock_.jump_wall(-seconds{1});
  EXPECT_THAT(refusal(), HasSubstr("which is to come by the clock of this machine"));
  EXPECT_TRUE(accept(AcceptRepeats::yes));
}

TEST_F(RestoredCopy, ACopyOfACopyThatNobodyHasAcceptedIsAsOldAsThat) {
  copy(copy_);
  put_back();
  clock_.advance(days{8});
  const auto second = folder_ / "second.db";
  copy(second);
  std::filesystem::rename(second, copy_);
  put_back();
  EXPECT_THAT(refusal(), HasSubstr("8 days ago"));
}

TEST_F(RestoredCopy, AnOperatorAcceptsItUnderTheDispatchersLock) {
  copy_and_put_back();
  clock_.advance(days{9});
  const AuditEntry entry{.who = {.login = "dana"}, .verb = "store restored"};
  {
    const auto lock = try_lock_dispatcher_file(path_);
    ASSERT_TRUE(lock);
    EXPECT_THROW(accept_control_copy(path_, AcceptRepeats::yes, entry, clock_), Error);
    EXPECT_TRUE(asked([](JobReader& reader) { return reader.copied(); }));
  }
  EXPECT_THROW(accept_control_copy(path_, AcceptRepeats::no, entry, clock_), Error);
  EXPECT_EQ(accept_control_copy(path_, AcceptRepeats::yes, entry, clock_)->epoch, 2);
  EXPECT_FALSE(accept_control_copy(path_, AcceptRepeats::yes, entry, clock_));
}

}  // namespace
}  // namespace tenure::testing
