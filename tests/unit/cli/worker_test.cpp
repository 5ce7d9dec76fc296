#include "program.hpp"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

namespace tenure::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kTwoWorkers =
    R"({"status":200,"body":{"schema":"tenure.worker.list/1","items":[)"
    R"({"process":1,"pool":"general","pid":813,"state":"ready","quiet":true,"replaced":false,"slots":8,)"
    R"("performing":2,"ahead":1,"performed":1204,"memory_bytes":641728512,"started":"2026-03-02T10:11:00Z",)"
    R"("up_ms":180000,"program_version":"1.4.0"},)"
    R"({"process":2,"pool":"general","pid":814,"state":"starting","quiet":true,"replaced":false,"slots":1,)"
    R"("performing":0,"ahead":0,"performed":0,"memory_bytes":0,"started":"2026-03-02T10:13:59Z",)"
    R"("up_ms":1000,"program_version":""}],"next":null,"count":2,"capped":false,)"
    R"("pools":[{"name":"general","quiet":{"since":"2026-03-02T10:13:00Z","uid":1000}}],)"
    R"("daemon":{"pid":812,"node":"app-1","standing_by":false,"holder":null,"quiet":null}}})";

class WorkerTest : public Program {
 protected:
  WorkerTest() {
    answers[R"({"method":"GET","path":"/workers","body":{}})"] = kTwoWorkers;
    environment.ask_daemon = [this](const std::filesystem::path& socket, std::string_view line,
                                    std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
      sockets.push_back(socket);
      asked.emplace_back(line);
      const auto found = answers.find(std::string(line));
      if (found == answers.end())
        return tl::unexpected(FailedExchange{FailedExchange::Why::nobody_listens, "Connection refused"});
      return found->second;
    };
  }
  // The daemon answers this to a POST.
  void answer_post(const std::string& path, const std::string& members, const std::string& body) {
    answers[R"({"method":"POST","path":")" + path + R"(","body":{)" + members + "}}"] = body;
  }

  std::map<std::string, std::string> answers;
  std::vector<std::string> asked;
  std::vector<std::string> sockets;
};

TEST_F(WorkerTest, ListsProcessesAndWhatIsQuietSinceWhenAndByWhom) {
  EXPECT_EQ(run({"worker", "list"}), 0);
  expect_golden("worker_list.txt");
  EXPECT_EQ(output.error,
            "2 processes\npool general is quiet since 2026-03-02T10:13:00Z, as uid 1000 has asked: tenure "
            "worker resume general\n");
  on_terminal(80);
  EXPECT_EQ(run({"worker", "list"}), 0);
  expect_golden("worker_list_terminal.txt");
}

TEST_F(WorkerTest, PrintsTheDaemonsOwnDocument) {
  EXPECT_EQ(run({"worker", "list", "--json"}), 0);
  const std::string_view body = kTwoWorkers.substr(21, kTwoWorkers.size() - 22);
  EXPECT_EQ(output.out, std::string(body) + "\n");
  EXPECT_EQ(output.error, "");
}

TEST_F(WorkerTest, FiltersAsAllListsDo) {
  const auto listed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"worker", "list"});
    words.insert(words.end(), {"--columns", "process,state"});
    EXPECT_EQ(run(words), 0);
    return output.out;
  };
  EXPECT_EQ(listed({"state=starting"}), "PROCESS  STATE\n      2  starting\n");
  EXPECT_EQ(listed({"state=quiet"}), "PROCESS  STATE\n      1  quiet\n");
  EXPECT_EQ(listed({"pool=gen*", "process=2.."}), "PROCESS  STATE\n      2  starting\n");
  EXPECT_EQ(listed({"node=app-1", "pid!=814"}), "PROCESS  STATE\n      1  quiet\n");
  EXPECT_EQ(listed({"node=app-2"}), "");
  EXPECT_EQ(listed({"--sort", "up"}), "PROCESS  STATE\n      2  starting\n      1  quiet\n");
  EXPECT_EQ(listed({"--sort", "performed:desc"}), "PROCESS  STATE\n      1  quiet\n      2  starting\n");
  EXPECT_EQ(listed({"--limit", "1"}), "PROCESS  STATE\n      1  quiet\n");
  EXPECT_THAT(output.error, HasSubstr("1 of 2; next page: --after 1\n"));
  EXPECT_EQ(listed({"--after", "1"}), "PROCESS  STATE\n      2  starting\n");
}

TEST_F(WorkerTest, AFilteredDocumentHasItsOwnCountAndTheDaemonsOtherMembers) {
  EXPECT_EQ(run({"worker", "list", "process=2", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("items":[{"process":2,)"));
  EXPECT_THAT(output.out, HasSubstr(R"("next":null,"count":1,"capped":false,"pools":[{"name":"general",)"));
  EXPECT_THAT(output.out, HasSubstr(R"("daemon":{"pid":812,)"));
}

TEST_F(WorkerTest, AnswersMonitorsAndRefusesWhatIsNoField) {
  EXPECT_EQ(run({"worker", "list", "state=starting,leaving", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"worker", "list", "state=leaving", "--fail-if-any"}), 0);
  EXPECT_EQ(run({"worker", "list", "state=readdy"}), 2);
  EXPECT_THAT(output.error, HasSubstr("did you mean 'ready'?"));
  EXPECT_EQ(run({"worker", "list", "tenant=acme"}), 2);
  EXPECT_EQ(run({"worker", "list", "--sort", "kind"}), 2);
  EXPECT_EQ(run({"worker", "list", "--columns", "kind", "--json"}), 2);
  EXPECT_EQ(run({"worker", "list", "--after", "7"}), 2);
}

TEST_F(WorkerTest, ShowsTheJobsOfOneProcess) {
  answers[R"({"method":"GET","path":"/workers/1","body":{}})"] =
      R"({"status":200,"body":{"schema":"tenure.worker.show/1","item":{"process":1,"pool":"general","pid":813,)"
      R"("state":"ready","slots":8,"performing":1,"ahead":1,"performed":4,"memory_bytes":4096,"up_ms":180000,)"
      R"("program_version":"1.4.0","jobs":[{"id":"019cadff-0000-7000-8000-000000000001","tenant":"acme",)"
      R"("kind":"billing.send_invoice","state":"performing","since":"2026-03-02T10:13:00Z","running_ms":60000},)"
      R"({"id":"019cadff-0000-7000-8000-000000000002","tenant":null,"kind":"reports.monthly\u001b",)"
      R"("state":"ahead","since":null,"running_ms":null}]}}})";
  EXPECT_EQ(run({"worker", "show", "1"}), 0);
  expect_golden("worker_show.txt");
  EXPECT_EQ(run({"worker", "show", "general"}), 2);
  EXPECT_THAT(output.error, HasSubstr("'general' is no number of a worker process"));
}

TEST_F(WorkerTest, AsksWhereSeveralProcessesAreConcerned) {
  answer_post("/workers/quiet", "",
              R"({"status":200,"body":{"pools":[{"name":"general"},{"name":"heavy"}]}})");
  EXPECT_EQ(run({"worker", "quiet"}), 2);
  EXPECT_THAT(output.error, HasSubstr("2 processes are concerned: say --yes to quiet them"));
  EXPECT_EQ(asked.size(), 1U) << "nothing was asked of the daemon but who is there";
  on_terminal(80);
  answer = "n";
  EXPECT_EQ(run({"worker", "quiet"}), 1);
  EXPECT_THAT(output.error, HasSubstr("quiet 2 processes of all pools? [y/N] nothing was done\n"));
  answer = "y";
  EXPECT_EQ(run({"worker", "quiet"}), 0);
  EXPECT_EQ(output.out, "quiet: general, heavy; what runs goes on, and tenure worker resume ends it\n");
  asked.clear();
  EXPECT_EQ(run({"worker", "quiet", "--yes"}), 0);
  EXPECT_EQ(asked.size(), 2U);
}

TEST_F(WorkerTest, NobodyIsAskedAboutOneProcess) {
  answer_post("/workers/resume", R"("pool":"heavy")",
              R"({"status":200,"body":{"pools":[{"name":"heavy"}]}})");
  EXPECT_EQ(run({"worker", "resume", "heavy"}), 0);
  EXPECT_EQ(output.out, "claiming again: heavy\n");
  answer_post("/workers/3/drain", "", R"({"status":200,"body":{"processes":[3]}})");
  EXPECT_EQ(run({"worker", "drain", "3"}), 0);
  EXPECT_EQ(output.out, "process 3 ends when its jobs have, and another one takes its place\n");
}

TEST_F(WorkerTest, WhatIsRequestedIsRecordedWithHowManyProcessesItConcerns) {
  answer_post("/workers/quiet", R"("pool":"general")",
              R"({"status":200,"body":{"pools":[{"name":"general"}]}})");
  answer_post("/workers/3/drain", "", R"({"status":200,"body":{"processes":[3]}})");
  EXPECT_EQ(run({"worker", "quiet", "general", "--yes", "--reason", "deploy"}), 0);
  EXPECT_EQ(run({"worker", "drain", "3"}), 0);
  EXPECT_EQ(run({"worker", "resume", "--yes"}), 69);
  EXPECT_EQ(run({"worker", "drain", "general"}), 2);
  EXPECT_EQ(run({"store", "audit", "--columns", "verb,count,subject", "verb!=worker resume"}), 0);
  EXPECT_EQ(output.out,
            "VERB          COUNT  SUBJECT\n"
            "worker drain      1  process 3\n"
            "worker quiet      2  pool general\n");
  EXPECT_EQ(run({"store", "audit", "--columns", "verb,count,reason"}), 0);
  EXPECT_EQ(output.out,
            "VERB           COUNT  REASON\n"
            "worker resume      0  -\n"
            "worker resume      2  -\n"
            "worker drain       1  -\n"
            "worker quiet       2  deploy\n");
}

TEST_F(WorkerTest, WhatCannotBeRecordedIsNotAskedOfTheDaemon) {
  environment.open_store = [](const queue::SqliteStoreOptions&) -> std::shared_ptr<queue::Store> {
    raise(ErrorCode::access_refused, "the control database cannot be written");
  };
  EXPECT_EQ(run({"worker", "quiet", "--yes"}), 78);
  EXPECT_THAT(output.error, HasSubstr("the control database cannot be written"));
  EXPECT_THAT(asked, ElementsAre(HasSubstr(R"("method":"GET")")));
  asked.clear();
  EXPECT_EQ(run({"worker", "drain", "3"}), 78);
  EXPECT_EQ(run({"config", "reload"}), 78);
  EXPECT_THAT(asked, ::testing::IsEmpty());
}

TEST_F(WorkerTest, RecyclesAndDumps) {
  answer_post("/workers/recycle", R"("pool":"general")", R"({"status":200,"body":{"processes":[1,2]}})");
  EXPECT_EQ(run({"worker", "recycle", "general", "--yes"}), 0);
  EXPECT_EQ(output.out, "others take the places of these processes, one at a time in each pool: 1, 2\n");
  answer_post("/workers/dump", "", R"({"status":200,"body":{"processes":[1,2]}})");
  EXPECT_EQ(run({"worker", "dump"}), 0);
  EXPECT_EQ(output.out, "the log has what the dispatcher and its processes do: 1, 2\n");
}

TEST_F(WorkerTest, AReloadSaysWhatBecameOfIt) {
  answer_post(
      "/config/reload", "",
      R"({"status":200,"body":{"taken_over":["store.poll","log.level"],"waiting":["tenants.path"]}})");
  EXPECT_EQ(run({"config", "reload"}), 0);
  EXPECT_EQ(output.out, "taken over: store.poll, log.level\nin force from the next start on: tenants.path\n");
  answer_post(
      "/config/reload", "",
      R"({"status":422,"body":{"error":{"code":"ConfigurationRefused","message":"log.levl is no setting"}}})");
  EXPECT_EQ(run({"config", "reload"}), 78);
  EXPECT_EQ(output.error, "tenure: ConfigurationRefused: log.levl is no setting\n");
}

TEST_F(WorkerTest, AReloadSaysWhichProcessesItReplacesAndWhy) {
  answer_post("/config/reload", "",
              R"({"status":200,"body":{"taken_over":[],"waiting":[],"replaced":[)"
              R"({"pool":"general","processes":2,"new_program":true},)"
              R"({"pool":"heavy","processes":1,"new_program":false}]}})");
  EXPECT_EQ(run({"config", "reload"}), 0);
  EXPECT_EQ(output.out,
            "nothing in it is different that a reload can take over\n"
            "replaces 2 processes of general: their program's file is another one\n"
            "replaces 1 process of heavy: what they have read is different\n");
}

TEST_F(WorkerTest, WhatWaitsForTheNextStartIsSaidByTheList) {
  answers[R"({"method":"GET","path":"/workers","body":{}})"] =
      R"({"status":200,"body":{"items":[],"pools":[],"daemon":{"pid":9,"waiting":["store.path","pool heavy"]}}})";
  EXPECT_EQ(run({"worker", "list"}), 0);
  EXPECT_EQ(output.error,
            "0 processes\ndifferent in the configuration, and in force from the daemon's next start on: "
            "store.path, pool heavy\n");
}

TEST_F(WorkerTest, WhatTheDaemonRefusesIsRecordedAsRefused) {
  EXPECT_EQ(run({"worker", "drain", "7"}), 69);
  EXPECT_EQ(run({"store", "audit", "--columns", "verb,count,subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr("worker drain      0  process 7: refused, DaemonUnreachable: no daemon"));
  EXPECT_THAT(output.out, HasSubstr("worker drain      1  process 7\n"));
}

TEST_F(WorkerTest, WithoutADaemonItSaysWhatToDo) {
  answers.clear();
  EXPECT_EQ(run({"worker", "list", "--store", folder / "other.db"}), 69);
  EXPECT_THAT(output.error, HasSubstr("DaemonUnreachable: no daemon answers at " +
                                      (folder / "other.db-run/control.sock").string() +
                                      " (Connection refused): start tenured"));
  EXPECT_THAT(sockets, ElementsAre(folder / "other.db-run/control.sock",
                                   folder / "other.db-run/control.sock-standby"));
  EXPECT_EQ(run({"worker", "list", "--json"}), 69);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.error.find(R"({"error":{"code":"DaemonUnreachable",)"), 0U);
  environment.variables.emplace_back("TENURE_DAEMON_CONTROL_SOCKET", "");
  EXPECT_EQ(run({"worker", "list"}), 69);
  EXPECT_THAT(output.error, HasSubstr("daemon.control_socket is empty"));
}

TEST_F(WorkerTest, WhoStandsByAnswersWhereTheHolderDoesNot) {
  int calls = 0;
  environment.ask_daemon = [&](const std::filesystem::path& socket, std::string_view,
                               std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
    ++calls;
    if (!socket.string().ends_with("-standby"))
      return tl::unexpected(FailedExchange{FailedExchange::Why::nobody_listens, "No such file or directory"});
    return R"({"status":200,"body":{"items":[],"pools":[],"daemon":{"pid":9,"standing_by":true,"holder":"held by process 812"}}})";
  };
  EXPECT_EQ(run({"worker", "list"}), 0);
  EXPECT_EQ(output.error, "0 processes\npid 9 answers and stands by: held by process 812\n");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(run({"config", "reload"}), 69) << "the settings of the one that dispatches stay as they are";
  EXPECT_THAT(output.error, HasSubstr("DaemonUnreachable: no daemon answers"));
  EXPECT_EQ(calls, 3);
}

TEST_F(WorkerTest, OtherTroubleHasItsOwnCodes) {
  const auto fails_with = [&](FailedExchange::Why why) {
    environment.ask_daemon = [why](const std::filesystem::path&, std::string_view,
                                   std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
      return tl::unexpected(FailedExchange{why, "why"});
    };
    return run({"worker", "list"});
  };
  EXPECT_EQ(fails_with(FailedExchange::Why::not_permitted), 78);
  EXPECT_THAT(output.error, HasSubstr("AccessRefused"));
  EXPECT_EQ(fails_with(FailedExchange::Why::no_answer), 75);
  EXPECT_EQ(fails_with(FailedExchange::Why::too_long), 69);
  for (const char* line : {"", "nonsense", "[]", R"({"status":200})"}) {
    environment.ask_daemon = [line](const std::filesystem::path&, std::string_view,
                                    std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
      return line;
    };
    EXPECT_EQ(run({"worker", "list"}), 69) << line;
  }
  answers.clear();
}

}  // namespace
}  // namespace tenure::cli
