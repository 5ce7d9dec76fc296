#include "crash_signals.hpp"

#include "bus_errors.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <unistd.h>
#include <utility>

// The handler takes no memory, no lock, nothing of stdio.
namespace tenure::daemon {
namespace {

// Room for the frame of a signal with the widest registers (about 11 KiB) and what looks for a mapping.
constexpr std::size_t kHandlerStack = 64UL * 1024;

constexpr std::array kCrashes{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

// The actions that were there before, in the order of kCrashes.
std::array<struct sigaction, kCrashes.size()> former_actions{};

struct OfThread {
  BoardSlot* slot = nullptr;
  pid_t process = 0;  // a child that is forked has the memory too, and no slot
  bool has_exited = false;
};
constinit thread_local OfThread of_thread;

// exit() has been called while other threads perform: what they use is destroyed under them, and what they meet then is not their own.
std::atomic<bool> is_exiting{false};

// exit() destroys the calling thread's before everything else. A thread that ends by itself has no slot any more.
struct ExitNote {
  ExitNote() = default;
  ~ExitNote() {
    if (of_thread.slot == nullptr || of_thread.process != ::getpid()) return;
    of_thread.has_exited = true;
    is_exiting = true;
  }
  ExitNote(const ExitNote&) = delete;
  ExitNote& operator=(const ExitNote&) = delete;
  void is_there() {}
};
thread_local ExitNote exit_note;

// Not by kill(): that is sent to the process (by the daemon, where no ping is answered), and whichever thread takes it has done nothing.
bool is_of_this_thread(const siginfo_t& info) {
  return info.si_code > 0 || (info.si_code == SI_TKILL && info.si_pid == ::getpid());
}

void note(int number, const siginfo_t& info) {
  if (of_thread.slot == nullptr || of_thread.process != ::getpid() || !is_of_this_thread(info)) return;
  if (is_exiting && !of_thread.has_exited) return;
  of_thread.slot->signal.store(number, std::memory_order_release);
}

void forget() {
  if (of_thread.slot != nullptr && of_thread.process == ::getpid())
    of_thread.slot->signal.store(0, std::memory_order_release);
}

const struct sigaction& former_action(int number) {
  std::size_t index = 0;
  while (kCrashes[index] != number) ++index;
  return former_actions[index];
}

// As the kernel would call it. The mask is put back when our handler returns.
void call(const struct sigaction& handler, int number, siginfo_t* info, void* context) {
  if ((static_cast<unsigned>(handler.sa_flags) & SA_RESETHAND) != 0) std::signal(number, SIG_DFL);
  ::pthread_sigmask(SIG_BLOCK, &handler.sa_mask, nullptr);
  if ((handler.sa_flags & SA_NODEFER) != 0) {
    sigset_t own;
    ::sigemptyset(&own);
    ::sigaddset(&own, number);
    ::pthread_sigmask(SIG_UNBLOCK, &own, nullptr);
  }
  if ((handler.sa_flags & SA_SIGINFO) != 0) handler.sa_sigaction(number, info, context);
  else handler.sa_handler(number);
}

void on_crash(int number, siginfo_t* info, void* context);

// A handler that ends the process by the signal puts another action in the place of ours first.
bool is_survived(int number) {
  struct sigaction present {};
  return ::sigaction(number, nullptr, &present) == 0 && present.sa_sigaction == on_crash;
}

// Without a handler the former action is put back: an instruction that failed is met again by itself, and what was sent is sent again, and
// comes when this handler has returned. With one this handler stays, for what other threads meet.
void on_crash(int number, siginfo_t* info, void* context) {
  if (number == SIGBUS) leave_if_index_of_database(*info);
  const struct sigaction& former = former_action(number);
  const bool is_handler =
      (former.sa_flags & SA_SIGINFO) != 0 || (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN);
  const bool is_fault = info->si_code > 0;
  if (!is_handler && former.sa_handler == SIG_IGN && !is_fault) return;
  note(number, *info);
  if (is_handler) {
    call(former, number, info, context);
    if (is_survived(number)) forget();
    return;
  }
  ::sigaction(number, &former, nullptr);
  if (!is_fault) ::raise(number);
}

}  // namespace

void note_crashes() {
  // Of a thread without a slot; what was registered since has run by then.
  std::atexit([] { is_exiting = true; });
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t index = 0; index < kCrashes.size(); ++index)
    ::sigaction(kCrashes[index], &action, &former_actions[index]);
}

// A sanitizer has given each thread such a stack already, and takes it away itself.
CrashSlot::CrashSlot(BoardSlot* slot) {
  if (slot == nullptr) return;
  of_thread = {slot, ::getpid()};
  exit_note.is_there();
  stack_t present{};
  if (::sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
  stack_ = ::mmap(nullptr, kHandlerStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack_ == MAP_FAILED) return;  // an overflow of the stack then names nobody
  const stack_t own{.ss_sp = stack_, .ss_flags = 0, .ss_size = kHandlerStack};
  ::sigaltstack(&own, nullptr);
}

CrashSlot::~CrashSlot() {
  of_thread = {};
  if (stack_ == MAP_FAILED) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
  ::munmap(stack_, kHandlerStack);
}

BoardSlot* CrashSlot::of_this_thread() { return of_thread.slot; }

}  // namespace tenure::daemon
