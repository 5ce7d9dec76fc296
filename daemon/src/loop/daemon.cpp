#include "../worker/bus_errors.hpp"
#include "loop.hpp"
#include "service_manager.hpp"
#include "settings_for_program.hpp"
#include "signals.hpp"

#include <tenure/base/log.hpp>
#include <tenure/config/check.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/daemon/daemon.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::chrono::milliseconds kStandByLook{100};

// What waits for the lock, until it is there or a signal asks it to leave first.
class StandBy {
 public:
  StandBy(boost::asio::io_context& context, config::Settings& settings, const ReadSettings& read_settings,
          Signals& signals, ServiceManager& service)
      : context_(context),
        settings_(settings),
        read_settings_(read_settings),
        signals_(signals),
        service_(service) {
    signals_.set_handlers(
        {.on_stop = [this](Signals::Stop) { leave_ = true; }, .on_reload = [this] { reload(); }});
  }
  ~StandBy() { signals_.set_handlers({}); }
  StandBy(const StandBy&) = delete;
  StandBy& operator=(const StandBy&) = delete;

  // Nothing, and what to leave with, where there will be no lock.
  std::optional<ControlLock> take_lock(int& exit_code) {
    while (!leave_) {
      auto lock = ControlLock::try_acquire(settings_.store.path);
      if (lock) return std::move(*lock);
      if (settings_.daemon.when_held == config::WhenHeld::exit) {
        log::write(log::Level::error, "lock.held",
                   lock.error().message + "; one dispatcher at a time serves it, so stop that one first");
        exit_code = number_of(exit_code_of(ErrorCode::lock_held));
        return std::nullopt;
      }
      tell_once(lock.error().message);
      wait();
    }
    service_.stopping();
    exit_code = number_of(ExitCode::done);
    log::write(log::Level::info, "daemon.stopped", "exit 0, without having dispatched");
    return std::nullopt;
  }

 private:
  void tell_once(const std::string& holder) {
    if (std::exchange(is_told_, true)) return;
    log::write(log::Level::info, "daemon.standing_by", holder + "; waiting until that one ends");
    service_.standing_by(holder);
  }

  void wait() {
    const auto looked = std::make_shared<bool>(false);
    timer_.expires_after(kStandByLook);
    timer_.async_wait([looked](boost::system::error_code) { *looked = true; });
    while (!*looked && !leave_) context_.run_one();
  }

  // Nothing has been begun by the former settings but waiting for this very lock, and answering whoever asks.
  void reload() {
    service_.reloading();
    try {
      config::Settings fresh = read_settings_();
      std::string waiting = fresh.store.path != settings_.store.path ? "store.path" : "";
      if (fresh.http != settings_.http) waiting += waiting.empty() ? "http.*" : ", http.*";
      if (!waiting.empty())
        log::write(log::Level::warning, "configuration.waits",
                   "changed, and in force from the next start on: " + waiting);
      fresh.store.path = settings_.store.path;
      fresh.http = settings_.http;
      configure_log(fresh);
      settings_ = std::move(fresh);
      log::write(log::Level::info, "configuration.reloaded", "while standing by: all of it is in force");
    } catch (const Error& error) {
      log_refused_settings(error);
    }
    service_.reloaded();
  }

  boost::asio::io_context& context_;
  config::Settings& settings_;
  const ReadSettings& read_settings_;
  Signals& signals_;
  ServiceManager& service_;
  boost::asio::steady_timer timer_{context_};
  bool is_told_ = false;
  bool leave_ = false;
};

// Everything is where it should be without it.
void shorten_log(queue::Store& store) {
  try {
    store.checkpoint(0);
  } catch (const Error& error) {
    log::write(log::Level::warning, "store.checkpoint_failed", error.what());
  }
}

}  // namespace

int run_dispatcher(config::Settings settings, const ReadSettings& read_settings, const MakeHost& make_host,
                   const MakeObserver& make_observer) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // Inherited as ignored, the kernel would reap the workers itself and their ends could not be told.
  std::signal(SIGCHLD, SIG_DFL);
  leave_on_bus_errors_of_databases();
  std::error_code ignored;
  if (!std::filesystem::exists(settings.store.path.parent_path(), ignored))
    raise(ErrorCode::database_missing, config::missing_store_text(settings.store));
  const RealClock clock;
  boost::asio::io_context context(1);
  ServiceManager service(context, clock);
  int exit_code = number_of(ExitCode::done);
  Signals signals(context);
  const auto observer = make_observer(context, clock, settings);
  const std::optional<ControlLock> lock =
      StandBy(context, settings, read_settings, signals, service).take_lock(exit_code);
  if (!lock) return exit_code;
  observer->lock_taken();

  const auto store = queue::open_sqlite_store(
      {.path = settings.store.path, .create = true, .payload_max = settings.store.payload_max}, clock);
  const auto host = make_host(context.get_executor(), lock->descriptor(), settings);
  Loop loop(
      context, settings, *store, clock, *host, signals, service, *observer, read_settings,
      [&] { lock->require_in_place(); }, lock->former_died());
  exit_code = loop.run();
  ControlLock::note_leaving();
  if (exit_code == number_of(ExitCode::done)) shorten_log(*store);
  log::write(log::Level::info, "daemon.stopped", "exit " + std::to_string(exit_code));
  // Nothing is put in order on a store that failed, and a stand-alone handler that obeys no stop token must not keep the lock.
  if (exit_code != number_of(ExitCode::done)) log::exit_at_once(exit_code);
  return exit_code;
}

}  // namespace tenure::daemon
