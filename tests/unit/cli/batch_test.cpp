#include "program.hpp"

#include <chrono>
#include <string>

// `tenure batch`, and what other verbs say of batches.
namespace tenure::cli {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::Not;

const BatchId kBatch{Uuid::parse("019cadff-0000-7000-8000-0000000000b1").value()};

class Batches : public Program {
 protected:
  Batches() {
    add_tenant("acme");
    open_batch("acme");
  }
  void add_member(int seed) { Program::add_member(seed, "acme"); }
  void close() { close_batch(); }
  queue::BatchRecord batch() {
    std::optional<queue::BatchRecord> record;
    store->read([&](queue::JobReader& reader) { record = reader.batches().batch(kBatch); });
    return record.value();
  }
  static std::string callback(queue::BatchMoment moment) {
    return queue::job_id_of_callback(kBatch, moment).text();
  }
};

TEST_F(Batches, AreListedAndShownWithWhatTheyWaitFor) {
  add_member(1);
  add_member(2);
  succeed(1);
  close();
  EXPECT_EQ(run({"batch", "list"}), 0) << output.error;
  expect_golden("batch_list.txt");
  EXPECT_EQ(run({"batch", "list", "--json"}), 0);
  expect_golden("batch_list.json");
  EXPECT_EQ(run({"batch", "show", kBatch.text()}), 0);
  expect_golden("batch_show.txt");
  EXPECT_EQ(run({"batch", "show", kBatch.text(), "--json"}), 0);
  expect_golden("batch_show.json");
  succeed(2);
  EXPECT_EQ(run({"batch", "show", kBatch.text()}), 0);
  expect_golden("batch_show_complete.txt");
}

TEST_F(Batches, AreFoundByAFilter) {
  EXPECT_EQ(run({"batch", "list", "state=complete"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr(kBatch.text())));
  EXPECT_EQ(run({"batch", "list", "tenant=acme", "state=open", "name=import*", "--fail-if-any"}), 1);
  EXPECT_THAT(output.out, HasSubstr(kBatch.text()));
  EXPECT_EQ(run({"batch", "list", "state=shut"}), 2);
  EXPECT_EQ(run({"batch", "show", job_id(7).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("there is no batch"));
}

TEST_F(Batches, MembersAreListedAndNameTheirBatch) {
  add_member(1);
  add_job(2, "acme", "import.file");
  succeed(1);
  EXPECT_EQ(run({"job", "list", "batch=" + kBatch.text()}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(job_id(1).text()));
  EXPECT_THAT(output.out, Not(HasSubstr(job_id(2).text())));
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("batch      " + kBatch.text() + ", import of 2026-03, open: 1 of 1 member"));
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("batch":")" + kBatch.text()));
}

TEST_F(Batches, AJobThatIsEnqueuedNamesItsBatch) {
  EXPECT_EQ(run({"job", "enqueue", "import.file", "{}", "--tenant", "acme", "--batch", kBatch.text()}), 0)
      << output.error;
  environment.read_input = [text = R"({"kind":"import.file","arguments":{},"tenant":"acme","batch":")" +
                                   kBatch.text() +
                                   "\"}\n"](std::size_t) mutable { return std::exchange(text, {}); };
  EXPECT_EQ(run({"job", "enqueue", "--lines"}), 0) << output.error << output.out;
  EXPECT_EQ(batch().counts.members, 2);
  EXPECT_EQ(run({"job", "enqueue", "import.file", "{}", "--tenant", "acme", "--batch", "mine"}), 2);
}

TEST_F(Batches, WhyOfACallbackSaysWhatItsBatchWaitsFor) {
  add_member(1);
  EXPECT_EQ(run({"why", callback(queue::BatchMoment::complete)}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("waits for  whoever opened it to close it, and 1 member to end"));
  EXPECT_THAT(output.out, HasSubstr("member     " + job_id(1).text()));
  EXPECT_THAT(output.out, HasSubstr("complete   report.send"));
  EXPECT_THAT(output.out, Not(HasSubstr("success    ")));
  EXPECT_EQ(run({"why", kBatch.text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("schema":"tenure.batch.why/1")"));
  close();
  succeed(1);
  EXPECT_EQ(run({"why", kBatch.text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("nothing: it is complete"));
  EXPECT_EQ(run({"job", "show", callback(queue::BatchMoment::complete)}), 0);
  EXPECT_THAT(output.out, HasSubstr("callback   of batch " + kBatch.text() + ", for complete"));
  EXPECT_EQ(run({"why", job_id(9).text()}), 1);
}

TEST_F(Batches, RetryMakesMembersReadyThatHaveNotSucceeded) {
  add_member(1);
  add_member(2);
  die(1);
  succeed(2);
  close();
  EXPECT_EQ(run({"batch", "retry", kBatch.text(), "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would retry 1 job\n");
  EXPECT_EQ(run({"batch", "retry", kBatch.text()}), 2) << "nobody can be asked";
  EXPECT_EQ(run({"batch", "retry", kBatch.text(), "--yes", "--reason", "mended"}), 0) << output.error;
  EXPECT_EQ(output.out, "retried 1 job of 1 tenant\n");
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(run({"store", "audit", "verb=batch *", "--columns", "verb,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("batch retry"));
  EXPECT_THAT(output.out, HasSubstr("mended"));
}

TEST_F(Batches, CancelClosesItAndEndsItsMembers) {
  add_member(1);
  add_member(2);
  hold(1);
  EXPECT_EQ(run({"batch", "cancel", kBatch.text(), "--dry-run"}), 0);
  EXPECT_EQ(batch().state(), queue::BatchState::open);
  EXPECT_EQ(run({"batch", "cancel", kBatch.text(), "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "cancelled 1 job of 1 tenant; asked 1 running job to stop\n");
  EXPECT_EQ(batch().state(), queue::BatchState::closed);
  EXPECT_TRUE(batch().cancelled.has_value());
  EXPECT_EQ(run({"job", "enqueue", "import.file", "{}", "--tenant", "acme", "--batch", kBatch.text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("is closed and takes no more jobs"));
  EXPECT_EQ(run({"store", "audit", "verb=batch *", "--columns", "verb,subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr("batch cancel"));
}

TEST_F(Batches, AnEmptyOneThatIsCancelledIsCompleteAndCannotBeCancelledAgain) {
  EXPECT_EQ(run({"batch", "cancel", kBatch.text(), "--yes"}), 0) << output.error;
  EXPECT_EQ(batch().state(), queue::BatchState::complete);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(run({"batch", "cancel", kBatch.text(), "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("is complete already"));
}

TEST_F(Batches, TheDoctorNamesOneThatNobodyHasClosed) {
  EXPECT_EQ(run({"doctor", "batches"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    batches   1 open, 0 closed and not complete"));
  clock.advance(hours(24));
  EXPECT_EQ(run({"doctor", "batches"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  batches   1 batch is open; the oldest since "));
  EXPECT_THAT(output.out, HasSubstr("-> tenure batch show " + kBatch.text()));
  close();
  EXPECT_EQ(run({"doctor", "batches"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    batches   none is under way"));
}

}  // namespace
}  // namespace tenure::cli
