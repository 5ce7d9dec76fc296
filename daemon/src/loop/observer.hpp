#pragma once

#include "../outbox/sweep_figures.hpp"

#include <tenure/config/settings.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <functional>

namespace tenure::daemon {

// Sees what a daemon does, and changes nothing of it.
// Threads: the loop's.
class Observer {
 public:
  virtual ~Observer() = default;
  // Another process dispatches, and not the one that did when this was said last.
  virtual void standing_by() = 0;
  // The control database is there from now on, and this process dispatches it by `settings`, which may be others than it was made with.
  virtual void lock_taken(const config::Settings& settings) = 0;
  // It dispatches: `store` may be read, and `look` asked, until leave() has returned.
  virtual void serve(queue::ReadableStore& store, std::function<DispatcherStatus()> look) = 0;
  virtual void leave() = 0;
  // The same, where it is done within so long; false where something that it looks at hangs, and whatever it was given must stay.
  [[nodiscard]] virtual bool leaves_within(std::chrono::milliseconds bound) = 0;
  // What the dispatcher is about to be told, and what it wants done about it.
  virtual void happened(const Event& event, Now now) = 0;
  virtual void decided(const Actions& actions, Now now) = 0;
  // What the sweep of tenants' outboxes has done so far.
  virtual void swept(const SweepFigures& figures) = 0;
  // Jobs that have gone since they had ended long ago, so far.
  virtual void pruned(const queue::Pruned& jobs) = 0;
};

// Where nobody asks.
class NoObserver final : public Observer {
 public:
  void standing_by() override {}
  void lock_taken(const config::Settings&) override {}
  void serve(queue::ReadableStore&, std::function<DispatcherStatus()>) override {}
  void leave() override {}
  [[nodiscard]] bool leaves_within(std::chrono::milliseconds) override { return true; }
  void happened(const Event&, Now) override {}
  void decided(const Actions&, Now) override {}
  void swept(const SweepFigures&) override {}
  void pruned(const queue::Pruned&) override {}
};

}  // namespace tenure::daemon
