#include "file_program.hpp"

#include <tenure/queue/copies.hpp>
#include <tenure/queue/dispatcher_lock.hpp>

#include <chrono>
#include <filesystem>
#include <optional>

// `tenure store restore`, and what the doctor says of a control database that was put back from a copy.
namespace tenure::cli {
namespace {

using std::chrono::days;
using ::testing::HasSubstr;
using ::testing::Not;

class StoreRestore : public FileProgram {
 protected:
  StoreRestore() { EXPECT_EQ(run({"tenant", "create", "acme", "globex"}), 0) << output.error; }

  void put_copy_back() {
    EXPECT_EQ(run({"store", "backup", copy}), 0) << output.error;
    store.reset();
    for (const char* const ending : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + ending);
    std::filesystem::copy_file(copy, path);
    std::filesystem::remove(copy);
  }

  const std::string copy = (folder / "copy.db").string();
};

TEST_F(StoreRestore, MakesTheCopyTheControlDatabaseOnceAndRecordsIt) {
  EXPECT_EQ(run({"store", "restore"}), 1);
  EXPECT_THAT(output.error, HasSubstr("NoCopy"));
  EXPECT_THAT(output.error, HasSubstr("is no copy that waits to be accepted"));
  put_copy_back();
  EXPECT_EQ(run({"store", "restore", "--reason", "disk 2 died"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("this is the control database now, from a copy of "));
  EXPECT_THAT(output.out, HasSubstr(": epoch 2; tenured looks at 2 tenants' databases when it starts\n"));
  EXPECT_EQ(run({"store", "audit", "verb=store restore", "--columns", "count,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("epoch 2, from a copy of "));
  EXPECT_THAT(output.out, HasSubstr("disk 2 died"));
  EXPECT_EQ(run({"store", "restore"}), 1) << "it is one already";

  put_copy_back();
  EXPECT_EQ(run({"store", "restore", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"({"schema":"tenure.store.restore/1","item":{"path":")"));
  EXPECT_THAT(output.out, HasSubstr(R"(,"epoch":3,"copied":")"));
  EXPECT_THAT(output.out, HasSubstr(R"("marked":2}})"));
}

TEST_F(StoreRestore, AnOldCopyIsRefusedUntilRepeatsAreAccepted) {
  put_copy_back();
  clock.advance(days{8});
  EXPECT_EQ(run({"store", "restore"}), 78);
  EXPECT_THAT(output.error, HasSubstr("AccessRefused: the control database is a copy of "));
  EXPECT_THAT(output.error, HasSubstr("8 days ago"));
  EXPECT_EQ(run({"store", "restore", "--accept-repeats"}), 0) << output.error;
}

TEST_F(StoreRestore, WhileADispatcherHasTheLockNothingIsAccepted) {
  put_copy_back();
  const auto lock = queue::try_lock_dispatcher_file(path);
  ASSERT_TRUE(lock);
  EXPECT_EQ(run({"store", "restore"}), 75);
  EXPECT_THAT(output.error, HasSubstr("systemctl stop tenured"));
}

TEST_F(StoreRestore, TheDoctorSaysWhatThereIsToBeDoneAndWhatWasLost) {
  EXPECT_EQ(run({"doctor", "restore"}), 0);
  EXPECT_EQ(output.out, "ok    restore   it was never put back from a copy\n");
  put_copy_back();
  EXPECT_EQ(run({"doctor", "restore"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  restore   this is a copy of "));
  EXPECT_THAT(output.out, HasSubstr("on which tenured has not started yet  -> systemctl start tenured"));
  clock.advance(days{8});
  EXPECT_EQ(run({"doctor", "restore"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  restore   the control database is a copy of "));
  EXPECT_THAT(output.out, HasSubstr("-> tenure store restore --accept-repeats"));

  EXPECT_EQ(run({"store", "restore", "--accept-repeats"}), 0) << output.error;
  EXPECT_EQ(run({"doctor", "restore"}), 0);
  EXPECT_THAT(output.out, HasSubstr("epoch 2; 2 tenants' databases are still to be looked at"));
  store = queue::open_sqlite_store({.path = path}, clock);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_EQ(writer.note_lost_rows({TenantName{"acme"}, Generation{1}}, queue::OutboxSeq{3}, clock.wall()),
              3);
    std::vector<queue::OutboxMarkNumber> numbers;
    for (std::int64_t number = 1; number < 100; ++number) numbers.emplace_back(number);
    writer.unmark_outbox(numbers);
  });
  EXPECT_EQ(run({"doctor", "restore"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  restore   3 rows of the outbox of acme are in neither database"));
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant outbox acme"));
  EXPECT_THAT(output.out, HasSubstr("ok    restore   put back on "));
  clock.advance(days{8});
  EXPECT_EQ(run({"doctor", "restore"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("neither database"))) << "it has been seen, or never will be";
}

TEST_F(StoreRestore, OfACopyThatIsLookedAtNothingIsToBeDone) {
  EXPECT_EQ(run({"store", "backup", copy}), 0) << output.error;
  clock.advance(days{30});
  EXPECT_EQ(run({"doctor", "restore", "--store", copy, "--offline"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    restore   it was never put back from a copy"));
}

}  // namespace
}  // namespace tenure::cli
