#include "sweep_thread.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

SweepThread::SweepThread(OutboxSweep& sweep, std::function<void(const SweepFigures&)> tell,
                         HorizonReader& horizons)
    : sweep_(sweep),
      tell_(std::move(tell)),
      horizons_(horizons),
      thread_("sweep", [this] { return pass(); }) {}

std::chrono::microseconds SweepThread::pass() {
  const auto rest = sweep_.pass();
  if (told_ != sweep_.figures()) tell_(sweep_.figures());
  told_ = sweep_.figures();
  return std::min(rest, horizons_.pass());
}

SweepThread::~SweepThread() { sweep_.give_up(); }

bool SweepThread::stops_within(std::chrono::milliseconds bound) {
  sweep_.give_up();
  return thread_.stops_within(bound);
}

}  // namespace tenure::daemon
