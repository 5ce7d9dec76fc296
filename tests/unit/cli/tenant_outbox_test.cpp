#include "file_program.hpp"
#include "outbox_rows.hpp"

// `tenure tenant outbox` and `tenure tenant recheck`, and what other verbs say of outboxes.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TenantOutbox : public FileProgram {
 protected:
  TenantOutbox() { EXPECT_EQ(run({"tenant", "create", "acme"}), 0) << output.error; }

  void leave(int seed, std::string_view of_tenant = "acme", std::string_view arguments = "{}") {
    leave_row(folder.path(), "acme", job_on_its_way(of_tenant, seed, clock.wall(), arguments));
  }
  void mark() {
    const TenantNumber number = store->registry().find(kAcme.tenant)->number;
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { writer.mark_outbox_of(number, clock.wall()); });
  }
  std::int64_t watermark() {
    std::int64_t seq = 0;
    store->read([&](queue::JobReader& reader) { seq = reader.outbox_watermark(kAcme).value; });
    return seq;
  }
  TenantState state() {
    TenantState state{};
    store->read([&](queue::JobReader& reader) { state = reader.tenant(kAcme.tenant)->tenant.state; });
    return state;
  }
  // The database has given two numbers, and three were taken over.
  void put_older_copy_in_place() {
    leave(1);
    leave(2);
    take_over_up_to(*store, "acme", 3, clock.wall());
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      writer.note_older_copy(kAcme, queue::OutboxSeq{2}, queue::OutboxSeq{3}, clock.wall());
    });
  }
  std::vector<queue::AuditRecord> audit() {
    std::vector<queue::AuditRecord> records;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(
          {}, [&](const queue::AuditRecord& record) { return records.push_back(record), true; });
    });
    return records;
  }
  // The folder has another name in each run.
  void expect_golden_without_folder(std::string_view file) {
    for (std::size_t at; (at = output.out.find(folder.path().string())) != std::string::npos;)
      output.out.replace(at, folder.path().string().size(), "FOLDER");
    expect_golden(file);
  }

  static inline const queue::OutboxOwner kAcme{TenantName::parse("acme").value(), Generation{1}};
};

TEST_F(TenantOutbox, AnEmptyOneIsSaidToBe) {
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("numbers     0 given, taken over up to 0\n"));
  EXPECT_THAT(output.out, HasSubstr("marks       none"));
  EXPECT_THAT(output.out, HasSubstr("rows        none\n"));
  EXPECT_THAT(output.out, Not(HasSubstr("in the way")));
}

TEST_F(TenantOutbox, CLI_01_ItsTextAndJsonStayAsTheyAre) {
  leave(1);
  take_over_up_to(*store, "acme", 1, clock.wall());
  leave(2, "globex");
  leave(3, "acme", R"({"a":1})");
  mark();
  clock.advance(std::chrono::seconds{90});
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0) << output.error;
  expect_golden_without_folder("tenant_outbox.txt");
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--json"}), 0) << output.error;
  expect_golden_without_folder("tenant_outbox.json");
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--limit", "1"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("and more\n"));
  EXPECT_EQ(watermark(), 1) << "it only looks";
}

TEST_F(TenantOutbox, ItSaysWhatIsInTheWayOfTheFirstRow) {
  const auto in_the_way = [&] {
    EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0) << output.error;
    const std::size_t at = output.out.find("in the way  ");
    return at == std::string::npos ? "" : output.out.substr(at, output.out.find('\n', at) - at);
  };
  leave(1);
  EXPECT_THAT(in_the_way(), HasSubstr("nobody looks for it"));
  mark();
  EXPECT_THAT(in_the_way(), HasSubstr("no dispatcher is seen to run"));
  tell_pools({});
  environment.look_at_store = [this](const std::filesystem::path&) { return store; };
  add_tenant("globex");
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    queue::NewJob other = job_on_its_way("acme", 1, clock.wall(), R"({"other":1})");
    value_or_raise(writer.enqueue(other, clock.wall()));
  });
  EXPECT_THAT(in_the_way(), HasSubstr("IdConflict: another job has this id"));
  EXPECT_THAT(in_the_way(), HasSubstr("tenure tenant outbox acme --pass-over 1"));
}

TEST_F(TenantOutbox, TheFirstRowIsGivenUpWhereItIsRefused) {
  leave(1, "globex", R"({"api_token":"s3cr3t","to":"b"})");
  leave(2, "acme", R"({"api_token":"s3cr3t"})");
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "2", "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("the first row that waits is 1, and only that one can be passed over"));
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "x", "--yes"}), 2);
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "1"}), 2) << "nobody can be asked";
  EXPECT_EQ(watermark(), 0);

  const std::size_t audited = audit().size();
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "1", "--yes", "--reason", "sent by hand"}), 0)
      << output.error;
  EXPECT_THAT(output.error, HasSubstr("row 1:\n  tenure-outbox/1 mailers 0 "));
  EXPECT_THAT(output.error, HasSubstr(R"({"api_token":"••••","to":"b"})"));
  EXPECT_THAT(output.out, HasSubstr("passed over row 1: WrongTenant"));
  EXPECT_EQ(watermark(), 1);
  EXPECT_EQ(wakes, 1);
  ASSERT_EQ(audit().size(), audited + 1);
  EXPECT_EQ(audit().front().entry.verb, "tenant outbox");
  EXPECT_EQ(audit().front().entry.reason, "sent by hand");
  EXPECT_THAT(audit().front().entry.subject,
              HasSubstr("acme, generation 1, row 1 of its outbox: WrongTenant"));

  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "2", "--yes", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("row":2,"passed_over":false,"refused":null)"));
  EXPECT_THAT(output.out, Not(HasSubstr("s3cr3t")));
  EXPECT_EQ(run({"job", "count", "queue=mailers"}), 0);
  EXPECT_EQ(output.out, "1\n") << "there was nothing wrong with it, so it is a job";
}

TEST_F(TenantOutbox, OfAnOlderCopyNothingIsPassedOver) {
  put_older_copy_in_place();
  leave(3);
  leave(4, "globex");
  const std::size_t audited = audit().size();
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "4", "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("which is an older copy"));
  EXPECT_EQ(watermark(), 3);
  EXPECT_EQ(audit().size(), audited);
}

TEST_F(TenantOutbox, WhatCannotBeReadOfARowIsNotShown) {
  leave(1, "acme", R"({"api_token":"s3cr3t"})");
  {
    sqlite::Connection raw(folder / "tenants/acme.db", {});
    raw.execute({"spoil", "update tenure_outbox set envelope = substr(envelope, 1, length(envelope) - 1)"});
  }
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "1", "--yes"}), 0) << output.error;
  EXPECT_THAT(output.error, HasSubstr("bytes that cannot be read, and so not be masked"));
  EXPECT_THAT(output.error, Not(HasSubstr("s3cr3t")));
}

TEST_F(TenantOutbox, WhoDeclinesGivesNothingUp) {
  leave(1, "globex");
  on_terminal(100);
  answer = "n";
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "1"}), 1);
  EXPECT_EQ(watermark(), 0);
  answer = "y";
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--pass-over", "1"}), 0) << output.error;
  EXPECT_EQ(watermark(), 1);
}

TEST_F(TenantOutbox, ATenantWhoseDatabaseIsAnOlderCopyIsSaidToHaveFailedForThat) {
  add_job(1, "acme", "mail.send");
  put_older_copy_in_place();
  const std::string why =
      "file_behind: its database is an older copy, whose outbox has given 2 numbers, and 3 were taken over";
  const std::string change = "put the right file in its place, then: tenure tenant recheck acme";
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("state    failed: its jobs are held (tenant_not_ready)\n"));
  EXPECT_THAT(output.out, HasSubstr("failed   " + why + "\nchange   " + change + "\n"));
  EXPECT_EQ(run({"tenant", "show", "acme", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("failed_reason":"file_behind")"));
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("failed     " + why + "\nchange     " + change + "\n"));
  EXPECT_EQ(run({"why", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("tenant_failed":"file_behind")"));
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("in the way  " + why));
  EXPECT_EQ(run({"doctor", "tenants"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  tenants   acme is failed: " + why + "  -> " + change));
}

TEST_F(TenantOutbox, TheRightFileInItsPlaceMakesItActiveAgain) {
  EXPECT_EQ(run({"tenant", "recheck", "acme"}), 1) << "it was not behind";
  put_older_copy_in_place();
  EXPECT_EQ(run({"tenant", "recheck", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("is an older copy still"));
  EXPECT_EQ(state(), TenantState::failed);

  leave(3);
  EXPECT_EQ(run({"tenant", "recheck", "acme", "--reason", "restored"}), 2) << "nobody can be asked";
  EXPECT_THAT(output.error,
              HasSubstr("3 of the rows that lie there are of jobs that the queue does not know"));
  EXPECT_EQ(state(), TenantState::failed);
  EXPECT_EQ(run({"tenant", "recheck", "acme", "--yes", "--reason", "restored"}), 0) << output.error;
  EXPECT_EQ(
      output.out,
      "acme is active: its outbox has given 3 numbers, and 3 were taken over; 3 of those still lie there\n");
  EXPECT_EQ(state(), TenantState::active);
  EXPECT_EQ(audit().front().entry.verb, "tenant recheck");
  EXPECT_EQ(audit().front().entry.reason, "restored");
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("file_behind")));
}

TEST_F(TenantOutbox, OneThatWasPausedWhenItFailedIsPausedOnceItsFileIsRightAndThatIsSaid) {
  EXPECT_EQ(run({"tenant", "pause", "acme", "--reason", "restore test"}), 0) << output.error;
  put_older_copy_in_place();
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("restore test"));
  leave(3);
  EXPECT_EQ(run({"tenant", "recheck", "acme", "--yes"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("acme is paused: its outbox has given 3 numbers"));
  EXPECT_EQ(state(), TenantState::paused);
  EXPECT_EQ(run({"tenant", "resume", "acme"}), 0);
  EXPECT_EQ(state(), TenantState::active);
}

TEST_F(TenantOutbox, OBX_15_WhereNoNewerOneIsLeftAnOlderCopyIsTakenAndItsNextJobsCome) {
  put_older_copy_in_place();
  EXPECT_EQ(run({"tenant", "recheck", "acme"}), 1);
  EXPECT_THAT(output.error,
              HasSubstr("where no newer one is left: tenure tenant recheck acme --accept-older"));
  EXPECT_EQ(run({"tenant", "recheck", "acme", "--accept-older"}), 2) << "nobody can be asked";
  EXPECT_THAT(output.error, HasSubstr("has given 2 numbers, and 3 were taken over"));
  EXPECT_EQ(state(), TenantState::failed);

  EXPECT_EQ(run({"tenant", "recheck", "acme", "--accept-older", "--yes"}), 0) << output.error;
  EXPECT_THAT(output.error,
              HasSubstr("2 of the rows that lie there are of jobs that the queue does not know"));
  EXPECT_THAT(output.error, HasSubstr("1 (" + job_on_its_way("acme", 1, clock.wall()).id.text() + ")"));
  EXPECT_EQ(output.out,
            "acme is active: its outbox has given 2 numbers, and 3 were taken over; 2 of those lay there and "
            "are deleted\n");
  EXPECT_EQ(state(), TenantState::active);
  EXPECT_THAT(audit().front().entry.subject, HasSubstr("active, an older copy of 2 numbers"));
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("numbers     3 given, taken over up to 3\n"));
  EXPECT_THAT(output.out, HasSubstr("rows        none\n"));
  leave(4);
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("numbers     4 given, taken over up to 3\n"));
}

TEST_F(TenantOutbox, OfATenantWhoseDatabaseIsTheRightOneNothingOlderIsTaken) {
  leave(1);
  EXPECT_EQ(run({"tenant", "recheck", "acme", "--accept-older", "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("was not found to be an older copy"));
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("numbers     1 given, taken over up to 0\n"));
}

TEST_F(TenantOutbox, ItSaysHowManyRowsAreInNeitherDatabase) {
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_EQ(writer.note_lost_rows(kAcme, queue::OutboxSeq{3}, clock.wall()), 3);
  });
  EXPECT_EQ(run({"tenant", "outbox", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("lost        3 rows are in neither database, found "));
  EXPECT_EQ(run({"tenant", "outbox", "acme", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("lost":3,)"));
}

TEST_F(TenantOutbox, TheDoctorSaysWhatMayBeOnItsWay) {
  EXPECT_EQ(run({"doctor", "outbox"}), 0);
  EXPECT_THAT(output.out, HasSubstr("no tenant's database is marked as holding jobs"));
  mark();
  EXPECT_EQ(run({"doctor", "outbox"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  outbox    jobs may be on their way out of 1 tenant's database"));
  EXPECT_THAT(output.out, HasSubstr("no dispatcher is seen to run  -> systemctl start tenured"));
}

}  // namespace
}  // namespace tenure::cli
