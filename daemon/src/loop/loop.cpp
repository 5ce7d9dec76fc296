#include "loop.hpp"

#include "../supervisor/greeting.hpp"
#include "settings_for_dispatcher.hpp"
#include "settings_for_program.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/random.hpp>
#include <tenure/config/log_options.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/queue/declared_schedules.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kStoreStopMax{5};

log::Level level_of(Note::Level level) {
  switch (level) {
    case Note::Level::info:
      return log::Level::info;
    case Note::Level::warning:
      return log::Level::warning;
    case Note::Level::error:
      break;
  }
  return log::Level::error;
}

// A program that was started by hand has no other process that could read what is new.
control::Reloaded reloaded_by(const config::Changes& changes, bool has_new_workers) {
  control::Reloaded reloaded{.taken_over = changes.taken_over, .waiting = changes.at_start};
  auto& list = has_new_workers ? reloaded.taken_over : reloaded.waiting;
  list.insert(list.end(), changes.by_new_workers.begin(), changes.by_new_workers.end());
  return reloaded;
}

}  // namespace

Loop::Loop(asio::io_context& context, config::Settings settings, queue::Store& store, const Clock& clock,
           WorkerHost& host, Signals& signals, ServiceManager& service, Observer& observer,
           ReadSettings read_settings, std::function<void()> before_round, bool former_died)
    : context_(context),
      settings_(std::move(settings)),
      read_settings_(std::move(read_settings)),
      store_(store),
      clock_(clock),
      host_(host),
      dispatcher_(
          dispatcher_settings(settings_, Random::seed_from_system(), host.can_replace(), former_died)),
      journal_(settings_.daemon.journal_size, settings_.store.path,
               {TENURE_VERSION, config::node_name(settings_), ::getpid()}),
      activity_(clock.steady()),
      timer_(context),
      signals_(signals),
      service_(service),
      observer_(observer),
      wake_socket_(context),
      store_thread_(std::make_unique<StoreThread>(
          store, clock, [this](Event event) { answer(std::move(event)); }, std::move(before_round))) {}

Loop::~Loop() {
  signals_.set_handlers({});
  service_.leave();
  observer_.leave();
  store_thread_->stop();
  for (auto& [process, link] : links_) link->close();
}

int Loop::run() {
  open_wake_socket();
  obey_signals();
  // Whoever waits for this line may send hints and signals from now on.
  log::write(log::Level::info, "daemon.started", "dispatching " + settings_.store.path.string());
  service_.serve([this] { return ServiceReport::Look{dispatcher_.status(), round_since_}; });
  observer_.serve(store_, [this] { return dispatcher_.status(); });
  handle(Started{});
  while (!exit_code_) context_.run_one();
  if (!store_thread_->stops_within(kStoreStopMax)) {
    // Another process holds the writers' lock and does not let go. What is claimed is taken back by the next start.
    log::write(log::Level::error, "store.blocked", "a round does not end; leaving without it");
    log::exit_at_once(*exit_code_);
  }
  return *exit_code_;
}

Now Loop::now() const { return {clock_.wall(), clock_.steady()}; }

void Loop::post(Event event) {
  asio::post(context_, [this, event = std::move(event)]() mutable { handle(std::move(event)); });
}

// On the store's thread.
void Loop::answer(Event event) {
  asio::post(context_, [this, event = std::move(event)]() mutable {
    round_since_.reset();
    handle(std::move(event));
  });
}

void Loop::handle(Event event) {
  thread_.check();
  const Now at = now();
  observer_.happened(event, at);
  activity_.happened(event, at);
  journal_.happened(dispatcher_, event, at);
  Actions actions = dispatcher_.step(std::move(event), at);
  journal_.decided(actions);
  observer_.decided(actions, at);
  activity_.decided(actions, at);
  for (Action& action : actions) std::visit([this](auto& what) { perform(std::move(what)); }, action);
  for (const auto& link : asked_) link->flush();
  asked_.clear();
}

// Whoever asks is told what it meets. A dispatcher whose step was not carried out to its end is not to go on: the loop ends with it.
void Loop::ask(Event event) {
  try {
    handle(std::move(event));
  } catch (...) {
    asio::post(context_, [thrown = std::current_exception()] { std::rethrow_exception(thrown); });
    throw;
  }
}

void Loop::perform(RunRound&& action) {
  round_since_ = clock_.steady();
  store_thread_->submit(std::move(action.work));
}

void Loop::perform(StartProcess&& action) {
  const auto& pool = settings_.pools.at(action.pool);
  const auto descriptor = host_.start(action.process, pool, [this](WorkerGone gone) {
    const auto link = links_.extract(gone.process);
    // What it had still sent comes first: a job that it reported is not one that it took along.
    link.mapped()->when_ended([this, gone = std::move(gone)] { handle(gone); });
  });
  if (!descriptor) return post(WorkerGone{action.process, descriptor.error().message});

  auto link = std::make_shared<WorkerLink>(
      context_.get_executor(), *descriptor, host_.lock_to_share(), action.process,
      static_cast<std::uint16_t>(pool.slots), pool.time_limit,
      WorkerLink::Handlers{
          .on_event = [this](Event event) { handle(with_figures(std::move(event))); },
          .on_greeted =
              [this, process = action.process, pool](const DaemonEnd::Greeted& hello) {
                log::write(log::Level::info, "worker.ready",
                           greeting_text(host_.pid_of(process), pool, hello),
                           {.pool = pool.name, .process = process.value});
              },
          .on_broken =
              [this, process = action.process](const std::string& cause) {
                log::write(log::Level::info, "worker.stream_ended", cause, {.process = process.value});
                host_.end(process, EndProcess::By::kill);
              },
      });
  links_.emplace(action.process, link);
  link->start();
}

void Loop::ask(ProcessNumber process, FunctionRef<void(DaemonEnd&)> what) {
  const auto link = links_.find(process);
  if (link == links_.end()) return;
  what(link->second->end());
  asked_.push_back(link->second);
}

void Loop::perform(Assign&& action) {
  ask(action.process, [&](DaemonEnd& end) {
    const Now at = now();
    for (queue::ClaimedJob& job : action.jobs) {
      const queue::JobId horizon = horizons_.of(job, at);
      end.assign(std::move(job), horizon);
    }
  });
}

void Loop::perform(Recall&& action) {
  ask(action.process, [&](DaemonEnd& end) {
    for (const queue::ClaimRef& claim : action.jobs) end.recall(claim);
  });
}

void Loop::perform(Drain&& action) {
  ask(action.process, [](DaemonEnd& end) { end.drain(); });
}

void Loop::perform(GiveStopToken&& action) {
  ask(action.process, [&](DaemonEnd& end) { end.give_stop_token(action.seq, action.reason); });
}

void Loop::perform(Ping&& action) {
  ask(action.process, [](DaemonEnd& end) { end.ping(); });
}

void Loop::perform(AcknowledgeOutbox&& action) {
  ask(action.process, [&](DaemonEnd& end) { end.acknowledge(action.owner, action.watermark); });
}

void Loop::perform(Describe&& action) {
  ask(action.process, [](DaemonEnd& end) { end.describe(); });
}

void Loop::perform(EndProcess&& action) { host_.end(action.process, action.by); }

void Loop::perform(WakeAt&& action) {
  const auto wait = std::max(std::chrono::microseconds{0}, action.at - clock_.steady());
  timer_.expires_after(wait);
  timer_.async_wait([this](error_code error) {
    if (!error) handle(TimePassed{});
  });
}

void Loop::perform(Note&& action) {
  const auto level = level_of(action.level);
  const std::int64_t process = action.process.value > 0 ? action.process.value : -1;
  log::write(level, action.event, action.message,
             {.pool = action.pool, .process = process, .kind = action.kind, .queue = action.queue});
}

void Loop::perform(FormerClaimsTaken&&) { ControlLock::note_claims_taken_back(); }

void Loop::perform(Serving&&) { service_.serving(); }

void Loop::perform(Leave&& action) {
  exit_code_ = number_of(action.because ? exit_code_of(action.because->code) : ExitCode::done);
}

void Loop::obey_signals() {
  signals_.set_handlers({
      .on_stop =
          [this](Signals::Stop how) {
            log_stopping(how);
            ControlLock::note_leaving();
            service_.stopping();
            handle(StopAsked{how == Signals::Stop::at_once ? StopAsked::How::at_once
                                                           : StopAsked::How::in_phases});
          },
      .on_reload = [this] { reload(); },
      .on_log_opened = [this] { host_.tell_to_open_log(); },
      .on_describe = [this] { handle(DescriptionAsked{}); },
      .has_log_file = [this] { return !settings_.log.file.empty(); },
  });
}

void Loop::log_stopping(Signals::Stop how) const {
  const std::int64_t running = dispatcher_.status().busy;
  const std::string jobs = fmt::format("{} job{}", running, running == 1 ? " runs" : "s run");
  const WallTime until =
      std::chrono::floor<std::chrono::seconds>(clock_.wall() + settings_.daemon.stop_deadline);
  log::write(log::Level::info, "daemon.stopping",
             how == Signals::Stop::at_once ? fmt::format("at once: {}, and what runs is given back", jobs)
                                           : fmt::format("when running jobs have ended: {}, and may until {}",
                                                         jobs, to_rfc3339(until)));
}

// All of it or nothing: a configuration that cannot be used changes nothing.
control::Reloaded Loop::reload() {
  control::Reloaded reloaded;
  service_.reloading();
  try {
    reloaded = take_over(config::changes(settings_, read_settings_()));
  } catch (const Error& error) {
    reloaded = {.taken_over = {}, .waiting = {}, .refused = error.failure()};
    log_refused_settings(error);
  } catch (...) {
    service_.reloaded();
    throw;
  }
  service_.reloaded();
  return reloaded;
}

std::vector<control::Replaced> Loop::replaced_by(const Reconfigured& event) const {
  std::vector<control::Replaced> all;
  for (const ProcessStatus& process : dispatcher_.crew().processes) {
    const bool is_old =
        std::ranges::find(event.of_old_programs, process.number) != event.of_old_programs.end();
    if (process.is_replaced || (!is_old && !event.pools.at(process.pool).is_new)) continue;
    const std::string& pool = settings_.pools.at(process.pool).name;
    if (all.empty() || all.back().pool != pool) all.push_back({pool});
    ++all.back().processes;
    all.back().is_new_program |= is_old;
  }
  return all;
}

control::Reloaded Loop::take_over(const config::Changes& changes) {
  configure_log(changes.settings);  // may refuse the log's file, and then nothing is taken over
  settings_ = changes.settings;
  host_.tell_to_open_log();
  host_.use(settings_);
  tell_reload_(settings_);
  Reconfigured event{.poll = settings_.store.poll,
                     .stop_deadline = settings_.daemon.stop_deadline,
                     .ping_max = settings_.daemon.ping_max,
                     .pools = {},
                     .of_old_programs = host_.of_old_programs(),
                     .schedules = queue::declared_schedules(settings_.schedules),
                     .limits = limits_in(settings_)};
  for (std::size_t pool = 0; pool < settings_.pools.size(); ++pool) {
    const config::PoolSettings& settings = settings_.pools[pool];
    event.pools.push_back({.processes = static_cast<int>(settings.processes),
                           .jobs_max = settings.jobs_max,
                           .memory_max = static_cast<std::int64_t>(settings.memory_max),
                           .is_new = changes.workers_are_old[pool] && host_.can_replace(),
                           .tenants = tenants_in(settings),
                           .reserved = reserved_in(settings)});
  }
  control::Reloaded reloaded = reloaded_by(changes, host_.can_replace());
  reloaded.replaced = replaced_by(event);
  waiting_ = reloaded.waiting;
  log_reloaded(reloaded);
  ask(std::move(event));
  return reloaded;
}

Event Loop::with_figures(Event event) const {
  if (auto* const ready = std::get_if<WorkerReady>(&event)) ready->pid = host_.pid_of(ready->process);
  if (auto* const ponged = std::get_if<Ponged>(&event)) ponged->memory = host_.memory_of(ponged->process);
  return event;
}

void Loop::open_wake_socket() {
  try {
    wake_socket_.assign(asio::local::datagram_protocol{}, queue::bind_wake_receiver(settings_.store.path));
    wake_socket_kept_.emplace(wake_socket_.native_handle());
    await_hint();
  } catch (const Error& error) {
    // Hints only shorten the wait; without them the poll finds the work.
    log::write(log::Level::warning, "wake.unavailable", error.what());
  }
}

void Loop::await_hint() {
  wake_socket_.async_receive(asio::buffer(wake_bytes_), [this](error_code error, std::size_t size) {
    if (error) return;
    handle(WakeHinted{queue::read_wake_hint({wake_bytes_.data(), size})});
    await_hint();
  });
}

}  // namespace tenure::daemon
