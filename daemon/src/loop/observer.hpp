#pragma once

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <functional>

namespace tenure::daemon {

// Sees what a daemon does, and changes nothing of it.
// Threads: the loop's.
class Observer {
 public:
  virtual ~Observer() = default;
  // The control database is there from now on, and this process dispatches it.
  virtual void lock_taken() = 0;
  // It dispatches: `store` may be read, and `look` asked, until leave() has returned.
  virtual void serve(queue::ReadableStore& store, std::function<DispatcherStatus()> look) = 0;
  virtual void leave() = 0;
  // What the dispatcher is about to be told, and what it wants done about it.
  virtual void happened(const Event& event, Now now) = 0;
  virtual void decided(const Actions& actions, Now now) = 0;
};

// Where nobody asks.
class NoObserver final : public Observer {
 public:
  void lock_taken() override {}
  void serve(queue::ReadableStore&, std::function<DispatcherStatus()>) override {}
  void leave() override {}
  void happened(const Event&, Now) override {}
  void decided(const Actions&, Now) override {}
};

}  // namespace tenure::daemon
