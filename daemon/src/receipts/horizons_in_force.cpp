#include "horizons_in_force.hpp"

#include <tenure/base/log.hpp>
#include <tenure/queue/receipt_time.hpp>

#include <algorithm>

namespace tenure::daemon {

static_assert(HorizonsInForce::kFreshFor > HorizonScan::kEvery &&
              HorizonsInForce::kFreshFor < queue::kReceiptsKeptFor);

namespace {
constexpr Generation kFirstGeneration{1};
}

queue::JobId HorizonsInForce::of(const queue::ClaimedJob& job, Now now) {
  if (leaps_.saw(now.wall, now.steady))
    log::write(
        log::Level::info, "receipts.kept",
        "the clock has been put forward, or the machine was suspended: receipts look older than they are, "
        "and none is forgotten for 7 days");
  if (!horizons_ || job.lane.tenant == queue::kUntenanted) return {};
  if (leaps_.has_leapt_within(queue::kReceiptsKeptFor, now.steady)) return {};
  if (now.steady - horizons_->read_since >= kFreshFor) return {};
  const auto smallest = horizons_->smallest.find(job.lane.tenant);
  if (smallest != horizons_->smallest.end()) return std::min(job.id, smallest->second);
  // Of a later generation receipts may be older than it: it may have become that since, with a copy that has receipts of jobs which wait.
  return job.generation > kFirstGeneration ? queue::JobId{} : job.id;
}

}  // namespace tenure::daemon
