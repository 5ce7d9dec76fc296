#include "real_terminal.hpp"

#include <tenure/base/system.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace tenure::cli {
namespace {

// Besides these, those of real time.
constexpr std::array kEnding{SIGINT,  SIGTERM,   SIGHUP,  SIGQUIT, SIGPIPE, SIGALRM,   SIGUSR1, SIGUSR2,
                             SIGXCPU, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT, SIGXFSZ};
constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGTRAP};
// A screen of its own, without a cursor, on which what is too wide is cut; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::size_t kKeysMax = 256;  // bytes that are read at once
// A terminal that takes nothing in that time keeps its screen, and whoever leaves it leaves.
constexpr std::chrono::milliseconds kLastWords{500};

// What a crash has to put back; null while there is nothing. A handler can reach nothing else.
std::atomic<const termios*> put_back_by_crash = nullptr;
std::atomic<int> screen_of_crash = -1;  // does not block

extern "C" void on_crash_of_top(int number) {
  if (const termios* const before = put_back_by_crash.exchange(nullptr)) {
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, before);
    const ssize_t ignored = ::write(screen_of_crash, kLeave.data(), kLeave.size());
    (void)ignored;
  }
  (void)::raise(number);  // it ends by its signal all the same, once this has returned
}

bool ends(int number) {
  return std::ranges::find(kEnding, number) != kEnding.end() || (number >= SIGRTMIN && number <= SIGRTMAX);
}

sigset_t signals_that_are_events() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int number = 1; number <= SIGRTMAX; ++number)
    if (ends(number)) ::sigaddset(&set, number);
  for (const int number : {SIGTSTP, SIGCONT, SIGWINCH}) ::sigaddset(&set, number);
  return set;
}

termios made_raw(termios mode) {
  mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
  mode.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR);
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return mode;
}

// Somebody else of the same session has the terminal.
bool is_in_background() {
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground > 0 && foreground != ::getpgrp();
}

bool end_is_asked() {
  sigset_t pending;
  ::sigemptyset(&pending);
  (void)::sigpending(&pending);
  for (int number = 1; number <= SIGRTMAX; ++number)
    if (ends(number) && ::sigismember(&pending, number) == 1) return true;
  return false;
}

// The terminal of standard output, opened once more: whoever shares that with us shall not find that it does not block. One that
// cannot be opened is waited for.
Descriptor screen_that_does_not_block() {
  constexpr int kFlags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  // The controlling one can be opened by whoever may not open it by name.
  const char* const path = ::tcgetsid(STDOUT_FILENO) >= 0 ? "/dev/tty" : "/proc/self/fd/1";
  Descriptor opened{::open(path, kFlags)};
  return opened.is_open() ? std::move(opened) : Descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)};
}

class RealTerminal final : public LiveTerminal {
 public:
  RealTerminal() {
    const sigset_t events = signals_that_are_events();
    sigset_t held = events;
    ::sigaddset(&held, SIGTTOU);  // giving back is no reason to stop
    (void)::pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
    screen_ = screen_that_does_not_block();
    screen_of_crash = screen_.number();
    signals_ = Descriptor{::signalfd(-1, &events, SFD_CLOEXEC | SFD_NONBLOCK)};
    struct sigaction action {};
    action.sa_handler = on_crash_of_top;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (std::size_t at = 0; at < kCrashes.size(); ++at)
      (void)::sigaction(kCrashes[at], &action, &actions_before_[at]);
  }
  ~RealTerminal() override {
    give_back();
    for (std::size_t at = 0; at < kCrashes.size(); ++at)
      (void)::sigaction(kCrashes[at], &actions_before_[at], nullptr);
    (void)::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  RealTerminal(const RealTerminal&) = delete;
  RealTerminal& operator=(const RealTerminal&) = delete;

  void take() override {
    while (is_in_background() && !end_is_asked()) stop_process();
    if (is_in_background()) return;
    if (!before_) {
      termios mode{};
      if (::tcgetattr(STDIN_FILENO, &mode) != 0) return;
      before_ = mode;
    }
    put_back_by_crash = &*before_;
    const termios raw = made_raw(*before_);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    begun_ = kEnter;
    next_.clear();
    (void)write_what_is_taken();
  }

  void give_back() override {
    if (!before_) return;
    put_back_by_crash = nullptr;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
    before_.reset();
    begun_ = kLeave;
    next_.clear();
    while (write_what_is_taken() && !begun_.empty())
      if (!takes_bytes(screen_.number(), kLastWords)) break;
    begun_.clear();
  }

  TerminalSize size() override {
    constexpr int kMost = 1000;
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
    return {std::min<int>(size.ws_col, kMost), std::min<int>(size.ws_row, kMost)};
  }

  bool write(std::string_view text) override {
    if (!before_) return true;
    next_ = text;
    return write_what_is_taken();
  }

  TerminalEvent wait(std::chrono::milliseconds time) override {
    const int screen = begun_.empty() ? -1 : screen_.number();
    std::array<pollfd, 3> looked{
        {{signals_.number(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {screen, POLLOUT, 0}}};
    if (::poll(looked.data(), looked.size(), static_cast<int>(time.count())) <= 0) return {};
    if (looked[0].revents != 0) return signalled();
    if (looked[1].revents != 0) return typed();
    return {write_what_is_taken() ? TerminalEvent::What::time_passed : TerminalEvent::What::end_asked};
  }

  void stop_process() override { (void)::raise(SIGSTOP); }

 private:
  // A picture that has begun is ended before the next, or a slow terminal would never have a whole one. False where nobody is there.
  bool write_what_is_taken() {
    for (;;) {
      if (begun_.empty()) begun_ = std::exchange(next_, {});
      if (begun_.empty()) return true;
      const ssize_t written = ::write(screen_.number(), begun_.data(), begun_.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && errno == EAGAIN) return true;
      if (written <= 0) return false;
      begun_.erase(0, static_cast<std::size_t>(written));
    }
  }

  static TerminalEvent typed() {
    std::array<char, kKeysMax> keys{};
    const ssize_t size = ::read(STDIN_FILENO, keys.data(), keys.size());
    if (size <= 0)
      return {size < 0 && errno == EINTR ? TerminalEvent::What::time_passed : TerminalEvent::What::end_asked};
    return {TerminalEvent::What::typed, std::string(keys.data(), static_cast<std::size_t>(size))};
  }

  TerminalEvent signalled() {
    signalfd_siginfo info{};
    if (::read(signals_.number(), &info, sizeof info) != sizeof info) return {};
    const int number = static_cast<int>(info.ssi_signo);
    if (ends(number)) return {TerminalEvent::What::end_asked};
    if (number == SIGTSTP) return {TerminalEvent::What::stop_asked};
    // Somebody else has stopped us, and whoever had the terminal meanwhile has set it otherwise.
    if (number == SIGCONT && before_) take();
    return {TerminalEvent::What::resized};
  }

  sigset_t mask_before_{};
  std::array<struct sigaction, kCrashes.size()> actions_before_{};
  Descriptor signals_, screen_;
  std::string begun_, next_;       // what the terminal has not taken yet
  std::optional<termios> before_;  // while it is taken
};

}  // namespace

std::unique_ptr<LiveTerminal> open_real_terminal() { return std::make_unique<RealTerminal>(); }

}  // namespace tenure::cli
