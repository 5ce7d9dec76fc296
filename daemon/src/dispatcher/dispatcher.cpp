#include "machine.hpp"

#include <utility>

namespace tenure::daemon {

Dispatcher::Dispatcher(DispatcherSettings settings)
    : machine_(std::make_unique<Machine>(std::move(settings))) {}
Dispatcher::~Dispatcher() = default;

Actions Dispatcher::step(const Event& event, Now now) { return step(Event{event}, now); }

Actions Dispatcher::step(Event&& event, Now now) {
  thread_.check();
  return machine_->step(std::move(event), now);
}

DispatcherStatus Dispatcher::status() const {
  thread_.check();
  return machine_->status();
}

CrewStatus Dispatcher::crew() const {
  thread_.check();
  return machine_->crew();
}

std::vector<PoolTurn> Dispatcher::turns(const queue::Lane& lane, std::int64_t ahead, Instant now) const {
  thread_.check();
  return machine_->turns(lane, ahead, now);
}

std::vector<KnownLane> Dispatcher::known_lanes() const {
  thread_.check();
  return machine_->known_lanes();
}

}  // namespace tenure::daemon
