#include "store_suite.hpp"

#include <tenure/queue/envelope.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <functional>
#include <support/keys.hpp>
#include <support/temporary_folder.hpp>
#include <utility>

// Sealed jobs: what a store makes of its keys, and of those that are in force.
namespace tenure::testing {
namespace {

const WallTime kNow = from_us(1'700'000'000'000'000);

NewJob new_job(int seed) {
  NewJob job;
  job.id = JobId{*Uuid::parse("019cadff-0000-7000-8000-00000000000" + std::to_string(seed))};
  job.queue = "default";
  job.kind = "billing.send_invoice";
  job.due = kNow;
  job.attempts_max = 10;
  job.arguments = R"({"a":1})";
  return job;
}

Result<Enqueued> enqueue_into(Store& store, const NewJob& job) {
  std::optional<Result<Enqueued>> result;
  store.write(Durability::ordered, [&](StoreWriter& writer) { result = writer.enqueue(job, kNow); });
  return *std::move(result);
}

Result<Enqueued> copy_in(Store& store, JobId id, JobId copy) {
  std::optional<Result<Enqueued>> result;
  store.write(Durability::ordered,
              [&](StoreWriter& writer) { result = writer.copy_by_operator(id, copy, kNow); });
  return *std::move(result);
}

void cancel_in(Store& store, JobId id) {
  store.write(Durability::ordered,
              [&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(id, kNow)); });
}

Envelope envelope_in(Store& store, JobId id) {
  std::optional<std::string> bytes;
  store.read([&](JobReader& reader) {
    if (const auto job = reader.find_job(id)) bytes = reader.envelope(job->seq);
  });
  return value_or_raise(read_envelope(bytes.value()));
}

SealMarks marks_in(Store& store) {
  SealMarks marks;
  store.read([&](JobReader& reader) { marks = reader.seal_marks(); });
  return marks;
}

// Nothing: it was accepted.
std::optional<ErrorCode> refusal_of(const std::function<void()>& call) {
  try {
    call();
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

struct KeyedStoreFactory {
  std::string_view name;
  std::unique_ptr<Store> (*make)(const std::filesystem::path& folder, const KeyRing& ring);
  friend std::ostream& operator<<(std::ostream& out, const KeyedStoreFactory& factory) {
    return out << factory.name;
  }
};

class SealSuite : public ::testing::TestWithParam<KeyedStoreFactory> {
 protected:
  std::unique_ptr<Store> store_with(const KeyRing& ring) { return GetParam().make(folder_.path(), ring); }
  TemporaryFolder folder_;
};

TEST_P(SealSuite, WhatIsEnqueuedIsSealedWhereThereIsAKey) {
  const auto store = store_with(keys('1'));
  ASSERT_TRUE(enqueue_into(*store, new_job(1)));
  const Envelope envelope = envelope_in(*store, new_job(1).id);
  EXPECT_TRUE(envelope.seal.has_value());
  EXPECT_TRUE(check_seal(envelope, keys('1')));
  EXPECT_FALSE(check_seal(envelope, keys('2')));
}

TEST_P(SealSuite, WithoutAKeyNothingIsSealed) {
  const auto store = store_with({});
  ASSERT_TRUE(enqueue_into(*store, new_job(1)));
  EXPECT_FALSE(envelope_in(*store, new_job(1).id).seal.has_value());
  EXPECT_EQ(marks_in(*store), SealMarks{});
  put_in_force(*store, {});
  EXPECT_EQ(marks_in(*store), SealMarks{});
}

TEST_P(SealSuite, AKeyThatIsNotInForceBringsNothingIn) {
  const auto store = store_with(keys('1'));
  const auto in_force = [&](const KeyRing& ring) {
    store->write(Durability::durable, [&](StoreWriter& writer) {
      writer.set_seal_marks({ring.mark_of_current(), ring.mark_of_previous()});
    });
  };
  in_force(keys('2'));
  const auto refused = enqueue_into(*store, new_job(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  store->read([](JobReader& reader) { EXPECT_EQ(reader.summary().jobs, 0); });
  in_force(keys('2', '1'));
  EXPECT_TRUE(enqueue_into(*store, new_job(1)));
  in_force(keys('1'));
  EXPECT_TRUE(enqueue_into(*store, new_job(2)));
  in_force({});
  EXPECT_TRUE(enqueue_into(*store, new_job(3)));
}

TEST_P(SealSuite, SEC_14_AKeyComesInForceOnlyOnceNothingWaitsThatItWouldRefuse) {
  const auto store = store_with({});
  ASSERT_TRUE(enqueue_into(*store, new_job(1)));
  EXPECT_EQ(refusal_of([&] { put_in_force(*store, keys('1')); }), ErrorCode::bad_configuration);
  EXPECT_EQ(marks_in(*store), SealMarks{});
  cancel_in(*store, new_job(1).id);
  put_in_force(*store, keys('1'));
  EXPECT_EQ(marks_in(*store), (SealMarks{keys('1').mark_of_current(), std::nullopt}));
  const auto refused = enqueue_into(*store, new_job(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  EXPECT_EQ(refusal_of([&] { put_in_force(*store, {}); }), ErrorCode::bad_configuration);
  EXPECT_EQ(refusal_of([&] { put_in_force(*store, keys('2')); }), ErrorCode::bad_configuration);
  put_in_force(*store, keys(' ', '1'));
  EXPECT_EQ(marks_in(*store), SealMarks{}) << "sealing has ended";
}

TEST_P(SealSuite, SEC_14_AKeyThatWaitingJobsNeedIsNotLeftOut) {
  const auto store = store_with(keys('1'));
  put_in_force(*store, keys('1'));
  ASSERT_TRUE(enqueue_into(*store, new_job(1)));
  put_in_force(*store, keys('2', '1'));
  EXPECT_EQ(refusal_of([&] { put_in_force(*store, keys('2')); }), ErrorCode::bad_configuration);
  EXPECT_EQ(marks_in(*store).previous, keys('1').mark_of_current());
  EXPECT_TRUE(check_seal(envelope_in(*store, new_job(1).id), keys('2', '1'))) << "old jobs still verify";
  cancel_in(*store, new_job(1).id);
  put_in_force(*store, keys('2'));
  EXPECT_EQ(marks_in(*store).previous, std::nullopt);
}

TEST_P(SealSuite, ACommitThatFailsTakesMarksBack) {
  const auto store = store_with({});
  EXPECT_THROW(store->write(Durability::ordered,
                            [](StoreWriter& writer) {
                              writer.set_seal_marks({keys('1').mark_of_current(), std::nullopt});
                              throw Abandoned{};
                            }),
               Abandoned);
  EXPECT_EQ(marks_in(*store), SealMarks{});
  EXPECT_TRUE(enqueue_into(*store, new_job(1)));
}

TEST_P(SealSuite, ACopyIsSealedAnewAndOfWhatIsNotSealedThereIsNone) {
  const auto store = store_with(keys('1'));
  ASSERT_TRUE(enqueue_into(*store, new_job(1)));
  ASSERT_TRUE(copy_in(*store, new_job(1).id, new_job(2).id));
  EXPECT_TRUE(check_seal(envelope_in(*store, new_job(2).id), keys('1')));
  EXPECT_NE(envelope_in(*store, new_job(2).id).seal, envelope_in(*store, new_job(1).id).seal);
}

INSTANTIATE_TEST_SUITE_P(
    EachStore, SealSuite,
    ::testing::Values(KeyedStoreFactory{"Memory",
                                        [](const std::filesystem::path&, const KeyRing& ring) {
                                          return make_memory_store({.keys = ring});
                                        }},
                      KeyedStoreFactory{"Sqlite",
                                        [](const std::filesystem::path& folder, const KeyRing& ring) {
                                          static const VirtualClock clock;
                                          return open_sqlite_store(
                                              {.path = folder / "control.db", .create = true, .keys = ring},
                                              clock);
                                        }}),
    [](const auto& each) { return std::string{each.param.name}; });

// Several processes with keys of their own over one file.
class SealedFile : public ::testing::Test {
 protected:
  std::unique_ptr<Store> store_with(const KeyRing& ring) {
    return open_sqlite_store({.path = folder_ / "control.db", .create = true, .keys = ring}, clock_);
  }
  TemporaryFolder folder_;
  VirtualClock clock_;
};

TEST_F(SealedFile, TheSameIdIsTheSameJobWhateverKeyHasSealedIt) {
  const auto first = store_with(keys('1'));
  put_in_force(*first, keys('1'));
  ASSERT_TRUE(enqueue_into(*first, new_job(1)));
  put_in_force(*first, keys('2', '1'));
  const auto second = store_with(keys('2'));
  const auto again = enqueue_into(*second, new_job(1));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->existed);
  NewJob other = new_job(1);
  other.arguments = R"({"a":2})";
  const auto conflict = enqueue_into(*second, other);
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, ErrorCode::id_conflict);
}

// Or whoever can only write rows would get a good seal for his by an operator's hand.
TEST_F(SealedFile, AJobThatIsNotSealedIsNotCopied) {
  ASSERT_TRUE(enqueue_into(*store_with({}), new_job(1)));
  const auto copy = copy_in(*store_with(keys('1')), new_job(1).id, new_job(2).id);
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().code, ErrorCode::bad_seal);
}

// A store into which somebody enqueues just before the marks are written.
class BusyStore final : public Store {
 public:
  BusyStore(Store& store, std::function<void()> before_write)
      : store_(store), before_write_(std::move(before_write)) {}
  void read(FunctionRef<void(JobReader&)> work) override { store_.read(work); }
  void write(Durability durability, FunctionRef<void(StoreWriter&)> work) override {
    if (before_write_) std::exchange(before_write_, nullptr)();
    store_.write(durability, work);
  }
  void sync() override {}
  Result<std::string> outbox_row(const NewJob& job) override { return store_.outbox_row(job); }
  std::int64_t change_counter() override { return store_.change_counter(); }
  void checkpoint(std::int64_t) override {}
  bool tidy() override { return false; }
  TenantRegistry& registry() override { return store_.registry(); }
  std::unique_ptr<TenantRegistry> audited_registry(AuditEntry entry, const Clock& clock) override {
    return store_.audited_registry(std::move(entry), clock);
  }

 private:
  Store& store_;
  std::function<void()> before_write_;
};

TEST_F(SealedFile, SEC_14_WhatIsEnqueuedWhileAKeyComesInForceIsNotLeftBehind) {
  const auto store = store_with({});
  BusyStore busy(*store, [&] { ASSERT_TRUE(enqueue_into(*store, new_job(1))); });
  EXPECT_EQ(refusal_of([&] { put_in_force(busy, keys('1')); }), ErrorCode::bad_configuration);
  EXPECT_EQ(marks_in(*store), SealMarks{});
}

}  // namespace
}  // namespace tenure::testing
