#include "program.hpp"

#include <sstream>

namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JobList : public Program {
 protected:
  // One job in each state that needs no daemon.
  void fill() {
    add_tenant("acme");
    add_tenant("corvid");
    add_job(1, "acme", "billing.send_invoice", R"({"invoice":"gid://billing/Invoice/8812?tenant=acme"})");
    add_job(2, "corvid", "reports.monthly", "{}", std::chrono::hours(1));
    add_job(3, "none", "house.keeping", "{}", {}, "low");
    die(3);
    add_job(4, "acme", "billing.close_books");
    fail_once(4, "SmtpTimeout: no answer");
  }
};

TEST_F(JobList, PrintsATableWithTheNewestFirst) {
  fill();
  EXPECT_EQ(run({"job", "list"}), 0);
  expect_golden("job_list.txt");
  EXPECT_EQ(output.error, "4 jobs\n");
}

TEST_F(JobList, OnATerminalTimesAreRelative) {
  fill();
  on_terminal(140);
  EXPECT_EQ(run({"job", "list", "--color", "never"}), 0);
  expect_golden("job_list_terminal.txt");
}

TEST_F(JobList, CLI_01_ItsJsonStaysAsItIs) {
  fill();
  EXPECT_EQ(run({"job", "list", "--json"}), 0);
  expect_golden("job_list.json");
  EXPECT_EQ(output.error, "");
}

TEST_F(JobList, ANarrowTerminalDropsColumnsAndNeverIds) {
  fill();
  on_terminal(45);
  EXPECT_EQ(run({"job", "list", "--color", "never"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("STATE")));
  EXPECT_THAT(output.out, HasSubstr(job_id(1).text() + "\n"));
}

TEST_F(JobList, OnEightyColumnsStateKindAndTriesStayAndTheQueueGoesFirst) {
  fill();
  const auto header = [&](int columns) {
    on_terminal(columns);
    EXPECT_EQ(run({"job", "list", "--color", "never"}), 0);
    std::istringstream words(output.out.substr(0, output.out.find('\n')));
    std::string all;
    for (std::string word; words >> word;) all += word + ' ';
    return all;
  };
  EXPECT_EQ(header(120), "ID STATE TENANT KIND QUEUE CREATED TRY WAITS FOR ");
  EXPECT_EQ(header(119), "ID STATE TENANT KIND CREATED TRY WAITS FOR ");
  EXPECT_EQ(header(80), "ID STATE KIND TRY ");
}

TEST_F(JobList, TriesAreThoseThatWereBegun) {
  add_tenant("acme");
  for (int i = 1; i <= 3; ++i) add_job(i, "acme", "billing.close");
  succeed(1);
  fail_once(2, "no");
  EXPECT_EQ(run({"job", "list", "--columns", "id,state,try", "--sort", "created:asc"}), 0);
  EXPECT_THAT(output.out, HasSubstr("succeeded  1/10\n"));
  EXPECT_THAT(output.out, HasSubstr("scheduled  1/10\n"));
  EXPECT_THAT(output.out, HasSubstr("ready      0/10\n"));
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("attempts   0 failed, 0 released (costs no attempt), 0 crashes\n"));
}

TEST_F(JobList, LSE_26_ASuspectIsFoundAndSaysWhy) {
  add_tenant("acme");
  for (int i = 1; i <= 2; ++i) add_job(i, "acme", "billing.close");
  suspect(1);
  EXPECT_EQ(run({"job", "list", "reason=suspect", "--columns", "id,state,waits_for"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr(job_id(1).text() + "  blocked  suspect: The daemon ended while it held this job.\n"));
  EXPECT_EQ(output.error, "1 job\n");
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("state      blocked, suspect: The daemon ended while it held this job.\n"));
}

TEST_F(JobList, FiltersByTheWordsThatAreGiven) {
  fill();
  EXPECT_EQ(run({"job", "list", "tenant=acme", "state=scheduled,ready"}), 0);
  EXPECT_EQ(output.error, "2 jobs\n");
  EXPECT_EQ(run({"job", "count", "tenant=none"}), 0);
  EXPECT_EQ(output.out, "1\n");
  EXPECT_EQ(run({"job", "count", "state=dead", "--json"}), 0);
  EXPECT_EQ(output.out, "{\"schema\":\"tenure.job.count/1\",\"count\":1,\"capped\":false}\n");
}

TEST_F(JobList, PagesShowEachJobOnce) {
  add_tenant("acme");
  for (int i = 1; i <= 5; ++i) add_job(i, "acme", "billing.close");
  EXPECT_EQ(run({"job", "list", "--limit", "2", "--columns", "id"}), 0);
  EXPECT_EQ(output.out, "ID\n" + job_id(5).text() + "\n" + job_id(4).text() + "\n");
  EXPECT_THAT(output.error, HasSubstr("2 of 5; next page: --after "));
  const std::string cursor =
      output.error.substr(output.error.rfind(' ') + 1, output.error.size() - output.error.rfind(' ') - 2);
  add_job(6, "acme", "billing.close");  // newer than the pages
  EXPECT_EQ(run({"job", "list", "--limit", "3", "--columns", "id", "--after", cursor}), 0);
  EXPECT_EQ(output.out, "ID\n" + job_id(3).text() + "\n" + job_id(2).text() + "\n" + job_id(1).text() + "\n");
  EXPECT_EQ(output.error, "3 of 6\n");
  EXPECT_EQ(run({"job", "list", "--sort", "created:asc", "--limit", "1", "--columns", "id"}), 0);
  EXPECT_EQ(output.out, "ID\n" + job_id(1).text() + "\n");
  for (const char* bad : {"", "j", "x1", "j-1", "j1x", "12"})
    EXPECT_EQ(run({"job", "list", "--after", bad}), 2) << bad;
}

// Keeps what was printed before each look at the store.
class LookedAt final : public queue::ReadableStore {
 public:
  LookedAt(queue::ReadableStore& store, const CollectedOutput& output) : store_(store), output_(output) {}
  void read(FunctionRef<void(queue::JobReader&)> work) override {
    printed_before.push_back(output_.out);
    store_.read(work);
  }

  std::vector<std::string> printed_before;

 private:
  queue::ReadableStore& store_;
  const CollectedOutput& output_;
};

TEST_F(JobList, APageIsPrintedBeforeWhatLiesBehindItIsCounted) {
  add_tenant("acme");
  for (int i = 1; i <= 3; ++i) add_job(i, "acme", "billing.close");
  const auto looked_at = std::make_shared<LookedAt>(*store, output);
  environment.look_at_store = [&](const std::filesystem::path&) { return looked_at; };
  EXPECT_EQ(run({"job", "list", "--limit", "1", "--columns", "id"}), 0);
  EXPECT_THAT(looked_at->printed_before, ::testing::ElementsAre("", "ID\n" + job_id(3).text() + "\n"));
  EXPECT_THAT(output.error, HasSubstr("1 of 3; next page: --after "));

  looked_at->printed_before.clear();
  EXPECT_EQ(run({"job", "list", "--columns", "id"}), 0);
  EXPECT_EQ(looked_at->printed_before.size(), 1U) << "who sees all of them need not count";
}

// Succeeded jobs are in no index, so how many are looked at is bounded, and said.
TEST_F(JobList, OlderSucceededJobsAreNotLookedForAndThatIsSaid) {
  fill();
  for (int i = 10; i < 14; ++i) {
    add_job(i, "acme", "billing.close");
    succeed(i);
  }
  EXPECT_EQ(run({"job", "list", "tenant=acme", "--scan", "2", "--columns", "id"}), 0);
  EXPECT_EQ(output.out, "ID\n" + job_id(13).text() + "\n" + job_id(12).text() + "\n" + job_id(4).text() +
                            "\n" + job_id(1).text() + "\n");
  EXPECT_EQ(output.error,
            "4 jobs\nsucceeded jobs were looked for among the newest 2 jobs only; --scan N looks at more of "
            "them\n");
  EXPECT_EQ(run({"job", "list", "tenant=acme", "--scan", "8"}), 0);
  EXPECT_EQ(output.error, "6 jobs\n") << "there are no more than eight";
  EXPECT_EQ(run({"job", "list", "tenant=acme"}), 0);
  EXPECT_EQ(output.error, "6 jobs\n");
  EXPECT_EQ(run({"job", "count", "tenant=acme", "--scan", "2", "--json"}), 0);
  EXPECT_EQ(output.out, "{\"schema\":\"tenure.job.count/1\",\"count\":4,\"capped\":false,\"looked_at\":2}\n");
  EXPECT_EQ(run({"job", "list", "tenant=acme", "--scan", "1", "--limit", "1", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr("\"count\":3,\"capped\":false,\"looked_at\":1}"));
  for (const std::vector<std::string>& all :
       {std::vector<std::string>{"job", "count", "--scan", "2"},
        {"job", "count", "state=succeeded,dead", "--scan", "2"},
        {"job", "count", "tenant=acme", "state!=succeeded", "--scan", "2"},
        {"job", "count", "id=" + job_id(10).text(), "--scan", "2"}}) {
    EXPECT_EQ(run(all), 0);
    EXPECT_EQ(output.error, "") << "an index or the order of the table finds all of them";
  }
  EXPECT_EQ(run({"job", "count", "id=" + job_id(10).text(), "--scan", "2"}), 0);
  EXPECT_EQ(output.out, "1\n");
  EXPECT_EQ(run({"job", "count", "--scan", "0"}), 2);
  EXPECT_EQ(run({"job", "count", "--scan", "1000000000"}), 0);
  EXPECT_EQ(run({"job", "count", "--scan", "1000000001"}), 2);
}

TEST_F(JobList, NothingIsNoTableAndNoError) {
  EXPECT_EQ(run({"job", "list"}), 0);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(run({"job", "list", "--json"}), 0);
  EXPECT_EQ(output.out,
            "{\"schema\":\"tenure.job.list/1\",\"items\":[],\"next\":null,\"count\":0,\"capped\":false}\n");
}

TEST_F(JobList, FailIfAnyIsAnAnswerForMonitors) {
  fill();
  EXPECT_EQ(run({"job", "list", "state=dead", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"job", "list", "state=cancelled", "--fail-if-any"}), 0);
  EXPECT_EQ(run({"job", "count", "state=dead", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"job", "count", "state=cancelled", "--fail-if-any"}), 0);
}

TEST_F(JobList, WatchAsksAgainWithOneStore) {
  fill();
  int stores = 0, pauses = 0;
  environment.look_at_store = [&](const std::filesystem::path&) {
    ++stores;
    return store;
  };
  on_pause = [&] {
    add_job(10 + pauses, "acme", "billing.close");
    return ++pauses < 3;
  };
  const WallTime before = clock.wall();
  EXPECT_EQ(run({"job", "count", "tenant=acme", "--watch", "2s"}), 0);
  EXPECT_EQ(output.out, "2\n\n3\n\n4\n");
  EXPECT_EQ(stores, 1);
  EXPECT_EQ(clock.wall() - before, std::chrono::seconds(6));
  EXPECT_EQ(run({"job", "count", "--watch", "2s", "--json"}), 0) << "one document a line";
  EXPECT_THAT(output.out, HasSubstr("\"count\":7,\"capped\":false}\n"));
  on_terminal(80);
  on_pause = nullptr;
  EXPECT_EQ(run({"job", "count", "--watch", "2s"}), 0);
  EXPECT_TRUE(output.out.starts_with("\x1b[H\x1b[2J")) << output.out;
  environment.variables.emplace_back("TERM", "dumb");
  EXPECT_EQ(run({"job", "count", "--watch", "2s"}), 0);
  EXPECT_EQ(output.out, "8\n");
}

TEST_F(JobList, WatchEndsWhereFailIfAnyMeetsSomething) {
  int pauses = 0;
  on_pause = [&] {
    if (++pauses == 3) fill();
    return true;
  };
  EXPECT_EQ(run({"job", "list", "state=dead", "--fail-if-any", "--watch", "1m"}), 1);
  EXPECT_EQ(pauses, 3);
}

TEST_F(JobList, WatchHasLimits) {
  for (const char* good : {"100ms", "1h"}) EXPECT_EQ(run({"job", "list", "--watch", good}), 0) << good;
  for (const char* bad : {"99ms", "3601s", "2", "often", ""})
    EXPECT_EQ(run({"job", "list", "--watch", bad}), 2) << bad;
  EXPECT_EQ(run({"job", "retry", "state=dead", "--yes", "--watch", "2s"}), 2) << "it changes something";
}

TEST_F(JobList, EveryColumnCanBeChosen) {
  fill();
  EXPECT_EQ(run({"job", "list", "--columns",
                 "error,reason,finished,started,due,created,size,crashes,generation,priority,waits_for,try,"
                 "queue,kind,tenant,"
                 "state,id"}),
            0);
  expect_golden("job_list_columns.txt");
}

}  // namespace
}  // namespace tenure::cli
