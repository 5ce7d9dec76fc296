#pragma once

#include "../control/controlled.hpp"
#include "../control/server.hpp"
#include "observer.hpp"
#include "service_manager.hpp"
#include "settings_for_program.hpp"
#include "signals.hpp"

#include <tenure/config/settings.hpp>
#include <tenure/daemon/control_lock.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace tenure::daemon {

// What waits for the lock, until it is there or a signal asks it to leave first.
// Threads: the one that runs the context.
class StandBy final : public control::Controlled {
 public:
  // All must outlive it; `settings` are those in force, and read again at a reload. `passed` is the socket that the service manager
  // has bound, null where it has none.
  StandBy(boost::asio::io_context& context, config::Settings& settings, const ReadSettings& read_settings,
          Signals& signals, ServiceManager& service, Observer& observer, const control::Listener* passed);
  ~StandBy() override;
  StandBy(const StandBy&) = delete;
  StandBy& operator=(const StandBy&) = delete;

  // Nothing, and what to leave with, where there will be no lock.
  [[nodiscard]] std::optional<ControlLock> take_lock(int& exit_code);

  // Nothing has been begun by the former settings but waiting for this very lock.
  control::Reloaded reload() override;
  [[nodiscard]] control::DaemonView view() const override;
  [[nodiscard]] Activity::View activity() const override;
  [[nodiscard]] std::vector<PoolTurn> turns(const queue::Lane& lane, std::int64_t ahead) const override;
  void ask(Event event) override;

 private:
  void begin(const std::string& holder);
  void wait();
  void leave();

  boost::asio::io_context& context_;
  config::Settings& settings_;
  const ReadSettings& read_settings_;
  Signals& signals_;
  ServiceManager& service_;
  Observer& observer_;
  const control::Listener* passed_;
  boost::asio::steady_timer timer_;
  std::string holder_;  // empty until somebody else was found to have the lock
  std::unique_ptr<control::Server> server_;
  bool leave_ = false;
};

}  // namespace tenure::daemon
