#include <gmock/gmock.h>

#include <observing/metric_table.hpp>
#include <observing/metrics_text.hpp>
#include <observing/probe_answers.hpp>
#include <support/prometheus_text.hpp>

namespace tenure::daemon {
namespace {

using testing::PrometheusText;
using namespace std::chrono_literals;

constexpr MetricInfo kOdd{"tenure_odd", MetricType::gauge, "Of a name that was invented."};

TEST(MetricsText, EscapesWhateverAName) {
  MetricFamilies families;
  families.add(kOdd, {{"queue", "a \"quote\", a \\ and\na line\n# TYPE x gauge"}}, 1);
  const PrometheusText page(metrics_text(families));
  EXPECT_EQ(page.values().size(), 1U);
  EXPECT_TRUE(page.has(R"(tenure_odd{queue="a \"quote\", a \\ and\na line\n# TYPE x gauge"})"));
}

TEST(MetricsText, AHistogramHasBucketsSumAndCount) {
  DurationHistogram histogram;
  for (const std::chrono::microseconds duration : {500us, 1000us, 1001us}) histogram.add(duration);
  histogram.add(6h);
  MetricFamilies families;
  families.add(metric::kPerform, {{"kind", "a"}}, histogram.value());
  const PrometheusText page(metrics_text(families));
  EXPECT_EQ(page.value(R"(tenure_perform_seconds_bucket{kind="a",le="0.001"})"), 2);
  EXPECT_EQ(page.value(R"(tenure_perform_seconds_bucket{kind="a",le="0.0025"})"), 3);
  EXPECT_EQ(page.value(R"(tenure_perform_seconds_bucket{kind="a",le="18000"})"), 3);
  EXPECT_EQ(page.value(R"(tenure_perform_seconds_bucket{kind="a",le="+Inf"})"), 4);
  EXPECT_EQ(page.value(R"(tenure_perform_seconds_count{kind="a"})"), 4);
  EXPECT_NEAR(page.value(R"(tenure_perform_seconds_sum{kind="a"})"), 21600.0025, 0.001);
}

TEST(MetricsText, OBS_04_IsValidTextFromTheFirstScrapeOn) {
  Observations observations{{.pools = {"general"}, .top_tenants = 10, .version = "1"}, {}};
  observations.with([](Health&, Metrics& metrics) {
    StoreSample sample;
    sample.backend = "sqlite";
    sample.library = "3.40.1";
    sample.queues = {{.name = "default", .ready = 3, .oldest_ready = WallTime{1s}}};
    sample.tenants = {{TenantState::active, 4}};
    metrics.store_was_seen(std::move(sample));
    metrics.happened(RoundFailed{{ErrorCode::store_busy, "no"}}, {});
  });
  const HttpResponse answer = answer_probe({.method = "GET", .path = "/metrics"}, observations,
                                           {.wall = WallTime{61s}, .steady = Instant{2s}});
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  const PrometheusText page(answer.body);
  EXPECT_EQ(page.value(R"(tenure_queue_oldest_ready_seconds{queue="default"})"), 60);
  EXPECT_EQ(page.value(R"(tenure_jobs{queue="default",state="ready"})"), 3);
  EXPECT_EQ(page.value(R"(tenure_build_info{version="1",backend="sqlite",sqlite="3.40.1"})"), 1);
  EXPECT_EQ(page.value("tenure_lock_held"), 0);
  EXPECT_EQ(page.value("tenure_store_sample_age_seconds"), 2);
}

TEST(PrometheusTextTest, RefusesWhatBreaksTheFormat) {
  const std::string family = "# HELP a_total Help.\n# TYPE a_total counter\n";
  EXPECT_NO_THROW(PrometheusText(family + "a_total{x=\"1\"} 1\n"));
  for (const std::string& page :
       {std::string{}, family + "a_total 1", std::string("a_total 1\n"), family + "b_total 1\n",
        family + "a_total 1\na_total 2\n", family + family + "a_total 1\n", family + "a_total{x=1} 1\n",
        family + "a_total{x=\"\\q\"} 1\n", family + "a_total{x=\"1\",} 1\n", family + "a_total one\n",
        family + "a_total -1\n", std::string("# HELP a Help.\n# TYPE a counter\na 1\n"),
        std::string("# HELP a_total Help.\n# TYPE a_total gauge\na_total 1\n"),
        std::string("# HELP a_total \n# TYPE a_total counter\na_total 1\n"),
        std::string("# HELP h Help.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"),
        std::string("# HELP h Help.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 1\n"),
        std::string("# HELP h Help.\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} "
                    "2\nh_sum 1\nh_count 2\n")})
    EXPECT_THROW(PrometheusText{page}, std::runtime_error) << page;
}

}  // namespace
}  // namespace tenure::daemon
