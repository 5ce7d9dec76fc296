#include "played_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <control/router.hpp>
#include <string>

namespace tenure::daemon::control {
namespace {

using ::testing::HasSubstr;

class RouterTest : public ::testing::Test {
 protected:
  Response get(const std::string& path) { return router.answer({Method::get, path}, {1000, 4711}); }
  Response post(const std::string& path, const Request::Texts& body = {}) {
    return router.answer({Method::post, path, {}, body}, {1000, 4711});
  }
  template <class Asked>
  [[nodiscard]] const Asked& asked() const {
    return std::get<Asked>(daemon.asked.back());
  }

  PlayedDaemon daemon;
  Router router{daemon};
};

TEST_F(RouterTest, ListsProcessesWithWhatKeepsThemBusy) {
  const Response response = get("/workers");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(
      response.body.find(R"({"schema":"tenure.worker.list/1","items":[{"process":1,"pool":"general",)"
                         R"("pid":901,"state":"ready","quiet":false,"replaced":false,"slots":8,)"
                         R"("performing":1,"ahead":1,"performed":0,"memory_bytes":0,)"
                         R"("started":"2026-03-02T10:12:30Z","up_ms":90000,"program_version":"1.0.0"},)"),
      0U)
      << response.body;
  EXPECT_THAT(response.body,
              HasSubstr(R"("next":null,"count":3,"capped":false,"pools":[{"name":"general","quiet":null},)"));
  EXPECT_THAT(response.body, HasSubstr(R"("daemon":{"pid":812,"node":"app-1","standing_by":false,)"));
}

TEST_F(RouterTest, ShowsTheJobsOfOneProcess) {
  const Response response = get("/workers/1");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body,
              HasSubstr(R"("tenant":"acme","kind":"billing.send_invoice","state":"performing",)"
                        R"("since":"2026-03-02T10:13:00Z","running_ms":60000})"));
  EXPECT_THAT(response.body, HasSubstr(R"("tenant":null,"kind":"reports.monthly","state":"ahead",)"
                                       R"("since":null,"running_ms":null})"));
}

TEST_F(RouterTest, TellsWhatTheDaemonHasBeenDoing) {
  daemon.active = {
      .up = std::chrono::hours{2},
      .rates_over = std::chrono::seconds{8},
      .arrived = 3280,
      .ended = 3,
      .failed = 1,
      .starts = 12,
      .delay_p50 = std::chrono::microseconds{6400},
      .delay_p99 = {},
      .tenants = {{TenantName{"acme"}, 0.25}},
      .kinds = {{"billing.send_invoice", 14, 100, std::chrono::milliseconds{1900}}, {"a.b", 1, 0, {}}}};
  const Response response = get("/activity");
  EXPECT_EQ(response.status, 200);
  for (
      const char* const part :
      {R"({"schema":"tenure.activity/1","daemon":{"pid":812,"node":"app-1","standing_by":false,)",
       R"("up_ms":7200000,"rates":{"over_ms":8000,"in_per_second":410.0,"out_per_second":0.4,"failed_per_second":0.1},)",
       R"("start_delay":{"starts":12,"p50_ms":6,"p99_ms":null},)",
       R"("pools":[{"name":"general","quiet":null,"processes":2,"slots":16,"reserved":[{"priority":-10,"slots":2}],"busy":1,"ahead":1},)",
       R"({"name":"heavy","quiet":null,"processes":0,"slots":0,"reserved":[],"busy":0,"ahead":0}])",
       R"("tenants":[{"name":"acme","share":0.25}],)",
       R"("kinds":[{"name":"billing.send_invoice","running":14,"runs":100,"p99_ms":1900},)",
       R"({"name":"a.b","running":1,"runs":0,"p99_ms":null}]})"})
    EXPECT_THAT(response.body, HasSubstr(part));
}

class TurnOfRouter : public RouterTest {
 protected:
  Response turn(const std::map<std::string, std::string>& others) {
    Request::Texts query{
        {"queue", "3"}, {"priority", "-100"}, {"tenant", "0"}, {"kind", "7"}, {"ahead", "1000"}};
    for (const auto& [name, value] : others) query[name] = value;
    return router.answer({Method::get, "/turn", query, {}}, {});
  }
};

TEST_F(TurnOfRouter, TellsOfEachPoolWhenALanesJobIsExpectedToStart) {
  daemon.turns_told = {{.pool = 1,
                        .slots = 8,
                        .busy = 3,
                        .tenants_before = 2,
                        .is_capped = false,
                        .expected = std::chrono::microseconds{40'400}},
                       {.pool = 0, .slots = 2, .busy = 2, .tenants_before = 1000, .is_capped = true}};
  EXPECT_EQ(turn({}).body,
            R"({"schema":"tenure.turn/1","pools":[{"name":"heavy","slots":8,"busy":3,"tenants_before":2,)"
            R"("capped":false,"expected_ms":40},{"name":"general","slots":2,"busy":2,"tenants_before":1000,)"
            R"("capped":true,"expected_ms":null}]})");
  const queue::Lane lane{queue::QueueNumber{3}, queue::Priority{-100}, TenantNumber{0}, queue::KindNumber{7}};
  EXPECT_EQ(daemon.turn_asked, std::pair(lane, std::int64_t{1000}));
}

TEST_F(TurnOfRouter, EachNumberHasItsLimits) {
  for (const auto& [name, value] : {std::pair{"ahead", "1001"},
                                    {"ahead", "-1"},
                                    {"priority", "-101"},
                                    {"priority", "101"},
                                    {"queue", "-1"},
                                    {"kind", ""},
                                    {"tenant", "5x"},
                                    {"tenant", "99999999999999999999"}}) {
    EXPECT_EQ(turn({{name, value}}).status, 400) << name << value;
    EXPECT_THAT(turn({{name, value}}).body, HasSubstr(std::string(name) + " must be a whole number from "));
  }
  EXPECT_EQ(turn({{"priority", "100"}, {"ahead", "0"}}).status, 200);
  EXPECT_THAT(turn({{"tennant", "5"}}).body, HasSubstr("tennant means nothing here"));
  EXPECT_EQ(turn({{"queue priority", "5"}}).status, 400);
  EXPECT_EQ(turn({{"", "5"}}).status, 400);
  EXPECT_EQ(get("/turn").status, 400);
}

TEST_F(RouterTest, STP_05_QuietAndResumeAreOfOnePoolOrOfAllAndCarryWhoAsked) {
  EXPECT_THAT(post("/workers/quiet", {{"pool", "heavy"}}).body,
              HasSubstr(R"({"schema":"tenure.worker.quiet/1","pools":[{"name":"heavy","quiet":)"
                        R"({"since":"2026-03-02T10:14:00Z","uid":1000}}]})"));
  EXPECT_EQ(asked<QuietAsked>().pool, std::size_t{1});
  EXPECT_EQ(asked<QuietAsked>().uid, 1000);
  EXPECT_EQ(post("/workers/resume").status, 200);
  EXPECT_EQ(asked<ResumeAsked>().pool, std::nullopt);
}

TEST_F(RouterTest, DrainsAProcessThatTakesJobs) {
  EXPECT_EQ(post("/workers/1/drain").body, R"({"schema":"tenure.worker.drain/1","processes":[1]})");
  EXPECT_EQ(asked<DrainAsked>().process, ProcessNumber{1});
  EXPECT_THAT(post("/workers/2/drain").body, HasSubstr("the worker process 2 is leaving"));
  EXPECT_THAT(post("/workers/3/drain").body, HasSubstr("the worker process 3 has not said hello"));
  EXPECT_EQ(post("/workers/3/drain").status, 409);
  EXPECT_EQ(daemon.asked.size(), 1U);
}

TEST_F(RouterTest, RecyclesAndDescribes) {
  daemon.shown.workers[1].status.is_replaced = true;
  EXPECT_EQ(post("/workers/recycle", {{"pool", "general"}}).body,
            R"({"schema":"tenure.worker.recycle/1","processes":[1]})");
  EXPECT_EQ(asked<RecycleAsked>().pool, std::size_t{0});
  EXPECT_EQ(post("/workers/dump").status, 200);
  EXPECT_TRUE(std::holds_alternative<DescriptionAsked>(daemon.asked.back()));
}

TEST_F(RouterTest, AReloadSaysWhatItTookOverOrWhyNot) {
  daemon.reloaded = {.taken_over = {"store.poll"}, .waiting = {"tenants.path"}, .refused = {}};
  EXPECT_EQ(
      post("/config/reload").body,
      R"({"schema":"tenure.config.reload/1","taken_over":["store.poll"],"waiting":["tenants.path"],"replaced":[]})");
  daemon.reloaded = {.taken_over = {},
                     .waiting = {},
                     .refused = Failure{ErrorCode::bad_configuration, "log.levl is no setting"}};
  const Response refused = post("/config/reload");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("log.levl is no setting"));
}

TEST_F(RouterTest, WhatIsNotThereIsNamed) {
  EXPECT_THAT(get("/nowhere").body, HasSubstr("UnknownPath"));
  EXPECT_EQ(get("/nowhere").status, 404);
  EXPECT_EQ(get("/workers/").status, 404);
  EXPECT_EQ(get("/workers/quiet").status, 405);
  EXPECT_EQ(post("/workers").status, 405);
  EXPECT_THAT(get("/workers/4").body, HasSubstr("ProcessNotFound"));
  EXPECT_EQ(get("/workers/99999999999999999999").status, 404);
  EXPECT_THAT(post("/workers/quiet", {{"pool", "none"}}).body, HasSubstr("PoolNotFound"));
  EXPECT_THAT(post("/workers/quiet", {{"pol", "heavy"}}).body, HasSubstr("pol means nothing here"));
  EXPECT_THAT(router.answer({Method::get, "/workers", {{"pool", "heavy"}}}, {}).body,
              HasSubstr("pool means nothing here"));
  EXPECT_TRUE(daemon.asked.empty());
}

TEST_F(RouterTest, WhoStandsByListsNobodyAndReloads) {
  daemon.shown.holder = "process 812 (tenured) has it";
  daemon.shown.workers.clear();
  daemon.shown.pools.clear();
  EXPECT_THAT(get("/workers").body,
              HasSubstr(R"("standing_by":true,"holder":"process 812 (tenured) has it")"));
  EXPECT_EQ(post("/config/reload").status, 200);
  for (const char* path :
       {"/workers/quiet", "/workers/resume", "/workers/recycle", "/workers/dump", "/workers/1/drain"}) {
    EXPECT_EQ(post(path).status, 503) << path;
    EXPECT_THAT(post(path).body, HasSubstr("process 812 (tenured) has it")) << path;
  }
  for (const char* path : {"/workers/1", "/activity", "/turn"}) EXPECT_EQ(get(path).status, 503) << path;
  EXPECT_TRUE(daemon.asked.empty());
}

TEST_F(RouterTest, NobodyTakesThePlaceOfAProgramThatWasStartedByHand) {
  daemon.shown.can_replace = false;
  EXPECT_THAT(post("/workers/1/drain").body, HasSubstr("StartedByHand"));
  EXPECT_THAT(post("/workers/recycle").body, HasSubstr("StartedByHand"));
  EXPECT_TRUE(daemon.asked.empty());
  EXPECT_EQ(post("/workers/quiet").status, 200);
}

TEST_F(RouterTest, BeginsAFileOfTheJournalAndTellsHowFarItIs) {
  EXPECT_EQ(
      get("/journal").body,
      R"({"schema":"tenure.journal/1","size_bytes":4096,"dump":{"state":"none","file":"","bytes":0,"error":""}})");
  daemon.dump_begun = {journal::Dump::State::writing, "/x/dump-1.journal", 77, ""};
  const Response begun = post("/journal/dump");
  EXPECT_EQ(begun.status, 200);
  EXPECT_EQ(
      begun.body,
      R"({"schema":"tenure.journal.dump/1","state":"writing","file":"/x/dump-1.journal","bytes":77,"error":""})");
  daemon.dump = {journal::Dump::State::failed, "/x/dump-1.journal", 77, "no room"};
  EXPECT_THAT(get("/journal").body,
              HasSubstr(R"("state":"failed","file":"/x/dump-1.journal","bytes":77,"error":"no room")"));
  daemon.dump_begun = {journal::Dump::State::failed, "", 0, "no journal is kept"};
  const Response refused = post("/journal/dump");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body, R"({"error":{"code":"JournalNotWritten","message":"no journal is kept"}})");
}

}  // namespace
}  // namespace tenure::daemon::control
