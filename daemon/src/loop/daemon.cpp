#include "../worker/bus_errors.hpp"
#include "control_service.hpp"
#include "loop.hpp"
#include "service_manager.hpp"
#include "settings_for_program.hpp"
#include "signals.hpp"
#include "stand_by.hpp"
#include "upkeep.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/operator_identity.hpp>
#include <tenure/config/check.hpp>
#include <tenure/config/seal_keys.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/daemon/daemon.hpp>
#include <tenure/queue/restore.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <pthread.h>
#include <thread>
#include <utility>

namespace tenure::daemon {
namespace {

// Everything is where it should be without it.
void shorten_log(queue::Store& store) {
  try {
    store.checkpoint(0);
  } catch (const Error& error) {
    log::write(log::Level::warning, "store.checkpoint_failed", error.what());
  }
}

// While the disk or the store hangs that somebody looks at.
constexpr std::chrono::milliseconds kLastLookMax{1000};

// Nothing that is left open would come to an end by being waited for, and what another process reads of it is whole at any moment.
[[noreturn]] void stop_at_once(int exit_code) {
  ControlLock::note_leaving();
  log::write(log::Level::info, "daemon.stopped", "exit " + std::to_string(exit_code));
  log::exit_at_once(exit_code);
}

void stop_looking(Observer& observer, int exit_code) {
  if (!observer.leaves_within(kLastLookMax)) stop_at_once(exit_code);
}

[[noreturn]] void stop_before_the_store_is_open(ServiceManager& service) {
  log::write(log::Level::info, "daemon.stopping", "at once: nothing has been dispatched");
  service.stopping();
  stop_at_once(number_of(ExitCode::done));
}

// The dispatcher's lock is ours, and nothing is claimed yet.
void accept_if_put_back(queue::Store& store, const Clock& clock) {
  const auto restored = queue::accept_if_copied(store, queue::AcceptRepeats::no,
                                                {.who = identify_process(), .verb = "store restored"}, clock);
  if (restored)
    log::write(log::Level::warning, "store.restored",
               fmt::format("the control database was put back from a copy of {}: epoch {}. {} tenants' "
                           "databases are looked at for jobs that are in neither",
                           to_rfc3339(restored->copied), restored->epoch, restored->marked));
}

// On a thread of its own, since another process may have the store to itself, and jobs that wait are looked at where the keys are others
// than before: it is waited for, and whoever asks is answered meanwhile, the service manager and who stops us too. What other signals
// tell waits for the loop.
std::unique_ptr<queue::Store> open_store(boost::asio::io_context& context, Signals& signals,
                                         ServiceManager& service, const queue::SqliteStoreOptions& options,
                                         const KeyRing& keys, const Clock& clock) {
  signals.keep_all_but_stops([&](Signals::Stop) { stop_before_the_store_is_open(service); });
  std::packaged_task<std::unique_ptr<queue::Store>()> open([&] {
    auto store = queue::open_sqlite_store(options, clock);
    accept_if_put_back(*store, clock);
    queue::put_in_force(*store, keys);
    return store;
  });
  auto store = open.get_future();
  bool is_over = false;
  const std::jthread opening([&] {
    ::pthread_setname_np(::pthread_self(), "opening");
    open();
    boost::asio::post(context, [&] { is_over = true; });
  });
  while (!is_over) context.run_one();
  return store.get();
}

// Whoever stands by is told of what is missing now, and not when he is needed.
void require_startable(const config::Settings& settings) {
  std::error_code ignored;
  if (!std::filesystem::exists(settings.store.path.parent_path(), ignored))
    raise(ErrorCode::database_missing, config::missing_store_text(settings.store));
  static_cast<void>(config::read_seal_keys(settings.security, config::credentials_folder()));
}

// By whatever a process is started with.
void set_up_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // Inherited as ignored, the kernel would reap the workers itself and their ends could not be told.
  std::signal(SIGCHLD, SIG_DFL);
  leave_on_bus_errors_of_databases();
}

int stop_well_or_at_once(int exit_code, queue::Store& store) {
  ControlLock::note_leaving();
  if (exit_code == number_of(ExitCode::done)) shorten_log(store);
  log::write(log::Level::info, "daemon.stopped", "exit " + std::to_string(exit_code));
  // Nothing is put in order on a store that failed, and a stand-alone handler that obeys no stop token must not keep the lock.
  if (exit_code != number_of(ExitCode::done)) log::exit_at_once(exit_code);
  return exit_code;
}

}  // namespace

int run_dispatcher(config::Settings settings, const ReadSettings& read_settings, const MakeHost& make_host,
                   const MakeObserver& make_observer, const GuardJournal& guard_journal) {
  set_up_signals();
  require_startable(settings);
  const RealClock clock;
  boost::asio::io_context context(1);
  ServiceManager service(context, clock);
  const auto passed = control::Listener::take_passed();
  const control::Listener* const passed_or_none = passed ? &*passed : nullptr;
  int exit_code = number_of(ExitCode::done);
  Signals signals(context);
  const auto observer = make_observer(context, clock, settings);
  const std::optional<ControlLock> lock =
      StandBy(context, settings, read_settings, signals, service, *observer, passed_or_none)
          .take_lock(exit_code);
  if (!lock) {
    stop_looking(*observer, exit_code);
    return exit_code;
  }
  observer->lock_taken(settings);

  const KeyRing keys = config::read_seal_keys(settings.security, config::credentials_folder());
  const auto store = open_store(
      context, signals, service,
      {.path = settings.store.path, .create = true, .payload_max = settings.store.payload_max, .keys = keys},
      keys, clock);
  const auto host = make_host(context.get_executor(), {lock->descriptor(), settings, keys});
  Loop loop(
      context, settings, *store, clock, *host, signals, service, *observer, read_settings,
      [&] { lock->require_in_place(); }, lock->former_died());
  const auto journal_guard = guard_journal ? guard_journal(loop.journal_keeper(), clock.wall()) : nullptr;
  auto operators =
      serve_operators(context.get_executor(), settings, passed_or_none, loop, OperatorsOf::holder);
  {
    Upkeep upkeep(context, settings, *store, clock, loop, *observer);
    exit_code = loop.run();
    upkeep.stop(exit_code);
  }
  operators.reset();
  stop_looking(*observer, exit_code);
  return stop_well_or_at_once(exit_code, *store);
}

}  // namespace tenure::daemon
