#include <gtest/gtest.h>

#include <loop/service_report.hpp>
#include <string>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;

Instant at(std::chrono::microseconds since_start) { return Instant{since_start}; }

// What is told at that moment, as the socket gets it.
std::string told_after_look(ServiceReport& report, const ServiceReport::Look& look, Instant now) {
  report.look(look, now);
  std::string text = report.untold();
  report.told();
  return text;
}

TEST(ServiceReport, SaysNothingBeforeItServes) {
  ServiceReport report{std::nullopt};
  EXPECT_EQ(told_after_look(report, {.status = {.slots = 8}}, at(1s)), "");
}

TEST(ServiceReport, STP_07_IsReadyOnceItServesAndSaysSoOnce) {
  ServiceReport report{std::nullopt};
  report.serving();
  EXPECT_EQ(report.untold(), "READY=1\nSTATUS=dispatching\n");
  report.told();
  EXPECT_EQ(report.untold(), "");
}

TEST(ServiceReport, IsReadyAndStandingByBesideAnotherDispatcher) {
  ServiceReport report{std::nullopt};
  report.standing_by("held by process 812 (tenured)");
  EXPECT_EQ(report.untold(), "READY=1\nSTATUS=standing by: held by process 812 (tenured)\n");
  report.told();
  report.serving();
  EXPECT_EQ(report.untold(), "READY=1\nSTATUS=dispatching\n");
}

TEST(ServiceReport, TellsAChangedStatusOnceInFiveSeconds) {
  ServiceReport report{std::nullopt};
  report.serving();
  report.told();
  ServiceReport::Look look{.status = {.slots = 8, .busy = 3, .lanes = 12, .parked = 1, .started = 40},
                           .round_since = {}};
  EXPECT_EQ(told_after_look(report, look, at(1s)), "STATUS=3/8 slots, 12 lanes wait, 1 of them at a gate\n");
  look.status.started = 90;
  EXPECT_EQ(told_after_look(report, look, at(5s)), "") << "four seconds later";
  EXPECT_EQ(told_after_look(report, look, at(6s)),
            "STATUS=3/8 slots, 12 lanes wait, 1 of them at a gate; 10 starts/s\n");
  look.status.started = 140;
  EXPECT_EQ(told_after_look(report, look, at(11s)), "") << "the same text again";
}

TEST(ServiceReport, SaysWhatIsQuietSinceWhenAndByWhom) {
  ServiceReport report{std::nullopt};
  report.serving();
  report.told();
  ServiceReport::Look look{.status = {.slots = 8,
                                      .pools = 2,
                                      .quiet_pools = 1,
                                      .quiet = Quiet{from_us(1'772'446'440'000'000), 1000}},
                           .round_since = {}};
  EXPECT_EQ(told_after_look(report, look, at(1s)),
            "STATUS=0/8 slots, 0 lanes wait; 1 of 2 pools quiet since 2026-03-02T10:14:00Z by uid 1000\n");
  look.status.quiet_pools = 2;
  EXPECT_EQ(told_after_look(report, look, at(6s)),
            "STATUS=0/8 slots, 0 lanes wait; quiet since 2026-03-02T10:14:00Z by uid 1000; 0 starts/s\n");
}

TEST(ServiceReport, STP_08_GivesASignOfLifeEachHalfIntervalWhileTheStoreAnswers) {
  ServiceReport report{60s};
  EXPECT_EQ(report.period(), 1s);
  EXPECT_EQ(told_after_look(report, {}, at(0s)), "WATCHDOG=1\n") << "before it serves, too";
  EXPECT_EQ(told_after_look(report, {.status = {}, .round_since = at(1s)}, at(29s)), "");
  EXPECT_EQ(told_after_look(report, {.status = {}, .round_since = at(1s)}, at(30s)), "WATCHDOG=1\n");
}

TEST(ServiceReport, STP_08_GivesNoneBehindARoundThatDoesNotEnd) {
  ServiceReport report{60s};
  const ServiceReport::Look stuck{.status = {}, .round_since = at(10s)};
  EXPECT_EQ(told_after_look(report, stuck, at(10s) + ServiceReport::kRoundMax), "WATCHDOG=1\n");
  EXPECT_EQ(told_after_look(report, stuck, at(90s)), "");
  EXPECT_EQ(told_after_look(report, {}, at(91s)), "WATCHDOG=1\n") << "it has ended";
}

TEST(ServiceReport, LooksFourTimesInAShortInterval) { EXPECT_EQ(ServiceReport{400ms}.period(), 100ms); }

TEST(ServiceReport, AnIntervalOfNothingAsksForNoSignOfLife) {
  ServiceReport report{std::nullopt};
  report.wait(at(100s));
  EXPECT_EQ(report.untold(), "");
}

TEST(ServiceReport, STP_07_ExtendsTheTimeToStopOnlyWhileJobsStillEnd) {
  ServiceReport report{std::nullopt};
  report.serving();
  report.told();
  report.stopping();
  EXPECT_EQ(told_after_look(report, {.status = {.slots = 8, .busy = 2}, .round_since = {}}, at(1s)),
            "EXTEND_TIMEOUT_USEC=10000000\nSTATUS=stopping: 2 jobs still run\nSTOPPING=1\n");
  EXPECT_EQ(told_after_look(report, {.status = {.slots = 8, .busy = 1}, .round_since = {}}, at(2s)),
            "EXTEND_TIMEOUT_USEC=10000000\n");
  EXPECT_EQ(told_after_look(report, {.status = {.slots = 8}, .round_since = {}}, at(3s)), "");
}

TEST(ServiceReport, STP_09_AReloadIsToldWithItsMomentAndThenReadiness) {
  ServiceReport report{std::nullopt};
  report.serving();
  report.reloading(at(5s));
  EXPECT_EQ(report.untold(), "MONOTONIC_USEC=5000000\nRELOADING=1\nSTATUS=dispatching\n");
  report.told();
  report.reloaded();
  EXPECT_EQ(report.untold(), "READY=1\n");
}

TEST(ServiceReport, AReloadThatCouldNotBeToldIsOverInTheNextDatagram) {
  ServiceReport report{std::nullopt};
  report.serving();
  report.told();
  report.reloading(at(5s));
  report.reloaded();
  EXPECT_EQ(report.untold(), "READY=1\n");
}

TEST(ServiceReport, STP_07_AReloadMakesNobodyReadyWhoIsNot) {
  ServiceReport report{std::nullopt};
  report.reloading(at(5s));
  report.told();
  report.reloaded();
  EXPECT_EQ(report.untold(), "");
}

TEST(ServiceReport, WhatCouldNotBeToldIsToldLaterWithItsLatestValue) {
  ServiceReport report{std::nullopt};
  report.serving();
  report.look({.status = {.slots = 8}, .round_since = {}}, at(1s));
  EXPECT_EQ(report.untold(), "READY=1\nSTATUS=0/8 slots, 0 lanes wait\n");
}

}  // namespace
}  // namespace tenure::daemon
