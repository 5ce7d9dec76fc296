#include "real_terminal.hpp"

#include <tenure/base/system.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

namespace tenure::cli {
namespace {

constexpr std::array kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
// A screen of its own, without a cursor, on which what is too wide is cut; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::size_t kKeysMax = 256;  // bytes that are read at once

// What a crash has to put back; null while there is nothing. A handler can reach nothing else.
std::atomic<const termios*> put_back_by_crash = nullptr;

extern "C" void on_crash_of_top(int number) {
  if (const termios* const before = put_back_by_crash.exchange(nullptr)) {
    const ssize_t ignored = ::write(STDOUT_FILENO, kLeave.data(), kLeave.size());
    (void)ignored;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, before);
  }
  (void)::raise(number);  // it ends by its signal all the same, once this has returned
}

sigset_t signals_that_are_events() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : kEnding) ::sigaddset(&set, number);
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

class RealTerminal final : public LiveTerminal {
 public:
  RealTerminal() {
    const sigset_t events = signals_that_are_events();
    (void)::pthread_sigmask(SIG_BLOCK, &events, &mask_before_);
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
    if (!before_) {
      termios mode{};
      if (::tcgetattr(STDIN_FILENO, &mode) != 0) return;
      before_ = mode;
    }
    put_back_by_crash = &*before_;
    const termios raw = made_raw(*before_);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    (void)write(kEnter);
  }

  void give_back() override {
    if (!before_) return;
    put_back_by_crash = nullptr;
    (void)write(kLeave);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
    before_.reset();
  }

  TerminalSize size() override {
    constexpr int kMost = 1000;
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
    return {std::min<int>(size.ws_col, kMost), std::min<int>(size.ws_row, kMost)};
  }

  bool write(std::string_view text) override { return write_all(STDOUT_FILENO, text); }

  TerminalEvent wait(std::chrono::milliseconds time) override {
    std::array<pollfd, 2> looked{{{signals_.number(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    if (::poll(looked.data(), looked.size(), static_cast<int>(time.count())) <= 0) return {};
    if (looked[0].revents != 0) return signalled();
    std::array<char, kKeysMax> keys{};
    const ssize_t size = ::read(STDIN_FILENO, keys.data(), keys.size());
    if (size <= 0)
      return {size < 0 && errno == EINTR ? TerminalEvent::What::time_passed : TerminalEvent::What::end_asked};
    return {TerminalEvent::What::typed, std::string(keys.data(), static_cast<std::size_t>(size))};
  }

  void stop_process() override { (void)::raise(SIGSTOP); }

 private:
  TerminalEvent signalled() {
    signalfd_siginfo info{};
    if (::read(signals_.number(), &info, sizeof info) != sizeof info) return {};
    const int number = static_cast<int>(info.ssi_signo);
    if (std::ranges::find(kEnding, number) != kEnding.end()) return {TerminalEvent::What::end_asked};
    if (number == SIGTSTP) return {TerminalEvent::What::stop_asked};
    // Somebody else has stopped us, and whoever had the terminal meanwhile has set it otherwise.
    if (number == SIGCONT && before_) take();
    return {TerminalEvent::What::resized};
  }

  sigset_t mask_before_{};
  std::array<struct sigaction, kCrashes.size()> actions_before_{};
  Descriptor signals_;
  std::optional<termios> before_;  // while it is taken
};

}  // namespace

std::unique_ptr<LiveTerminal> open_real_terminal() { return std::make_unique<RealTerminal>(); }

}  // namespace tenure::cli
