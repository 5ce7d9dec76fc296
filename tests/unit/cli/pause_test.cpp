#include "program.hpp"

#include <chrono>
#include <string>

// `tenure queue pause|resume` and `tenure kind pause|resume`, and what other verbs say of pauses.
namespace tenure::cli {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::Not;

class Pauses : public Program {
 protected:
  Pauses() {
    add_tenant("acme");
    who.login = "dana";
    add_job(1, "acme", "report.build", "{}", {}, "exports");
  }
};

TEST_F(Pauses, AQueueIsPausedWithWhoAndWhyAndResumed) {
  EXPECT_EQ(run({"queue", "pause", "exports", "--until", "2h", "--reason", "disk is full"}), 0)
      << output.error;
  EXPECT_THAT(output.out, HasSubstr("paused queue exports, until "));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(run({"queue", "show", "exports"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("paused   by dana, "));
  EXPECT_THAT(output.out, HasSubstr(": disk is full\n"));
  EXPECT_THAT(output.out, HasSubstr("change   tenure queue resume exports\n"));
  EXPECT_EQ(run({"queue", "list"}), 0);
  EXPECT_THAT(output.out, HasSubstr("PAUSED"));
  EXPECT_THAT(output.out, HasSubstr("by dana, "));
  EXPECT_EQ(run({"queue", "list", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("pause":{"scope":"queue","paused":")"));
  EXPECT_EQ(run({"job", "list", "state=held"}), 0);
  EXPECT_THAT(output.out, HasSubstr("queue_paused"));
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("its queue, which is paused (queue_paused)"));
  EXPECT_THAT(output.out, HasSubstr("paused     queue by dana, "));
  EXPECT_THAT(output.out, HasSubstr("tenure queue resume exports"));

  EXPECT_EQ(run({"queue", "resume", "exports", "--reason", "there is room"}), 0) << output.error;
  EXPECT_EQ(output.out, "queue exports goes on\n");
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("paused")));
  EXPECT_EQ(run({"store", "audit", "verb=queue *", "--columns", "verb,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("disk is full"));
  EXPECT_THAT(output.out, HasSubstr("there is room"));
}

TEST_F(Pauses, TheDoctorNamesThoseThatNobodyHasTakenBack) {
  EXPECT_EQ(run({"queue", "pause", "exports", "--until", "2h", "--reason", "disk is full"}), 0);
  EXPECT_EQ(run({"kind", "pause", "report.build"}), 0);
  EXPECT_EQ(run({"doctor", "queues", "kinds"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  queues    \"exports\" is paused by dana, "));
  EXPECT_THAT(output.out, HasSubstr(": disk is full  -> tenure queue resume exports\n"));
  EXPECT_THAT(output.out, HasSubstr("warn  kinds     \"report.build\" is paused by dana, "));
  EXPECT_THAT(output.out, HasSubstr("-> tenure kind resume report.build\n"));
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(run({"doctor", "queues"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("paused by"))) << "its time is over";
}

TEST_F(Pauses, AKindToo) {
  EXPECT_EQ(run({"kind", "pause", "report.build"}), 0) << output.error;
  EXPECT_EQ(output.out, "paused kind report.build, until somebody resumes it\n");
  EXPECT_EQ(run({"kind", "pause", "report.build", "--json"}), 0);
  EXPECT_EQ(
      output.out,
      R"({"schema":"tenure.kind.pause/1","items":[{"name":"report.build","until":null,"was_paused":true}]})"
      "\n");
  EXPECT_EQ(run({"kind", "show", "report.build"}), 0);
  EXPECT_THAT(output.out, HasSubstr("paused   by dana, "));
  EXPECT_EQ(run({"why", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("reason":"kind_paused")"));
  EXPECT_THAT(output.out, HasSubstr(R"("pauses":[{"scope":"kind")"));
  EXPECT_EQ(run({"kind", "resume", "report.build", "--json"}), 0);
  EXPECT_EQ(output.out, R"({"schema":"tenure.kind.resume/1","items":[{"name":"report.build"}]})"
                        "\n");
}

TEST_F(Pauses, AllThatAreNamedOrNone) {
  EXPECT_EQ(run({"queue", "pause", "exports", "exprots"}), 1);
  EXPECT_EQ(run({"kind", "pause", "report.biuld"}), 1) << "what is named and not there is 1, whatever it is";
  EXPECT_EQ(run({"queue", "pause", "exports", "exprots"}), 1);
  EXPECT_THAT(output.error, HasSubstr("there is no queue exprots"));
  EXPECT_EQ(run({"queue", "resume", "exports"}), 1);
  EXPECT_THAT(output.error, HasSubstr("NotPaused: the queue exports is not paused"));
  EXPECT_EQ(run({"queue", "pause", "exports"}), 0);
  EXPECT_EQ(run({"queue", "resume", "exports", "urgent"}), 1);
  EXPECT_EQ(run({"queue", "resume", "exports"}), 0) << "the first was not resumed before";
}

TEST_F(Pauses, TheEndIsATimeToCome) {
  EXPECT_EQ(run({"queue", "pause", "exports", "--until", "soon"}), 2);
  EXPECT_EQ(run({"queue", "pause", "exports", "--until", "2020-01-01"}), 2);
  EXPECT_EQ(run({"queue", "pause", "exports", "--until", "100000h"}), 2);
  EXPECT_EQ(wakes, 0);
}

}  // namespace
}  // namespace tenure::cli
