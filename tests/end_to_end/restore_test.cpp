#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// The control database is put back from a copy beside tenants' databases that have gone on.
namespace tenure::testing {
namespace {

using queue::JobId;
using queue::JobReader;
using queue::ShownState;

constexpr sqlite::Query kAgeCopy{"age_copy", "update meta set value = value - ?1 where name = 'copied_us'"};
constexpr sqlite::Query kAnyRow{"any_row", "select 1 from tenure_outbox"};
constexpr sqlite::Query kTakeOff{"take_off", "delete from meta where name = 'copied_us'"};

class RestoreTest : public Installation {
 protected:
  void start() { daemon_ = start_daemon(); }
  void stop() {
    daemon_->signal(SIGTERM);
    ASSERT_EQ(daemon_->wait(), "exit 0") << daemon_->output();
    daemon_.reset();
  }
  void back_up() { ASSERT_EQ(tenure({"store", "backup", copy_.string()}), "exit 0") << output_; }
  // As the manual says it, with nobody who has it open.
  void put_back() {
    close_own();
    for (const char* const ending : {"-wal", "-shm"}) std::filesystem::remove(control().string() + ending);
    std::filesystem::copy_file(copy_, control(), std::filesystem::copy_options::overwrite_existing);
  }
  JobId done(const std::string& name) {
    const JobId job = enqueue(Count{name});
    expect_state(job, ShownState::succeeded);
    return job;
  }
  // An application commits so many jobs in a transaction of acme and is killed before it has brought them.
  void leave_rows(int count) {
    Process application({OUTBOX_WRITER, config_file().string(), std::to_string(count)},
                        folder_ / "application");
    ASSERT_EQ(application.wait(), "signal 9") << application.output();
  }
  std::size_t jobs_there() {
    std::size_t count = 0;
    store().read([&](JobReader& reader) { count = reader.list_jobs({}, {}, {}).jobs.size(); });
    return count;
  }
  bool is_said(std::string_view text) const { return output_.find(text) != std::string::npos; }
  bool is_logged(std::string_view text) const { return daemon_->output().find(text) != std::string::npos; }
  void with_copy(const sqlite::Query& query, std::optional<std::chrono::microseconds> by = {}) const {
    sqlite::Connection connection(control(), {});
    auto statement = connection.statement(query);
    if (by) statement.bind(by->count());
    statement.run();
  }

  const std::filesystem::path copy_ = folder_ / "copy.db";
  std::unique_ptr<Process> daemon_;
};

TEST_F(RestoreTest, RUN_25_RerunsMeetTheirReceiptsAndAnOlderCopyIsRefusedUntilRepeatsAreAccepted) {
  configure();
  start();
  done("before");
  const JobId waits = enqueue(Wait{.name = "waits"});
  static_cast<void>(wait_for_start_of("waits"));
  const JobId later = enqueue(Count{"later"}, {.run_in = std::chrono::hours{1}});
  back_up();
  let_go("waits");
  expect_state(waits, ShownState::succeeded);
  EXPECT_EQ(tenure({"job", "run", later.text()}), "exit 0");
  expect_state(later, ShownState::succeeded);
  const JobId lost = done("lost");
  stop();

  put_back();
  start();
  EXPECT_TRUE(is_logged("store.restored")) << daemon_->output();
  expect_state(waits, ShownState::succeeded);  // it ran when the copy was made
  EXPECT_EQ(tenure({"job", "run", later.text()}), "exit 0");
  expect_state(later, ShownState::succeeded);
  for (const char* const name : {"before", "waits", "later", "lost"}) EXPECT_EQ(runs_of(name), 1) << name;
  EXPECT_EQ(tenure({"job", "show", lost.text()}), "exit 1") << "it came behind the copy";
  EXPECT_EQ(tenure({"doctor", "restore"}), "exit 0") << output_;
  EXPECT_TRUE(is_said("epoch 2")) << output_;
  stop();

  put_back();
  with_copy(kAgeCopy, std::chrono::days{8});
  const auto refused = start_daemon(false);
  EXPECT_EQ(refused->wait(), "exit 78");
  for (const char* const said :
       {"AccessRefused", "8 days ago", "done a second time", "tenure store restore --accept-repeats"})
    EXPECT_NE(refused->output().find(said), std::string::npos) << said << refused->output();
  EXPECT_EQ(tenure({"doctor", "restore"}), "exit 1");
  EXPECT_EQ(tenure({"store", "restore"}), "exit 78");
  EXPECT_EQ(tenure({"store", "restore", "--accept-repeats", "--reason", "nothing newer is left"}), "exit 0")
      << output_;
  EXPECT_TRUE(is_said("epoch 2")) << output_;
  start();
  expect_state(waits, ShownState::succeeded);
  EXPECT_EQ(tenure({"store", "restore"}), "exit 75") << "tenured has the lock";
  stop();
  EXPECT_EQ(tenure({"store", "restore", "--accept-repeats"}), "exit 1") << "it is no copy any more";
}

TEST_F(RestoreTest, OBX_15_EachOutboxIsLookedAtOnceLossesAreCountedAndTheNextComes) {
  configure();
  start();
  leave_rows(1);
  EXPECT_TRUE(wait_until([&] { return runs_of("left-0") == 1; })) << daemon_->output();
  back_up();
  leave_rows(3);  // they come into what is lost with the control database
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 4; })) << daemon_->output();
  stop();
  leave_rows(2);  // they lie in acme's database, and its mark is lost too

  put_back();
  start();
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 3; })) << daemon_->output();
  EXPECT_TRUE(wait_until([&] { return is_logged("outbox.rows_missing"); }));
  EXPECT_TRUE(is_logged("3 numbers of a tenant's outbox")) << daemon_->output();
  EXPECT_TRUE(wait_until([&] {
    return tenure({"doctor", "restore"}) == "exit 0" && !is_said("still to be");
  })) << output_;
  EXPECT_TRUE(is_said("3 rows of the outbox of acme are in neither database")) << output_;
  EXPECT_EQ(tenure({"tenant", "outbox", "acme"}), "exit 0");
  EXPECT_TRUE(is_said("lost        3 rows are in neither database")) << output_;
  EXPECT_EQ(tenure({"store", "audit", "verb=outbox lost"}), "exit 0");
  EXPECT_TRUE(is_said("acme, generation 1")) << output_;

  leave_rows(1);
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 4; })) << daemon_->output();
  stop();

  put_back();  // now all of them are gone from both
  start();
  EXPECT_TRUE(wait_until([&] { return is_logged("6 numbers of a tenant's outbox"); })) << daemon_->output();
  EXPECT_EQ(jobs_there(), 1U);
  stop();
}

// Nothing in such a file says that it is a copy. What is to be noticed are the numbers.
TEST_F(RestoreTest, ACopyThatTellsOfNoneIsNoticedByTheNumbersOfTheNextRows) {
  configure();
  start();
  leave_rows(1);
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 1; })) << daemon_->output();
  back_up();
  leave_rows(2);
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 3; })) << daemon_->output();
  stop();
  put_back();
  with_copy(kTakeOff);
  start();
  EXPECT_FALSE(is_logged("store.restored"));
  leave_rows(1);
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 2; })) << daemon_->output();
  EXPECT_TRUE(wait_until([&] { return is_logged("outbox.rows_missing"); })) << daemon_->output();
  stop();
}

TEST_F(RestoreTest, OBX_15_AnOlderCopyOfATenantIsTakenWithWhatWasDeliveredDroppedAndTheNextComes) {
  const std::filesystem::path database = folder_ / "tenants/acme.db";
  const std::filesystem::path older = folder_ / "older.db";
  configure({.program = "/bin/false"});
  leave_rows(1);
  {
    EXPECT_TRUE(sqlite::Connection(database, {}).statement(kAnyRow).step());
  }  // and its log is moved into it
  ASSERT_FALSE(std::filesystem::exists(database.string() + "-wal"));
  std::filesystem::copy_file(database, older);  // with the row
  start();
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 1; })) << daemon_->output();
  leave_rows(2);
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 3; })) << daemon_->output();
  stop();
  std::filesystem::copy_file(older, database, std::filesystem::copy_options::overwrite_existing);

  start();
  EXPECT_TRUE(wait_until([&] { return tenure({"doctor", "tenants"}) == "exit 1"; })) << daemon_->output();
  EXPECT_EQ(tenure({"tenant", "recheck", "acme"}), "exit 1") << output_;
  EXPECT_TRUE(is_said("--accept-older")) << output_;
  EXPECT_EQ(tenure({"tenant", "recheck", "acme", "--accept-older", "--yes"}), "exit 0") << output_;
  EXPECT_TRUE(
      is_said("its outbox has given 1 numbers, and 3 were taken over; 1 of those lay there and are deleted"))
      << output_;
  leave_rows(1);
  EXPECT_TRUE(wait_until([&] { return jobs_there() == 4; })) << daemon_->output();
  // Its row goes behind the commit by which the job has come.
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(tenure({"tenant", "outbox", "acme"}), "exit 0");
    return is_said("rows        none");
  })) << output_;
  EXPECT_FALSE(is_said("lost  ")) << output_;
  stop();
}

}  // namespace
}  // namespace tenure::testing
