#include "doctor_checks.hpp"

#include <fmt/format.h>

#include <vector>

namespace tenure::cli {
namespace {

constexpr std::size_t kMiscountedFanOuts = 20;

}  // namespace

void check_fan_outs(Examination& examination) {
  const auto census =
      examination.ask([](queue::JobReader& reader) { return reader.fan_outs().fan_out_census(); });
  const auto wrong = examination.ask(
      [](queue::JobReader& reader) { return reader.fan_outs().miscounted_fan_outs(kMiscountedFanOuts); });
  for (const queue::MiscountedFanOut& fan_out : wrong)
    examination.add(
        FindingLevel::fail, "fan-outs",
        fmt::format("fan-out {} has visited {} tenants, made {} jobs and skipped {}, of whom {} "
                    "are noted",
                    fan_out.id.text(), fan_out.visited, fan_out.made, fan_out.skipped, fan_out.skips_found),
        "tenure fan-out show " + fan_out.id.text());
  const bool has_daemon = examination.ask([](queue::JobReader& reader) { return reader.has_dispatcher(); });
  const bool is_stuck = census.under_way > 0 && !has_daemon;
  if (is_stuck)
    examination.add(FindingLevel::warn, "fan-outs",
                    fmt::format("{} under way, and no daemon that visits tenants; the oldest since {}",
                                counted(census.under_way, "fan-out is", "fan-outs are", examination.style()),
                                full_time_text(census.oldest_started, examination.style())),
                    "systemctl start tenured");
  if (wrong.empty() && !is_stuck)
    examination.add(FindingLevel::ok, "fan-outs",
                    census.under_way == 0
                        ? std::string{"none is under way"}
                        : fmt::format("{} under way, {} to be visited", census.under_way,
                                      counted(census.tenants_left, "tenant", examination.style())));
}

}  // namespace tenure::cli
