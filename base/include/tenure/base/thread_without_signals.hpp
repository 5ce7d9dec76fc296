#pragma once

#include <csignal>
#include <exception>
#include <thread>
#include <utility>

namespace tenure {

// No signal of the program's is handled on a thread that it does not know; but for those that its own faults raise. Throws what
// std::thread does.
template <class Function>
std::thread start_without_signals(Function&& function) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread started;
  try {
    started = std::thread{std::forward<Function>(function)};
  } catch (const std::exception&) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace tenure
