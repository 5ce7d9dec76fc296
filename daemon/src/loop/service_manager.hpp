#pragma once

#include "service_report.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/thread_bound.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tenure::daemon {

// The service manager that has started us, if one has: systemd, or whatever else reads the notify protocol. It carries ServiceReport's
// words to the socket that NOTIFY_SOCKET names, and decides nothing. Without such a socket it does nothing at all.
// Threads: the one that runs its context.
class ServiceManager {
 public:
  // Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment: they are not for programs that we start. To be made
  // while the process has one thread. `clock` must outlive it.
  ServiceManager(boost::asio::io_context& context, const Clock& clock);

  void standing_by(std::string_view holder);
  // From now on until stopping() returns for good, `look` is asked every period.
  void serve(std::function<ServiceReport::Look()> look);
  void serving();
  void reloading();
  void reloaded();
  void stopping();
  // Asks nobody any more.
  void leave();

 private:
  struct Variables {
    std::string socket;  // a path, or an abstract name behind '@'; empty: nobody wants to be told
    std::optional<std::chrono::microseconds> watchdog;
  };
  [[nodiscard]] static Variables take_variables();
  ServiceManager(boost::asio::io_context& context, const Clock& clock, Variables variables);
  void await();
  void tell();

  ThreadBound thread_{"ServiceManager"};
  const Clock& clock_;
  std::string socket_;
  ServiceReport report_;
  std::function<ServiceReport::Look()> look_;
  boost::asio::steady_timer timer_;
  bool is_told_of_fault_ = false;
};

}  // namespace tenure::daemon
