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
  EXPECT_EQ(post("/config/reload").body,
            R"({"schema":"tenure.config.reload/1","taken_over":["store.poll"],"waiting":["tenants.path"]})");
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
  EXPECT_EQ(get("/workers/1").status, 503);
  EXPECT_TRUE(daemon.asked.empty());
}

TEST_F(RouterTest, NobodyTakesThePlaceOfAProgramThatWasStartedByHand) {
  daemon.shown.can_replace = false;
  EXPECT_THAT(post("/workers/1/drain").body, HasSubstr("StartedByHand"));
  EXPECT_THAT(post("/workers/recycle").body, HasSubstr("StartedByHand"));
  EXPECT_TRUE(daemon.asked.empty());
  EXPECT_EQ(post("/workers/quiet").status, 200);
}

}  // namespace
}  // namespace tenure::daemon::control
