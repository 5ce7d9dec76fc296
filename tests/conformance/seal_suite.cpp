#include "store_suite.hpp"

#include <tenure/base/limits.hpp>
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

std::optional<ErrorCode> retry_in(Store& store, JobId id) {
  std::optional<ErrorCode> code;
  store.write(Durability::ordered, [&](StoreWriter& writer) {
    if (const auto retried = writer.retry_by_operator(id, kNow); !retried) code = retried.error().code;
  });
  return code;
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

constexpr std::size_t kPayloadOfTests = 1000;

struct KeyedStoreFactory {
  std::string_view name;
  std::unique_ptr<Store> (*make)(const std::filesystem::path& folder, const KeyRing& ring,
                                 std::size_t payload_max);
  friend std::ostream& operator<<(std::ostream& out, const KeyedStoreFactory& factory) {
    return out << factory.name;
  }
};

class SealSuite : public ::testing::TestWithParam<KeyedStoreFactory> {
 protected:
  std::unique_ptr<Store> store_with(const KeyRing& ring, std::size_t payload_max = kPayloadOfTests) {
    return GetParam().make(folder_.path(), ring, payload_max);
  }
  TemporaryFolder folder_;
};

// A store whose key is by the digit '1', and which holds a cancelled job that was sealed by another.
class ForgedJob {
 public:
  explicit ForgedJob(const std::function<std::unique_ptr<Store>(const KeyRing&)>& make)
      : key_(std::make_shared<SecretKey>(value_or_raise(SecretKey::from_text(key_text('2'))))),
        store_(make({key_, nullptr})) {
    value_or_raise(enqueue_into(*store_, new_job(1)));
    cancel_in(*store_, new_job(1).id);
    *key_ = value_or_raise(SecretKey::from_text(key_text('1')));
  }
  [[nodiscard]] Store& store() const { return *store_; }
  void in_force(const KeyRing& ring) const {
    store_->write(Durability::durable, [&](StoreWriter& writer) {
      writer.set_seal_marks({ring.mark_of_current(), ring.mark_of_previous()});
    });
  }

 private:
  std::shared_ptr<SecretKey> key_;
  std::unique_ptr<Store> store_;
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

// Who goes on behind a refused row would give all of them up.
TEST_P(SealSuite, WhoHasNoKeyTakesNothingOverForARestoreAndNoRowIsRefused) {
  const auto store = store_with({});
  store->write(Durability::durable, [](StoreWriter& writer) {
    writer.set_seal_marks({keys('1').mark_of_current(), std::nullopt});
  });
  const TenantRecord acme = value_or_raise(store->registry().begin_create(TenantName{"acme"}, kNow));
  value_or_raise(store->registry().activate(acme.name, acme.generation));
  NewJob job = new_job(1);
  job.tenant = acme.name;
  job.generation = acme.generation;
  const OutboxRows rows{.newest = OutboxSeq{1}, .rows = {{OutboxSeq{1}, write_outbox_row(job, {})}}};
  const auto refused = refusal_of([&] {
    store->write(Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(writer.begin_restore(
          {.tenant = acme.name, .copied = kNow, .copied_generation = acme.generation}, kNow));
      static_cast<void>(writer.relay_for_restore({acme.name, acme.generation}, rows, kNow));
    });
  });
  EXPECT_EQ(refused, ErrorCode::bad_configuration);
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

// Or whoever can only write rows would get a good seal for his by an operator's hand.
TEST_P(SealSuite, OfAForgedJobNoCopyIsMadeWhileAKeyIsInForceAndNeverASealedOne) {
  const ForgedJob forged([&](const KeyRing& ring) { return store_with(ring); });
  forged.in_force(keys('1'));
  const auto refused = copy_in(forged.store(), new_job(1).id, new_job(2).id);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_seal);
  forged.in_force({});
  ASSERT_TRUE(copy_in(forged.store(), new_job(1).id, new_job(2).id));
  EXPECT_FALSE(envelope_in(forged.store(), new_job(2).id).seal.has_value());
  ASSERT_TRUE(enqueue_into(forged.store(), new_job(3)));
  ASSERT_TRUE(copy_in(forged.store(), new_job(3).id, new_job(4).id));
  EXPECT_TRUE(check_seal(envelope_in(forged.store(), new_job(4).id), keys('1')));
}

TEST_P(SealSuite, AForgedJobIsNotRetriedWhileAKeyIsInForce) {
  const ForgedJob forged([&](const KeyRing& ring) { return store_with(ring); });
  forged.in_force(keys('1'));
  EXPECT_EQ(retry_in(forged.store(), new_job(1).id), ErrorCode::bad_seal);
  forged.store().read([](JobReader& reader) {
    EXPECT_EQ(reader.find_job(new_job(1).id).value().state, ShownState::cancelled);
  });
  ASSERT_TRUE(enqueue_into(forged.store(), new_job(2)));
  cancel_in(forged.store(), new_job(2).id);
  EXPECT_EQ(retry_in(forged.store(), new_job(2).id), std::nullopt);
  forged.in_force(keys('3'));
  cancel_in(forged.store(), new_job(2).id);
  EXPECT_EQ(retry_in(forged.store(), new_job(2).id), ErrorCode::bad_configuration)
      << "who has not the key in force cannot tell";
  forged.in_force({});
  EXPECT_EQ(retry_in(forged.store(), new_job(1).id), std::nullopt);
}

// Its jobs would be sealed anew, by who makes them.
TEST_P(SealSuite, AFanOutThatIsForgedMakesNoJobWhileAKeyIsInForce) {
  const auto key = std::make_shared<SecretKey>(value_or_raise(SecretKey::from_text(key_text('2'))));
  const auto store = store_with({key, nullptr});
  const TenantName tenant{"acme"};
  value_or_raise(store->registry().activate(
      tenant, value_or_raise(store->registry().begin_create(tenant, kNow)).generation));
  const BatchId id{new_job(1).id.uuid};
  store->write(Durability::durable, [&](StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.fan_outs().start({.id = id, .job = new_job(1)}, kNow)));
  });
  *key = value_or_raise(SecretKey::from_text(key_text('1')));
  VisitReply reply;
  store->write(Durability::durable, [&](StoreWriter& writer) {
    writer.set_seal_marks({keys('1').mark_of_current(), {}});
    const auto open = writer.fan_outs().open(FanOutsMark{-1})->fan_outs.front();
    reply = writer.fan_outs().carry_on({.fan_out = open.number, .tenants_max = 10, .jobs_max = 10}, kNow);
  });
  EXPECT_TRUE(reply.is_done);
  EXPECT_TRUE(reply.made.empty());
  EXPECT_NE(reply.why.find("WrongSeal"), std::string::npos) << reply.why;
  store->read([&](JobReader& reader) {
    const FanOutRecord record = reader.fan_outs().fan_out(id).value();
    EXPECT_EQ(record.problem, reply.why);
    EXPECT_TRUE(record.batch.cancelled.has_value());
    EXPECT_EQ(record.batch.counts.members, 0);
  });
}

TEST_P(SealSuite, ASealTakesNothingOfWhatAJobMayCarry) {
  const std::size_t head = envelope_head({new_job(1).id, std::nullopt, Generation{0}, new_job(1).kind,
                                          std::string(kPayloadOfTests / 2, '1'), std::nullopt})
                               .size();
  for (const KeyRing& ring : {KeyRing(), keys('1')}) {
    const auto store = store_with(ring);
    for (const std::size_t size : {kPayloadOfTests - 1, kPayloadOfTests, kPayloadOfTests + 1}) {
      NewJob job = new_job(static_cast<int>(size - kPayloadOfTests + 2) + (ring.has_current() ? 4 : 0));
      job.arguments.assign(size - head, '1');
      const auto enqueued = enqueue_into(*store, job);
      EXPECT_EQ(enqueued.has_value(), size <= kPayloadOfTests) << size;
      if (!enqueued) {
        EXPECT_EQ(enqueued.error().code, ErrorCode::payload_too_large);
      }
    }
  }
}

TEST_P(SealSuite, ASealedJobMayCarryAsMuchAsIsEverAllowed) {
  const std::size_t head = envelope_head({new_job(1).id, std::nullopt, Generation{0}, new_job(1).kind,
                                          std::string(limits::kPayloadMax - 1000, '1'), std::nullopt})
                               .size();
  const auto store = store_with(keys('1'), 2 * limits::kPayloadMax);
  NewJob job = new_job(1);
  job.arguments.assign(limits::kPayloadMax - head, '1');
  ASSERT_TRUE(enqueue_into(*store, job));
  EXPECT_TRUE(check_seal(envelope_in(*store, job.id), keys('1')));
  job = new_job(2);
  job.arguments.assign(limits::kPayloadMax - head + 1, '1');
  EXPECT_FALSE(enqueue_into(*store, job));
}

INSTANTIATE_TEST_SUITE_P(
    EachStore, SealSuite,
    ::testing::Values(
        KeyedStoreFactory{"Memory",
                          [](const std::filesystem::path&, const KeyRing& ring, std::size_t payload_max) {
                            return make_memory_store({.payload_max = payload_max, .keys = ring});
                          }},
        KeyedStoreFactory{
            "Sqlite",
            [](const std::filesystem::path& folder, const KeyRing& ring, std::size_t payload_max) {
              static const VirtualClock clock;
              return open_sqlite_store(
                  {.path = folder / "control.db", .create = true, .payload_max = payload_max, .keys = ring},
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

struct Killed {};

// A store to which somebody does something just before the marks are written; `dies`: its process ends right behind that commit.
class BusyStore final : public Store {
 public:
  BusyStore(Store& store, std::function<void()> before_write, bool dies = false)
      : store_(store), before_write_(std::move(before_write)), dies_(dies) {}
  void read(FunctionRef<void(JobReader&)> work) override {
    if (is_dead_) throw Killed{};
    store_.read(work);
  }
  void write(Durability durability, FunctionRef<void(StoreWriter&)> work) override {
    if (is_dead_) throw Killed{};
    if (before_write_) std::exchange(before_write_, nullptr)();
    store_.write(durability, work);
    is_dead_ = dies_;
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
  bool dies_;
  bool is_dead_ = false;
};

TEST_F(SealedFile, SEC_14_WhatIsEnqueuedWhileAKeyComesInForceIsNotLeftBehind) {
  const auto store = store_with({});
  BusyStore busy(*store, [&] { ASSERT_TRUE(enqueue_into(*store, new_job(1))); });
  EXPECT_EQ(refusal_of([&] { put_in_force(busy, keys('1')); }), ErrorCode::bad_configuration);
  EXPECT_EQ(marks_in(*store), SealMarks{});
}

TEST_F(SealedFile, SEC_14_ADispatcherThatIsKilledLeavesNoMarksOverJobsThatTheyRefuse) {
  const auto store = store_with({});
  BusyStore busy(
      *store, [&] { ASSERT_TRUE(enqueue_into(*store, new_job(1))); }, true);
  try {
    put_in_force(busy, keys('1'));
  } catch (const Error&) {  // it was refused
  } catch (const Killed&) {
  }
  EXPECT_EQ(marks_in(*store), SealMarks{});
}

TEST_F(SealedFile, WhatIsRetriedWhileAKeyComesInForceIsNotLeftBehind) {
  const auto store = store_with({});
  ASSERT_TRUE(enqueue_into(*store, new_job(1)));
  cancel_in(*store, new_job(1).id);
  ASSERT_TRUE(enqueue_into(*store_with(keys('1')), new_job(2)));
  BusyStore busy(*store, [&] { EXPECT_EQ(retry_in(*store, new_job(1).id), std::nullopt); });
  EXPECT_EQ(refusal_of([&] { put_in_force(busy, keys('1')); }), ErrorCode::bad_configuration);
  EXPECT_EQ(marks_in(*store), SealMarks{});
}

// A lane hint that nobody has taken yet names a job, and so does a claim of a dispatcher that has died.
TEST_F(SealedFile, WhatHasEndedMeanwhileKeepsNoKeyOut) {
  const auto store = store_with({});
  BusyStore busy(*store, [&] {
    ASSERT_TRUE(enqueue_into(*store, new_job(1)));
    cancel_in(*store, new_job(1).id);
    EXPECT_EQ(retry_in(*store, new_job(1).id), std::nullopt);
    cancel_in(*store, new_job(1).id);
  });
  put_in_force(busy, keys('1'));
  EXPECT_EQ(marks_in(*store).current, keys('1').mark_of_current());
}

}  // namespace
}  // namespace tenure::testing
