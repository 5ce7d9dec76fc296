#include "machine.hpp"

#include <utility>

namespace tenure::daemon {

Dispatcher::Dispatcher(DispatcherSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Dispatcher::~Dispatcher() = default;

Actions Dispatcher::step(const Event& event, Now now) { return impl_->step(Event{event}, now); }
Actions Dispatcher::step(Event&& event, Now now) { return impl_->step(std::move(event), now); }
DispatcherStatus Dispatcher::status() const { return impl_->status(); }
std::vector<KnownLane> Dispatcher::known_lanes() const { return impl_->lanes().all(); }

}  // namespace tenure::daemon
