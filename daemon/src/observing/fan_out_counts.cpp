#include "fan_out_counts.hpp"

#include "metric_table.hpp"

namespace tenure::daemon {

void FanOutCounts::stored(const RoundReply& reply) {
  const auto& answer = reply.answer<VisitsPart>();
  if (!answer) return;
  for (const queue::VisitReply& visit : *answer) {
    made_ += std::ssize(visit.made);
    refused_ += visit.refused;
    skipped_ += visit.skipped - visit.refused;
  }
}

void FanOutCounts::add_to(MetricFamilies& families) const {
  families.add(metric::kFanOutTenants, {{"result", "made"}}, static_cast<double>(made_));
  families.add(metric::kFanOutTenants, {{"result", "skipped"}}, static_cast<double>(skipped_));
  families.add(metric::kFanOutTenants, {{"result", "refused"}}, static_cast<double>(refused_));
}

}  // namespace tenure::daemon
