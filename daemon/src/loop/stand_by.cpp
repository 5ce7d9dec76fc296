#include "stand_by.hpp"

#include "control_service.hpp"

#include <tenure/base/log.hpp>
#include <tenure/config/changes.hpp>
#include <tenure/config/log_options.hpp>

#include <algorithm>
#include <chrono>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::chrono::milliseconds kStandByLook{100};

}  // namespace

StandBy::StandBy(boost::asio::io_context& context, config::Settings& settings,
                 const ReadSettings& read_settings, Signals& signals, ServiceManager& service,
                 Observer& observer, const control::Listener* passed)
    : context_(context),
      settings_(settings),
      read_settings_(read_settings),
      signals_(signals),
      service_(service),
      observer_(observer),
      passed_(passed),
      timer_(context) {
  signals_.set_handlers({.on_stop = [this](Signals::Stop) { leave(); },
                         .on_reload = [this] { reload(); },
                         .has_log_file = [this] { return !settings_.log.file.empty(); }});
}

void StandBy::leave() {
  log::write(log::Level::info, "daemon.stopping", "at once: nothing has been dispatched");
  leave_ = true;
}

StandBy::~StandBy() { signals_.set_handlers({}); }

std::optional<ControlLock> StandBy::take_lock(int& exit_code) {
  while (!leave_) {
    auto lock = ControlLock::try_acquire(settings_.store.path);
    if (lock) return std::move(*lock);
    if (settings_.daemon.when_held == config::WhenHeld::exit) {
      log::write(log::Level::error, "lock.held",
                 lock.error().message + "; one dispatcher at a time serves it, so stop that one first");
      exit_code = number_of(exit_code_of(ErrorCode::lock_held));
      return std::nullopt;
    }
    if (holder_.empty()) begin(lock.error().message);
    if (std::exchange(holder_, lock.error().message) != lock.error().message) observer_.standing_by();
    wait();
  }
  service_.stopping();
  exit_code = number_of(ExitCode::done);
  log::write(log::Level::info, "daemon.stopped", "exit 0, without having dispatched");
  return std::nullopt;
}

void StandBy::begin(const std::string& holder) {
  log::write(log::Level::info, "daemon.standing_by", holder + "; waiting until that one ends");
  service_.standing_by(holder);
  server_ = serve_operators(context_.get_executor(), settings_, passed_, *this, OperatorsOf::standing_by);
}

void StandBy::wait() {
  const auto looked = std::make_shared<bool>(false);
  timer_.expires_after(kStandByLook);
  timer_.async_wait([looked](boost::system::error_code) { *looked = true; });
  while (!*looked && !leave_) context_.run_one();
}

control::Reloaded StandBy::reload() {
  control::Reloaded reloaded;
  service_.reloading();
  try {
    config::Settings fresh = read_settings_();
    config::Changes changes = config::changes(settings_, fresh);
    for (const auto* const list : {&changes.taken_over, &changes.by_new_workers, &changes.at_start})
      for (const std::string& key : *list)
        (key == "store.path" || key.starts_with("http.") ? reloaded.waiting : reloaded.taken_over)
            .push_back(key);
    fresh.store.path = settings_.store.path;
    fresh.http = settings_.http;
    configure_log(fresh);
    settings_ = std::move(fresh);
    log_reloaded(reloaded);
  } catch (const Error& error) {
    reloaded = {.taken_over = {}, .waiting = {}, .refused = error.failure()};
    log_refused_settings(error);
  }
  service_.reloaded();
  return reloaded;
}

control::DaemonView StandBy::view() const {
  return {.pid = ::getpid(),
          .node = config::node_name(settings_),
          .holder = holder_,
          .can_replace = false,
          .status = {},
          .pools = {},
          .workers = {},
          .now = {}};
}

// The router hands on nothing that is the holder's.
void StandBy::ask(Event) { TENURE_INVARIANT(false); }

Activity::View StandBy::activity() const { return {}; }

std::vector<PoolTurn> StandBy::turns(const queue::Lane&, std::int64_t) const { return {}; }

}  // namespace tenure::daemon
