#include "../supervisor/exec_host.hpp"
#include "loop.hpp"

#include <tenure/base/log.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/daemon/daemon.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <csignal>
#include <optional>

#include <pthread.h>

namespace tenure::daemon {
namespace {

constexpr std::chrono::milliseconds kStandByLook{100};

// Waits for the lock as long as the settings say so; nothing once a signal asked us to leave first.
std::optional<ControlLock> take_lock(boost::asio::io_context& context, const config::Settings& settings, int& exit_code) {
  boost::asio::signal_set signals(context, SIGTERM, SIGINT, SIGQUIT);
  boost::asio::steady_timer timer(context);
  bool told = false;
  bool leave = false;
  signals.async_wait([&](boost::system::error_code error, int) { leave = leave || !error; });
  while (!leave) {
    auto lock = ControlLock::try_acquire(settings.store.path);
    if (lock) return std::move(*lock);
    if (settings.daemon.when_held == config::WhenHeld::exit) {
      log::write(log::Level::error, "lock.held", lock.error().message);
      exit_code = kExitLockHeld;
      return std::nullopt;
    }
    if (!std::exchange(told, true)) log::write(log::Level::info, "daemon.standing_by", lock.error().message);
    bool looked = false;
    timer.expires_after(kStandByLook);
    timer.async_wait([&](boost::system::error_code) { looked = true; });
    while (!looked && !leave) context.run_one();
  }
  exit_code = kExitDone;
  return std::nullopt;
}

int exit_code_of(const Error& error) {
  switch (error.code()) {  // NOLINT(clang-diagnostic-switch-enum): all others are one answer
    case ErrorCode::disk_sync_failed: return kExitSyncFailed;
    case ErrorCode::schema_mismatch:
    case ErrorCode::access_refused:
    case ErrorCode::bad_configuration: return kExitConfiguration;
    default: return kExitStoreUnavailable;
  }
}

int run(const config::Settings& settings, const std::filesystem::path& config_file) {
  boost::asio::io_context context(1);
  int exit_code = kExitDone;
  std::optional<ControlLock> lock = take_lock(context, settings, exit_code);
  if (!lock) return exit_code;

  const RealClock clock;
  const auto store = queue::open_sqlite_store(
      {.path = settings.store.path, .create = true, .payload_max = settings.store.payload_max}, clock);
  ExecHost host(context.get_executor(), {.config_file = config_file, .lock_descriptor = lock->descriptor()});
  Loop loop(context, settings, *store, clock, host);
  log::write(log::Level::info, "daemon.started", "dispatching " + settings.store.path.string());
  exit_code = loop.run();
  if (exit_code == kExitDone) store->checkpoint(0);
  log::write(log::Level::info, "daemon.stopped", "exit " + std::to_string(exit_code));
  return exit_code;
}

}  // namespace

int run_daemon(const config::Settings& settings, const std::filesystem::path& config_file) {
  ::pthread_setname_np(::pthread_self(), "dispatcher");
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(settings, config_file);
  } catch (const Error& error) {
    log::write(log::Level::error, "daemon.failed", error.what());
    return exit_code_of(error);
  }
}

}  // namespace tenure::daemon
