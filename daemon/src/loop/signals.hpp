#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdint>
#include <functional>
#include <set>

namespace tenure::daemon {

// What a process of ours is told by signals: to stop, to open its log again, nothing.
[[nodiscard]] sigset_t told_signals();

// The first thing of a main: until there are handlers, these signals wait. By their default action the process would end out of order.
void hold_signals_back();
void let_signals_through();

// What operators tell a process that dispatches: SIGTERM and SIGINT stop it in phases, SIGQUIT at once; SIGHUP has the configuration
// read again, SIGUSR1 the log's file opened again, SIGUSR2 what is done written into the log. Each has a line, which of all but SIGUSR1 the
// handler writes.
// Threads: the one that makes it, which also runs the context. For its life these signals are let through on that thread.
class Signals {
 public:
  explicit Signals(boost::asio::io_context& context);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  enum class Stop : std::uint8_t { in_phases, at_once };
  struct Handlers {
    std::function<void(Stop)> on_stop = [](Stop) {};
    std::function<void()> on_reload = [] {};
    std::function<void()> on_log_opened = [] {};
    std::function<void()> on_describe = [] {};
    std::function<bool()> has_log_file = [] { return true; };  // else lines go to standard error
  };
  // From now on in place of the former ones; first for what has been kept.
  void set_handlers(Handlers handlers);
  // Keeps what comes, once each, for the next handlers; but a stop is for `on_stop`, at once.
  void keep_all_but_stops(std::function<void(Stop)> on_stop);

 private:
  void await();
  void on_signal(int number);
  void open_log_again();

  boost::asio::signal_set set_;
  sigset_t mask_before_{};
  Handlers handlers_;
  bool is_keeping_ = false;
  std::set<int> kept_;
};

}  // namespace tenure::daemon
