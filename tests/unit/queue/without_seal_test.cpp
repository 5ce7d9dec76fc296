#include <tenure/base/clock.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/temporary_folder.hpp>

// A program that was built without the seal, beside a control database in which a key is in force.
namespace tenure::queue {
namespace {

using ::testing::HasSubstr;

const SealMarks kInForce{KeyedHash{std::byte{1}}, std::nullopt};

class WithoutSeal : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Store> store_with_mark() {
    auto store = GetParam() ? make_memory_store({})
                            : open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock_);
    store->write(Durability::durable, [](StoreWriter& writer) { writer.set_seal_marks(kInForce); });
    return store;
  }
  testing::TemporaryFolder folder_;
  VirtualClock clock_;
};

TEST_P(WithoutSeal, ADispatcherDoesNotStart) {
  const auto store = store_with_mark();
  try {
    put_in_force(*store, {});
    FAIL() << "it starts";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_configuration);
    EXPECT_EQ(number_of(exit_code_of(error.code())), 78);
    EXPECT_THAT(error.what(), HasSubstr("this program was built without the seal"));
  }
  store->read([](JobReader& reader) { EXPECT_EQ(reader.seal_marks(), kInForce); });
}

TEST_P(WithoutSeal, NothingIsEnqueued) {
  const auto store = store_with_mark();
  NewJob job;
  job.id = JobId{*Uuid::parse("019cadff-0000-7000-8000-000000000001")};
  job.queue = "default";
  job.kind = "billing.send_invoice";
  job.attempts_max = 10;
  job.arguments = "{}";
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    const auto enqueued = writer.enqueue(job, {});
    ASSERT_FALSE(enqueued);
    EXPECT_EQ(enqueued.error().code, ErrorCode::bad_configuration);
    EXPECT_THAT(enqueued.error().message, HasSubstr("this program was built without the seal"));
  });
  store->read([](JobReader& reader) { EXPECT_EQ(reader.summary().jobs, 0); });
}

INSTANTIATE_TEST_SUITE_P(EachStore, WithoutSeal, ::testing::Bool(),
                         [](const auto& each) { return each.param ? "Memory" : "Sqlite"; });

}  // namespace
}  // namespace tenure::queue
