#include "sqlite/sqlite_store.hpp"

#include "sqlite/control_schema.hpp"
#include "store_suite.hpp"
#include "support/lock_waiters.hpp"
#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <thread>

// What only the store in a file has: durability, its schema, its views.
namespace tenure::testing {
namespace {

using sqlite::Connection;
using sqlite::Query;

constexpr Query kJobs{"jobs", "select count(*) from job"};
constexpr Query kClaims{"claims", "select count(*) from claim"};
constexpr Query kCancelled{"cancelled", "select count(*) from job where state = 7"};
constexpr Query kCancelAll{"cancel_all", "update job set state = 7"};
constexpr Query kDeleteNewest{"delete_newest", "delete from job where seq = 2"};
constexpr Query kDeleteAll{"delete_all", "delete from job"};
constexpr Query kDeleteFirst{"delete_first", "delete from job where seq = 1"};
constexpr Query kForgetNames{"forget_names", "delete from kind; delete from queue"};

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(bool create = false) {
    return open_sqlite_store({.path = path_, .create = create}, clock_);
  }
  // Settles and absorbs whatever there is.
  std::unique_ptr<Store> open_eager() {
    BookkeepingLimits limits;
    limits.settle.rows_idle = 1;
    return std::make_unique<SqliteStore>(SqliteStoreOptions{.path = path_, .create = true}, clock_, limits);
  }

  NewJob new_job(std::uint8_t number) {
    Uuid::Bytes bytes{};
    bytes[15] = number;
    NewJob job;
    job.id = JobId{Uuid{bytes}};
    job.queue = "default";
    job.kind = "billing.send_invoice";
    job.attempts_max = 10;
    job.due = clock_.wall();
    job.arguments = "{}";
    return job;
  }
  ClaimedJob claim(Store& store) {
    ClaimReply reply;
    store.write(Durability::ordered, [&](StoreWriter& writer) {
      const Lane lane = writer.reader().lanes(std::nullopt, 1).at(0);
      reply = writer.claim({.queue = lane.queue,
                            .priority = lane.priority,
                            .tenant = lane.tenant,
                            .kinds = {{lane.kind, {}}},
                            .count = 1,
                            .incarnation = kLife,
                            .first_counter = 1,
                            .process = kProcess},
                           clock_.wall());
    });
    return reply.jobs.at(0);
  }
  std::int64_t number(const Query& query) {
    Connection connection(path_, {});
    return connection.statement(query).row().integer(0);
  }
  void execute(const Query& script) { Connection(path_, {}).execute(script); }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
};

}  // namespace

// Whether it has jobs is asked before the writer's lock is taken, and what came in between is looked at under it.
TEST_F(SqliteStoreTest, REG_05_AJobThatComesWhileACreationIsAbandonedKeepsTheTenant) {
  const TenantName acme{"acme"};
  const auto store = open(true);
  const auto other = open();
  const auto begun = value_or_raise(store->registry().begin_create(acme, clock_.wall()));
  std::jthread abandoning;
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    abandoning = std::jthread{[&] { other->registry().abandon_create(acme, begun.generation); }};
    wait_for_lock_waiters(path_.string() + "-writers", 1);
    NewJob job = new_job(1);
    job.tenant = acme;
    value_or_raise(writer.enqueue(job, clock_.wall()));
  });
  abandoning.join();
  ASSERT_TRUE(store->registry().find(acme));
  EXPECT_EQ(store->registry().find(acme)->state, TenantState::provisioning);
}

// What one enqueue has read of its tenant serves the next ones, until anybody changes a tenant in whatever way.
TEST_F(SqliteStoreTest, AnEnqueueKnowsOfEveryChangeOfItsTenant) {
  static constexpr Query kDrain{"drain_acme", "update tenant set state = 7 where name = 'acme'"};
  static constexpr Query kDelete{"delete_acme", "update tenant set state = 8 where name = 'acme'"};
  const TenantName acme{"acme"};
  const auto store = open(true);
  const auto other = open();
  const auto create = [&] {
    const auto begun = value_or_raise(other->registry().begin_create(acme, clock_.wall()));
    value_or_raise(other->registry().activate(acme, begun.generation));
  };
  std::uint8_t number = 0;
  const auto enqueue = [&] {
    NewJob job = new_job(++number);
    job.tenant = acme;
    Result<Enqueued> result;
    store->write(Durability::ordered,
                 [&](StoreWriter& writer) { result = writer.enqueue(job, clock_.wall()); });
    return result;
  };
  create();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(value_or_raise(enqueue()).generation, Generation{1});
  execute(kDrain);
  EXPECT_EQ(enqueue().error().code, ErrorCode::tenant_not_ready);
  execute(kDelete);
  EXPECT_EQ(enqueue().error().code, ErrorCode::tenant_deleted);
  create();
  EXPECT_EQ(value_or_raise(enqueue()).generation, Generation{2});
}

TEST_F(SqliteStoreTest, ENQ_03_AlreadyThereIsSyncedThoughNothingWasWritten) {
  std::atomic<int> wal_syncs = 0;
  ShimVfs shim([&](const ShimVfs::Event& event) {
    if (event.call == ShimVfs::Call::sync && event.file == ShimVfs::File::wal) ++wal_syncs;
    return 0;
  });
  const auto store = open(true);
  const auto other = open();
  const NewJob job = new_job(1);
  other->write(Durability::ordered,
               [&](StoreWriter& writer) { value_or_raise(writer.enqueue(job, clock_.wall())); });
  const int before = wal_syncs;
  store->write(Durability::durable, [&](StoreWriter& writer) {
    EXPECT_TRUE(value_or_raise(writer.enqueue(job, clock_.wall())).existed);
  });
  EXPECT_GT(wal_syncs, before);
  const int after = wal_syncs;
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    EXPECT_TRUE(value_or_raise(writer.enqueue(job, clock_.wall())).existed);
  });
  EXPECT_EQ(wal_syncs, after) << "ordered asks for none";
  store->sync();
  EXPECT_GT(wal_syncs, after);
}

TEST_F(SqliteStoreTest, ENQ_13_AfterAFailedCommitTheSameEnqueueWorksAndItsNewNamesAreStored) {
  constexpr int kDiskFull = 13;  // SQLite's number for it
  std::atomic<bool> is_full = false;
  ShimVfs shim([&](const ShimVfs::Event& event) {
    const bool grows_wal = event.call == ShimVfs::Call::write && event.file == ShimVfs::File::wal;
    return is_full && grows_wal ? kDiskFull : 0;
  });
  const auto store = open(true);
  const NewJob job = new_job(1);
  const auto enqueue = [&] {
    store->write(Durability::durable,
                 [&](StoreWriter& writer) { value_or_raise(writer.enqueue(job, clock_.wall())); });
  };
  is_full = true;
  EXPECT_THROW(enqueue(), DiskError);
  is_full = false;
  enqueue();
  store->read([&](JobReader& reader) {
    const auto found = reader.find_job(job.id);
    ASSERT_TRUE(found) << "a number whose name was rolled back is no queue's";
    EXPECT_EQ(found->queue, job.queue);
    EXPECT_EQ(found->kind, job.kind);
  });
}

TEST_F(SqliteStoreTest, CLM_27_AnUndisturbedJobsRowIsWrittenAtItsEnqueueAndAtItsEndOnly) {
  const auto store = open_eager();
  execute({"count_writes", R"sql(
    create table job_write(seq);
    create trigger job_inserted after insert on job begin insert into job_write values (new.seq); end;
    create trigger job_updated after update on job begin insert into job_write values (new.seq); end)sql"});
  constexpr Query kWrites{"writes", "select count(*) from job_write"};
  constexpr Query kAttemptRows{"attempt_rows", "select count(*) from attempt"};
  const auto write = [&](auto work) { store->write(Durability::ordered, work); };
  write([&](StoreWriter& writer) { value_or_raise(writer.enqueue(new_job(1), clock_.wall())); });
  EXPECT_EQ(number(kWrites), 1);
  const ClaimedJob first = claim(*store);
  EXPECT_EQ(number(kWrites), 1);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.release({first.seq, first.token}, false, {}, clock_.wall()));
  });
  EXPECT_EQ(number(kWrites), 1) << "it was not started";
  const ClaimedJob second = claim(*store);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded({second.seq, second.token}, clock_.wall()));
  });
  EXPECT_EQ(number(kWrites), 1);
  while (store->tidy()) continue;
  EXPECT_EQ(number(kWrites), 2) << "settled";
  EXPECT_EQ(number(kAttemptRows), 0);
}

// The row and the index of ids; more where a page is full, once in some ten jobs.
TEST_F(SqliteStoreTest, ALoneEnqueueWritesTwoPagesAndThreeOnAverageAtMost) {
  constexpr int kJobs = 200;
  constexpr std::int64_t kFrameBytes = 4096 + 24;
  const auto store = open(true);
  const auto wal_bytes = [&] {
    return static_cast<std::int64_t>(std::filesystem::file_size(path_.string() + "-wal"));
  };
  int twos = 0;
  std::int64_t frames = 0;
  for (int i = 0; i < kJobs; ++i) {
    const std::int64_t before = wal_bytes();
    store->write(Durability::durable, [&](StoreWriter& writer) {
      NewJob job = new_job(static_cast<std::uint8_t>(i));
      job.arguments.assign(200, '1');
      value_or_raise(writer.enqueue(job, clock_.wall()));
    });
    const std::int64_t written = (wal_bytes() - before) / kFrameBytes;
    frames += written;
    if (written == 2) ++twos;
  }
  EXPECT_GT(twos, kJobs * 3 / 4);
  EXPECT_LE(frames, 3 * kJobs);
}

TEST_F(SqliteStoreTest, ENQ_01_EverythingIsThereAfterOpeningAgain) {
  const NewJob job = new_job(1);
  {
    const auto store = open(true);
    store->write(Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(writer.enqueue(job, clock_.wall()));
      static_cast<void>(writer.open_incarnation(5, "app-1", 42, clock_.wall()));
    });
  }
  const auto store = open();
  store->read([&](JobReader& reader) {
    EXPECT_TRUE(reader.find_job(job.id));
    EXPECT_EQ(reader.summary().last_holder->incarnation, Incarnation{5});
    EXPECT_EQ(reader.summary().schema_version, std::ssize(control_migrations()));
    EXPECT_EQ(reader.summary().path, path_.string());
    EXPECT_GT(reader.summary().size_bytes, 0);
  });
}

TEST_F(SqliteStoreTest, ASequenceIsNeverGivenOutTwice) {
  const auto store = open(true);
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    EXPECT_EQ(value_or_raise(writer.enqueue(new_job(1), clock_.wall())).seq, JobSeq{1});
    EXPECT_EQ(value_or_raise(writer.enqueue(new_job(2), clock_.wall())).seq, JobSeq{2});
  });
  EXPECT_THROW(execute(kDeleteNewest), Error);
  EXPECT_THROW(execute(kDeleteAll), Error);
  EXPECT_EQ(number(kJobs), 2);
  execute(kDeleteFirst);
  EXPECT_EQ(number(kJobs), 1);
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    EXPECT_EQ(value_or_raise(writer.enqueue(new_job(3), clock_.wall())).seq, JobSeq{3});
  });
}

TEST_F(SqliteStoreTest, ARowOfALaneWithoutItsJobIsTakenOutAndStopsNobody) {
  const auto store = open(true);
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    value_or_raise(writer.enqueue(new_job(1), clock_.wall()));
    value_or_raise(writer.enqueue(new_job(2), clock_.wall()));
    static_cast<void>(writer.reader().lanes(std::nullopt, 1));
  });
  ASSERT_TRUE(store->tidy()) << "both are absorbed";
  execute(kDeleteFirst);
  EXPECT_EQ(claim(*store).id, new_job(2).id);
  EXPECT_EQ(number({"ready_rows_left", "select count(*) from ready"}), 0);
}

TEST_F(SqliteStoreTest, AClaimOnAJobThatIsNotReadyIsLostAndGone) {
  using Verb = std::function<std::optional<ErrorCode>(StoreWriter&, ClaimRef)>;
  const auto code = [](const auto& result) {
    return result ? std::nullopt : std::optional{result.error().code};
  };
  const WallTime now = clock_.wall();
  const std::vector<Verb> verbs{
      [&](StoreWriter& writer, ClaimRef claim) { return code(writer.finish_succeeded(claim, now)); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return code(writer.finish(claim, JobState::dead, JobReason::permanent_error, {}, now));
      },
      [&](StoreWriter& writer, ClaimRef claim) { return code(writer.retry(claim, now, {}, now)); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return code(writer.block(claim, JobReason::envelope_newer));
      },
      [&](StoreWriter& writer, ClaimRef claim) { return code(writer.release(claim, false, {}, now)); },
      [&](StoreWriter& writer, ClaimRef claim) { return code(writer.release(claim, true, {}, now)); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return code(writer.reclaim(claim, CrashCharge::none, {}, now));
      },
      [&](StoreWriter& writer, ClaimRef claim) {
        return code(writer.reclaim(claim, CrashCharge::counted, {}, now));
      }};
  const auto store = open(true);
  std::uint8_t next = 0;
  for (const Verb& verb : verbs) {
    const bool looks_at_the_job = next > 0;
    store->write(Durability::ordered, [&](StoreWriter& writer) {
      value_or_raise(writer.enqueue(new_job(++next), clock_.wall()));
    });
    const ClaimedJob job = claim(*store);
    execute(kCancelAll);
    store->write(Durability::ordered, [&](StoreWriter& writer) {
      EXPECT_EQ(verb(writer, {job.seq, job.token}),
                looks_at_the_job ? std::optional{ErrorCode::claim_lost} : std::nullopt);
    });
    EXPECT_EQ(number(kClaims), 0);
    EXPECT_EQ(number(kCancelled), next);
  }
}

TEST_F(SqliteStoreTest, AKindThatLostItsNameIsNamedSoThatNobodyClaimsIt) {
  {
    const auto store = open(true);
    store->write(Durability::ordered,
                 [&](StoreWriter& writer) { value_or_raise(writer.enqueue(new_job(1), clock_.wall())); });
  }
  execute(kForgetNames);
  const auto store = open();
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    const Lane lane = writer.reader().lanes(std::nullopt, 1).at(0);
    EXPECT_EQ(writer.reader().kind_name(lane.kind), "(kind 1 is missing)");
    EXPECT_EQ(writer.reader().queue_name(lane.queue), "(queue 1 is missing)");
  });
  store->read([&](JobReader& reader) {
    const auto job = reader.find_job(new_job(1).id);
    ASSERT_TRUE(job);  // an operator must find what waits there
    EXPECT_EQ(job->kind, "(kind 1 is missing)");
    EXPECT_EQ(job->queue, "(queue 1 is missing)");
  });
}

TEST_F(SqliteStoreTest, ACheckpointThatFailsDoesNotUndoTheCommitBeforeIt) {
  bool fails = false;
  int failed = 0;
  ShimVfs shim([&](const ShimVfs::Event& event) {
    if (!fails || event.call != ShimVfs::Call::write || event.file != ShimVfs::File::database) return 0;
    ++failed;
    return 10 | (3 << 8);  // SQLITE_IOERR_WRITE
  });
  const auto store = open(true);
  fails = true;
  const std::string arguments(200'000, '7');
  for (std::uint8_t number = 1; number <= 100; ++number) {  // 20 MB, past the 12 MiB of an own checkpoint
    store->write(Durability::durable, [&](StoreWriter& writer) {
      NewJob job = new_job(number);
      job.arguments = arguments;
      value_or_raise(writer.enqueue(job, clock_.wall()));
    });
  }
  fails = false;
  EXPECT_GT(failed, 0);
  EXPECT_EQ(number(kJobs), 100);
}

TEST_F(SqliteStoreTest, TheWaitForTheTurnHasLimits) {
  using std::chrono::milliseconds;
  const auto opened = [&](milliseconds wait) {
    return open_sqlite_store({.path = path_, .create = true, .turn_wait_max = wait}, clock_);
  };
  EXPECT_NO_THROW(opened(milliseconds{0}));
  EXPECT_NO_THROW(opened(kTurnWaitMax));
  EXPECT_THROW(opened(milliseconds{-1}), Error);
  EXPECT_THROW(opened(kTurnWaitMax + milliseconds{1}), Error);
  EXPECT_THROW(opened(milliseconds::max()), Error);
}

TEST_F(SqliteStoreTest, OpeningNeverCreates) {
  EXPECT_THROW(static_cast<void>(open()), DatabaseMissing);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteStoreTest, ANewerSchemaIsRefused) {
  static_cast<void>(open(true));
  execute({"newer",
           "insert into tenure_migration(number, name, hash, applied_us) select max(number) + 1, "
           "'later.sql', 'x', 0 "
           "from tenure_migration"});
  EXPECT_THROW(static_cast<void>(open()), SchemaMismatch);
}

TEST_F(SqliteStoreTest, ACheckpointIsMadeOnlyWhereTheLogHasGrown) {
  const auto store = open(true);
  NewJob large = new_job(1);
  large.arguments.assign(100'000, '1');
  store->write(Durability::durable,
               [&](StoreWriter& writer) { value_or_raise(writer.enqueue(large, clock_.wall())); });
  StoreSummary summary;
  const auto look = [&] { store->read([&](JobReader& reader) { summary = reader.summary(); }); };
  look();
  ASSERT_GT(summary.wal_bytes, 0);
  const auto database_bytes = std::filesystem::file_size(path_);
  store->checkpoint(1LL << 30U);
  EXPECT_EQ(std::filesystem::file_size(path_), database_bytes) << "below the limit";
  store->checkpoint(0);
  EXPECT_GT(std::filesystem::file_size(path_), database_bytes);
  look();
  EXPECT_EQ(summary.jobs, 1);
}

TEST_F(SqliteStoreTest, ThePayloadLimitIsConfigurableAndNeverAboveTheGreatest) {
  static_cast<void>(open(true));
  const auto refused = [&](std::size_t payload_max, std::size_t arguments) {
    const auto store = open_sqlite_store({.path = path_, .payload_max = payload_max}, clock_);
    NewJob job = new_job(static_cast<std::uint8_t>(arguments % 251));
    job.arguments.assign(arguments, '1');
    std::optional<ErrorCode> code;
    store->write(Durability::ordered, [&](StoreWriter& writer) {
      if (const auto result = writer.enqueue(job, clock_.wall()); !result) code = result.error().code;
    });
    return code;
  };
  EXPECT_EQ(refused(1'000, 1'000), ErrorCode::payload_too_large);
  EXPECT_FALSE(refused(1'200, 1'000));
  EXPECT_EQ(refused(2 * limits::kPayloadMax, limits::kPayloadMax), ErrorCode::payload_too_large);
}

TEST_F(SqliteStoreTest, TheViewsShowEveryStateReasonAndOutcomeInWords) {
  const auto store = open(true);
  store->write(Durability::ordered, [&](StoreWriter& writer) {
    for (std::uint8_t i = 1; i <= 10; ++i) value_or_raise(writer.enqueue(new_job(i), clock_.wall()));
  });
  // One job in each state, in the table that holds it.
  execute({"place", R"sql(
    update job set state = 1, due_us = 1 where seq in (1, 3);
    insert into scheduled(due_us, seq, queue, priority, tenant, kind) values (1, 1, 1, 0, 0, 1);
    insert into blocked(seq, reason, queue, priority, tenant, kind, due_us) values (3, 3, 1, 0, 0, 1, 1);
    insert into ended(seq, started_us, finished_us) values (4, 1000000, 2000000);
    update job set state = seq where seq in (5, 6, 7);
    insert into claim(seq, incarnation, counter, process, started_us) values (8, 1, 1, 1, 3000000))sql"});
  constexpr Query kShow{
      "show", "select state, reason, id, tenant, queue, started, finished from jobs where seq = ?1"};
  Connection connection(path_, {});
  for (int state = 1; state <= 7; ++state) {
    auto row = connection.statement(kShow);
    row.bind(state).row();
    EXPECT_EQ(row.text(0), name_of(static_cast<JobState>(state)));
    EXPECT_EQ(row.text(2), new_job(static_cast<std::uint8_t>(state)).id.text());
    EXPECT_EQ(row.text(3), "none");
    EXPECT_EQ(row.text(4), "default");
  }
  EXPECT_EQ(connection.statement(kShow).bind(3).row().text(1), "envelope_newer");
  EXPECT_EQ(connection.statement(kShow).bind(4).row().text(6), "1970-01-01T00:00:02Z");
  EXPECT_EQ(connection.statement(kShow).bind(8).row().text(0), "running");
  EXPECT_EQ(connection.statement(kShow).bind(8).row().text(5), "1970-01-01T00:00:03Z");
  EXPECT_TRUE(connection.statement(kShow).bind(9).row().is_null(6));
  constexpr Query kSetReason{"set_reason", "update job set state = 5, reason = ?2 where seq = ?1"};
  for (int reason = 0; reason <= 9; ++reason) {
    connection.statement(kSetReason).bind(reason + 1, reason).run();
    auto row = connection.statement(kShow);
    EXPECT_EQ(row.bind(reason + 1).row().text(1), name_of(static_cast<JobReason>(reason)));
  }
  constexpr Query kAddTenant{
      "add_tenant",
      "insert into tenant(number, name, generation, state, created_us) values (?1, 't' || ?1, 1, ?1, 0)"};
  constexpr Query kShowTenant{"show_tenant", "select state from tenants where number = ?1"};
  for (int state = 1; state <= 8; ++state) {
    connection.statement(kAddTenant).bind(state).run();
    auto row = connection.statement(kShowTenant);
    EXPECT_EQ(row.bind(state).row().text(0), name_of(static_cast<TenantState>(state)));
  }
  constexpr Query kAddAttempt{"add_attempt", R"sql(
    insert into attempt(seq, number, outcome, finished_us, incarnation, counter, process) values (1, ?1, ?1, 0, 1, 1, 1))sql"};
  constexpr Query kShowAttempt{"show_attempt", "select outcome from attempts where seq = 1 and number = ?1"};
  for (int outcome = 1; outcome <= 4; ++outcome) {
    connection.statement(kAddAttempt).bind(outcome).run();
    auto row = connection.statement(kShowAttempt);
    EXPECT_EQ(row.bind(outcome).row().text(0), name_of(static_cast<AttemptOutcome>(outcome)));
  }
}

}  // namespace tenure::testing
