#include <gtest/gtest.h>

#include <observing/probe_answers.hpp>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;

HttpResponse answer_to(const std::string& method, const std::string& path) {
  Observations observations{{}, {}};
  return answer_probe({.method = method, .path = path}, observations, {.wall = {}, .steady = Instant{1s}});
}

TEST(ProbeAnswers, LiveIsFineAndReadyIsUnavailableAtFirst) {
  EXPECT_EQ(answer_to("GET", "/health/live").status, 200U);
  EXPECT_EQ(answer_to("HEAD", "/health/live").status, 200U);
  EXPECT_EQ(answer_to("GET", "/health/ready").status, 503U);
  EXPECT_EQ(answer_to("GET", "/health/started").status, 503U);
  EXPECT_EQ(answer_to("GET", "/health/live").content_type, "application/json");
}

TEST(ProbeAnswers, NamesWhatThereIs) {
  for (const char* const path :
       {"/", "", "/health", "/health/live/", "/HEALTH/live", "/health/../health/live"})
    EXPECT_EQ(answer_to("GET", path).status, 404U) << path;
  EXPECT_NE(answer_to("GET", "/").body.find("/health/ready"), std::string::npos);
}

TEST(ProbeAnswers, OnlyReads) {
  for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    EXPECT_EQ(answer_to(method, "/health/live").status, 405U) << method;
    EXPECT_EQ(answer_to(method, "/health/live").allow, "GET, HEAD") << method;
  }
}

}  // namespace
}  // namespace tenure::daemon
