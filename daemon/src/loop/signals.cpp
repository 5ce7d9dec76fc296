#include "signals.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/process_bound.hpp>

#include <boost/asio/post.hpp>

#include <array>
#include <csignal>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::array kTold{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

bool is_stop(int number) { return number == SIGTERM || number == SIGINT || number == SIGQUIT; }

}  // namespace

sigset_t told_signals() {
  sigset_t told;
  sigemptyset(&told);
  for (const int number : kTold) sigaddset(&told, number);
  return told;
}

void hold_signals_back() {
  const sigset_t told = told_signals();
  ::pthread_sigmask(SIG_BLOCK, &told, nullptr);
}

void let_signals_through() {
  const sigset_t told = told_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &told, nullptr);
}

Signals::Signals(boost::asio::io_context& context) : set_(context) {
  for (const int number : kTold) {
    set_.add(number);
    default_in_children(number);
  }
  await();
  const sigset_t told = told_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &told, &mask_before_);
}

// First the mask: without the set each signal has its default action.
Signals::~Signals() { ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr); }

void Signals::await() {
  set_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    on_signal(number);
    await();
  });
}

void Signals::set_handlers(Handlers handlers) {
  handlers_ = std::move(handlers);
  is_keeping_ = false;
  for (const int number : std::exchange(kept_, {}))
    boost::asio::post(set_.get_executor(), [this, number] { on_signal(number); });
}

void Signals::keep_all_but_stops(std::function<void(Stop)> on_stop) {
  handlers_ = {.on_stop = std::move(on_stop)};
  is_keeping_ = true;
}

void Signals::on_signal(int number) {
  if (is_keeping_ && !is_stop(number)) {
    kept_.insert(number);
    return;
  }
  switch (number) {
    case SIGHUP:
      return handlers_.on_reload();
    case SIGUSR1:
      return open_log_again();
    case SIGUSR2:
      return handlers_.on_describe();
    default:
      break;
  }
  handlers_.on_stop(number == SIGQUIT ? Stop::at_once : Stop::in_phases);
}

void Signals::open_log_again() {
  try {
    log::reopen();
    log::write(log::Level::info, "log.reopened",
               handlers_.has_log_file() ? "lines go to the log's file as it is named now"
                                        : "lines go to standard error; nothing to reopen");
  } catch (const Error& error) {
    log::write(log::Level::warning, "log.not_reopened", "lines go where they went before",
               {.error = error.what()});
  }
  handlers_.on_log_opened();
}

}  // namespace tenure::daemon
