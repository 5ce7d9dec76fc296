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

// Waits for the lock as long as the settings say so; nothing once a signal asked us to leave first.
std::optional<ControlLock> take_lock(boost::asio::io_context& context, const config::Settings& settings,
                                     Signals& signals, ServiceManager& service, int& exit_code) {
  boost::asio::steady_timer timer(context);
  bool told = false;
  bool leave = false;
  signals.set_handlers({.on_stop = [&](Signals::Stop) { leave = true; }});
  while (!leave) {
    auto lock = ControlLock::try_acquire(settings.store.path);
    if (lock) return std::move(*lock);
    if (settings.daemon.when_held == config::WhenHeld::exit) {
      log::write(log::Level::error, "lock.held",
                 lock.error().message + "; one dispatcher at a time serves it, so stop that one first");
      exit_code = number_of(exit_code_of(ErrorCode::lock_held));
      return std::nullopt;
    }
    if (!std::exchange(told, true)) {
      log::write(log::Level::info, "daemon.standing_by",
                 lock.error().message + "; waiting until that one ends");
      service.standing_by(lock.error().message);
    }
    const auto looked = std::make_shared<bool>(false);
    timer.expires_after(kStandByLook);
    timer.async_wait([looked](boost::system::error_code) { *looked = true; });
    while (!*looked && !leave) context.run_one();
  }
  service.stopping();
  exit_code = number_of(ExitCode::done);
  log::write(log::Level::info, "daemon.stopped", "exit 0, without having dispatched");
  return std::nullopt;
}

// Everything is where it should be without it.
void shorten_log(queue::Store& store) {
  try {
    store.checkpoint(0);
  } catch (const Error& error) {
    log::write(log::Level::warning, "store.checkpoint_failed", error.what());
  }
}

}  // namespace

int run_dispatcher(const config::Settings& settings, const MakeHost& make_host) {
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
  const std::optional<ControlLock> lock = take_lock(context, settings, signals, service, exit_code);
  signals.set_handlers({});
  if (!lock) return exit_code;

  const auto store = queue::open_sqlite_store(
      {.path = settings.store.path, .create = true, .payload_max = settings.store.payload_max}, clock);
  const auto host = make_host(context.get_executor(), lock->descriptor());
  Loop loop(
      context, settings, *store, clock, *host, signals, service, [&] { lock->require_in_place(); },
      lock->former_died());
  exit_code = loop.run();
  ControlLock::note_leaving();
  if (exit_code == number_of(ExitCode::done)) shorten_log(*store);
  log::write(log::Level::info, "daemon.stopped", "exit " + std::to_string(exit_code));
  // Nothing is put in order on a store that failed, and a stand-alone handler that obeys no stop token must not keep the lock.
  if (exit_code != number_of(ExitCode::done)) log::exit_at_once(exit_code);
  return exit_code;
}

}  // namespace tenure::daemon
