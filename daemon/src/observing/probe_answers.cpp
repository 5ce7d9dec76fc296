#include "probe_answers.hpp"

#include "metrics_text.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::array<std::pair<std::string_view, Health::Probe>, 3> kHealthPaths{
    {{"/health/live", Health::Probe::live},
     {"/health/ready", Health::Probe::ready},
     {"/health/started", Health::Probe::started}}};

HttpResponse answer_health(Health::Probe probe, Observations& observations, Now now) {
  const Health::Answer answer = observations.with(
      [&](const Health& health, const Metrics&) { return health.answer(probe, now.steady); });
  return {.status = answer.is_ok ? 200U : 503U, .content_type = "application/json", .body = json_of(answer)};
}

HttpResponse answer_metrics(Observations& observations, Now now) {
  const MetricFamilies families = observations.with([&](const Health& health, Metrics& metrics) {
    MetricFamilies all = metrics.collect(now);
    health.add_to(all, now.steady);
    return all;
  });
  return {.content_type = std::string{kMetricsType}, .body = metrics_text(families)};
}

}  // namespace

HttpResponse answer_probe(const HttpRequest& request, Observations& observations, Now now) {
  if (request.method != "GET" && request.method != "HEAD")
    return {.status = 405, .body = "GET and HEAD alone\n", .allow = "GET, HEAD"};
  for (const auto& [path, probe] : kHealthPaths)
    if (request.path == path) return answer_health(probe, observations, now);
  if (request.path == "/metrics") return answer_metrics(observations, now);
  return {.status = 404, .body = "there are /health/live, /health/ready, /health/started and /metrics\n"};
}

}  // namespace tenure::daemon
