#include "simulation.hpp"

#include "simulation_worker.hpp"

#include <algorithm>
#include <exception>
#include <limits>

namespace tenure::simulation {

using daemon::Action;
using daemon::RunResult;
using queue::ClaimedJob;
using queue::JobSeq;

Simulation::Simulation(queue::Store& store, Options options)
    : store_(store), options_(std::move(options)), random_(options_.seed), ids_(options_.seed) {
  options_.settings.seed = random_.next();
}

Simulation::~Simulation() { tell_if_failed(); }

void Simulation::start() {
  ++life_;
  if (has_left_ && has_taken_claims_) options_.settings.former_died = false;
  has_left_ = false;
  has_taken_claims_ = false;
  dispatcher_ = std::make_unique<daemon::Dispatcher>(options_.settings);
  journals.push_back(std::make_unique<daemon::journal::Journal>(options_.journal_bytes));
  step(daemon::Started{});
}

void Simulation::create_tenant(const std::string& name, bool is_active) {
  const TenantName tenant = value_or_raise(TenantName::parse(name));
  const TenantRecord record = value_or_raise(store_.registry().begin_create(tenant, clock_.wall()));
  if (is_active) value_or_raise(store_.registry().activate(tenant, record.generation));
}

void Simulation::activate_tenant(const std::string& name) {
  const TenantName tenant = value_or_raise(TenantName::parse(name));
  value_or_raise(store_.registry().activate(tenant, store_.registry().find(tenant)->generation));
}

JobId Simulation::enqueue(const JobSpec& spec, bool hint) { return enqueue_many(spec, 1, hint).front(); }

std::vector<JobId> Simulation::enqueue_many(const JobSpec& spec, std::size_t count, bool hint) {
  std::vector<JobId> ids;
  std::optional<queue::Lane> lane;
  std::vector<std::pair<queue::NewJob, queue::Enqueued>> answers;
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    for (std::size_t index = 0; index < count; ++index) {
      queue::NewJob job;
      job.id = JobId{ids_.next(clock_.wall())};
      if (!spec.tenant.empty()) job.tenant = value_or_raise(TenantName::parse(spec.tenant));
      job.queue = spec.queue;
      job.kind = spec.kind;
      job.priority = queue::Priority{spec.priority};
      job.due = clock_.wall() + spec.due_in;
      job.attempts_max = spec.attempts_max;
      job.arguments = "{}";
      if (spec.start_within) {
        job.start_before = clock_.wall() + *spec.start_within;
        start_before_.emplace(job.id, *job.start_before);
      }
      job.concurrency = spec.concurrency;
      job.unique = spec.unique;
      job.batch = spec.batch;
      answers.emplace_back(job, value_or_raise(writer.enqueue(job, clock_.wall())));
      const auto& answer = answers.back().second;
      if (answer.arrival && answer.arrival->state == queue::JobState::ready) lane = answer.arrival->lane;
      ids.push_back(answer.id);
      attempted_.insert(answer.id);
    }
  });
  for (const auto& [job, answer] : answers) enqueued(job, answer);
  acknowledged_.insert(ids.begin(), ids.end());
  if (count != 1) lane.reset();
  if (hint) this->hint(lane);
  return ids;
}

namespace {

std::string key_of(const std::optional<TenantName>& tenant, const std::string& key, bool is_global) {
  return (is_global ? "*" : tenant ? tenant->text() : "-") + '/' + key;
}

}  // namespace

void Simulation::enqueued(const queue::NewJob& job, const queue::Enqueued& answer) {
  if (const auto& key = job.concurrency; key && !answer.existed)
    keyed_[job.id] = {key_of(job.tenant, key->key, key->is_global), key->running_max};
  if (!job.unique) return;
  const auto [holder, is_new] =
      unique_.try_emplace(key_of(job.tenant, job.unique->key, job.unique->is_global), answer.id);
  if (is_new) return;
  const bool had_ended = this->job(holder->second).finished.has_value();
  if (answer.existed ? answer.id != holder->second : !had_ended) ++doubled_;
  holder->second = answer.id;
}

// Called when it performs.
void Simulation::note_start_of_key(JobId id) {
  const auto found = keyed_.find(id);
  if (found == keyed_.end()) return;
  int running = 0;
  for (const auto& [seq, performing] : performing_) {
    const auto other = keyed_.find(performing);
    running += other != keyed_.end() && other->second.key == found->second.key ? 1 : 0;
  }
  if (running > found->second.running_max) ++overrun_;
  if (running == found->second.running_max) ++keyed_beside_others;
}

void Simulation::hint(const std::optional<queue::Lane>& lane) {
  at(options_.frame_time, [this, lane] {
    if (is_up()) step(daemon::WakeHinted{lane});
  });
}

void Simulation::cancel(JobId id, bool hint) {
  const queue::JobRecord before = job(id);
  if (before.finished) return;
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(before.claim ? writer.ask_to_cancel(id, clock_.wall())
                                : writer.cancel_by_operator(id, clock_.wall()));
  });
  ++faults.cancels;
  if (!before.claim) ++ended_;
  cancelled_.emplace(id, before.claim);
  note_callbacks();
  if (hint) this->hint();
}

void Simulation::stop(daemon::StopAsked::How how) { step(daemon::StopAsked{how}); }

void Simulation::kill_worker(ProcessNumber process, const queue::ProcessExit& exit) {
  if (Worker* const doomed = worker(process)) kill(*doomed, exit, {});
}

void Simulation::kill(Worker& process, const queue::ProcessExit& exit,
                      std::optional<queue::ClaimRef> crashed) {
  if (!process.is_alive) return;
  ++faults.workers_killed;
  if (crashed) ++faults.workers_crashed;
  gone(process, exit, kReapTime, crashed);
}

void Simulation::garble_worker(ProcessNumber process, std::string_view bytes) {
  Worker* const garbled = worker(process);
  if (garbled == nullptr || !garbled->is_alive || garbled->is_hung) return;
  ++faults.workers_garbled;
  heard(process, bytes);
}

void Simulation::tell_worker_to_end(ProcessNumber process) {
  Worker* const told = worker(process);
  if (told == nullptr || !told->is_alive || told->is_hung) return;
  ++faults.workers_told;
  carry_out(*told, told->end.told_to_end());
}

void Simulation::reload(int processes, bool is_new) {
  daemon::Reconfigured settings{.poll = options_.settings.poll,
                                .stop_deadline = options_.settings.stop_deadline,
                                .ping_max = options_.settings.ping_max,
                                .pools = {}};
  for (const daemon::PoolSettings& pool : options_.settings.pools)
    settings.pools.push_back(
        {.processes = processes, .is_new = is_new, .tenants = pool.tenants, .reserved = pool.reserved});
  reload(settings);
}

// The next dispatcher reads the same file.
void Simulation::reload(const daemon::Reconfigured& settings) {
  ++faults.reloads;
  for (std::size_t pool = 0; pool < settings.pools.size(); ++pool) {
    options_.settings.pools[pool].tenants = settings.pools[pool].tenants;
    options_.settings.pools[pool].reserved = settings.pools[pool].reserved;
  }
  step(settings);
}

void Simulation::hang_worker(ProcessNumber process) {
  if (Worker* const hung = worker(process)) {
    ++faults.workers_hung;
    hung->is_hung = true;
  }
}

// The kernel ends the workers with it, before the lock is free for the next one.
void Simulation::crash_dispatcher(bool workers_survive) {
  ++faults.dispatchers_crashed;
  if (!has_left_) options_.settings.former_died = true;
  ++life_;
  dispatcher_.reset();
  workers_.clear();
  if (!workers_survive) performing_.clear();
}

void Simulation::jump_wall(microseconds by) {
  ++faults.clock_jumps;
  clock_.jump_wall(by);
}

bool Simulation::run_one() {
  if (events_.empty()) return false;
  const auto event = events_.begin();
  const Instant moment = event->first.first;
  const auto what = std::move(event->second);
  events_.erase(event);
  if (moment > clock_.steady()) clock_.advance(moment - clock_.steady());
  what();
  return true;
}

void Simulation::run_for(microseconds time) {
  const Instant end = now() + time;
  while (!events_.empty() && events_.begin()->first.first <= end) run_one();
  if (now() < end) clock_.advance(end - now());
}

bool Simulation::run_until(const std::function<bool()>& done, microseconds bound) {
  const Instant end = now() + bound;
  while (!done()) {
    if (events_.empty() || events_.begin()->first.first > end) return false;
    run_one();
  }
  return true;
}

void Simulation::at(microseconds in, std::function<void()> what) {
  events_.emplace(std::pair{clock_.steady() + in, ++event_number_}, std::move(what));
}

void Simulation::at_in_this_life(microseconds in, std::function<void()> what) {
  at(in, [this, life = life_, what = std::move(what)] {
    if (life == life_) what();
  });
}

void Simulation::step(const daemon::Event& event) {
  if (!is_up()) return;
  const daemon::Now now{clock_.wall(), clock_.steady()};
  journals.back()->happened(*dispatcher_, event, now);
  const daemon::Actions actions = dispatcher_->step(event, now);
  journals.back()->decided(actions);
  if (on_step) on_step(event, actions);
  for (const Action& action : actions) {
    if (is_up()) carry_out(action);
  }
}

void Simulation::carry_out(const Action& action) {
  if (std::holds_alternative<daemon::Drain>(action) ||
      std::holds_alternative<daemon::GiveStopToken>(action) ||
      std::holds_alternative<daemon::EndProcess>(action) || std::holds_alternative<daemon::Recall>(action) ||
      std::holds_alternative<daemon::StartProcess>(action) || std::holds_alternative<daemon::Leave>(action)) {
    control.emplace_back(now(), action);
  }
  if (const auto* round = std::get_if<daemon::RunRound>(&action)) run_round(*round);
  if (const auto* begun = std::get_if<daemon::StartProcess>(&action)) start_process(*begun);
  if (const auto* jobs = std::get_if<daemon::Assign>(&action)) assign(*jobs);
  if (const auto* jobs = std::get_if<daemon::Recall>(&action)) {
    ask(jobs->process, [&](daemon::DaemonEnd& end) {
      for (const queue::ClaimRef& claim : jobs->jobs) end.recall(claim);
    });
  }
  if (const auto* drained = std::get_if<daemon::Drain>(&action))
    ask(drained->process, [](daemon::DaemonEnd& end) { end.drain(); });
  if (const auto* told = std::get_if<daemon::GiveStopToken>(&action))
    ask(told->process, [&](daemon::DaemonEnd& end) { end.give_stop_token(told->seq, told->reason); });
  if (const auto* ping = std::get_if<daemon::Ping>(&action))
    ask(ping->process, [](daemon::DaemonEnd& end) { end.ping(); });
  if (const auto* ended = std::get_if<daemon::EndProcess>(&action)) {
    if (Worker* const found = worker(ended->process); found != nullptr && found->is_alive) {
      // A hung one does not even die of SIGABRT.
      if (ended->by == daemon::EndProcess::By::kill || !found->is_hung) gone(*found, kKilled, kReapTime);
    }
  }
  if (const auto* wake = std::get_if<daemon::WakeAt>(&action)) wake_at(wake->at);
  if (const auto* note = std::get_if<daemon::Note>(&action)) notes.push_back(*note);
  if (std::holds_alternative<daemon::FormerClaimsTaken>(action)) has_taken_claims_ = true;
  if (std::holds_alternative<daemon::Leave>(action)) has_left_ = true;
}

// Half of its time before the commit, half after it: the dispatcher may end in either half.
void Simulation::run_round(const daemon::RunRound& action) {
  ++rounds;
  std::vector<queue::PoolTenants> pools;
  for (const daemon::PoolSettings& pool : options_.settings.pools) pools.push_back(pool.tenants);
  at(options_.round_time / 2, [this, life = life_, work = action.work, pools = std::move(pools)] {
    if (life != life_) return;
    if (rounds_to_fail_ > 0) {
      --rounds_to_fail_;
      ++faults.rounds_failed;
      at_in_this_life(options_.round_time / 2, [this] {
        step(daemon::RoundFailed{Failure{ErrorCode::store_busy, "simulated"}});
      });
      return;
    }
    const daemon::RoundReply reply = daemon::run_round(store_, *work, clock_.wall());
    note_stored(*work, reply);
    note_pools(pools, *work, reply);
    if (rounds_to_deny_ > 0) {
      --rounds_to_deny_;
      step(daemon::RoundFailed{Failure{ErrorCode::store_busy, "simulated, but it was done"}});
      return;
    }
    const bool looked = options_.compares_lanes && reply.answer<daemon::NewJobsPart>();
    at(options_.round_time / 2,
       [this, life, reply, looked, expected = looked ? claimable() : decltype(claimable()){}] {
         if (life != life_) {
           ++faults.rounds_cut;
           return;
         }
         step(daemon::RoundDone{reply});
         if (looked) compare_lanes(expected);
       });
  });
}

// The jobs that they have made are known by nobody but the store, which has acknowledged them.
void Simulation::note_ticks(const daemon::TicksPart::Ask& ask, const daemon::TicksPart::Answer& answer) {
  std::int64_t fired = 0;
  for (std::size_t index = 0; index < ask.orders.size(); ++index) {
    const auto& [name, order] = ask.orders[index];
    fired += answer[index].fired;
    if (answer[index].fired > 0 && order.fire && !fired_.emplace(name, *order.fire).second) ++ticks_again_;
  }
  if (options_.knows_ticks) note_all_jobs(fired);
}

void Simulation::note_visits(const daemon::VisitsPart::Ask& ask, const daemon::VisitsPart::Answer& answer) {
  std::int64_t made = 0;
  for (const queue::VisitReply& reply : answer) made += std::ssize(reply.made);
  note_all_jobs(made);
  store_.read([&](queue::JobReader& reader) {
    for (const auto& [name, order] : ask.orders) {
      if (!order.is_cancelled) continue;
      const auto batch = reader.batches().batches(queue::BatchNumber{order.fan_out.value + 1}, 1).front();
      for (const queue::FanOutJob& job :
           reader.fan_outs().jobs(batch.id, queue::FanOutJobs::failed, JobSeq{0}, attempted_.size()))
        if (job.ended == queue::JobState::cancelled && !cancelled_.contains(job.id))
          ended_ += cancelled_by_fan_outs_.insert(job.id).second ? 1U : 0U;
    }
  });
}

// Behind so many that are new.
void Simulation::note_all_jobs(std::int64_t new_jobs) {
  if (new_jobs == 0) return;
  store_.read([&](queue::JobReader& reader) {
    reader.visit_jobs({}, {.limit = static_cast<std::size_t>(new_jobs) + attempted_.size(), .after = {}},
                      wall(), [&](const queue::JobRecord& job) {
                        attempted_.insert(job.id);
                        acknowledged_.insert(job.id);
                        return true;
                      });
  });
}

BatchId Simulation::open_batch(const std::string& tenant, const std::string& kind, const std::string& queue,
                               microseconds run_in) {
  queue::NewBatch batch;
  batch.id = BatchId{ids_.next(clock_.wall())};
  if (!tenant.empty()) batch.tenant = value_or_raise(TenantName::parse(tenant));
  queue::BatchCallback callback;
  callback.job.kind = kind;
  callback.run_in = run_in;
  callback.job.queue = queue;
  callback.job.attempts_max = 10;
  callback.job.arguments = "{}";
  batch.on_complete = callback;
  batch.on_success = callback;
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.batches().open(batch, clock_.wall())));
  });
  batches_.insert(batch.id);
  unsettled_.insert(batch.id);
  return batch.id;
}

void Simulation::close_batch(BatchId id, bool hint) {
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.batches().close(id, clock_.wall()));
  });
  note_callbacks();
  if (hint) this->hint();
}

BatchId Simulation::start_fan_out(const std::string& kind, microseconds window,
                                  const std::optional<StartRate>& rate, bool hint) {
  queue::NewFanOut fan_out;
  fan_out.id = BatchId{ids_.next(clock_.wall())};
  fan_out.job = {.queue = "default", .kind = kind, .attempts_max = 10, .arguments = "{}"};
  fan_out.window = window;
  fan_out.rate = rate;
  fan_out.on_complete = queue::BatchCallback{.job = fan_out.job};
  fan_out.on_success = fan_out.on_complete;
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.fan_outs().start(fan_out, clock_.wall())));
  });
  batches_.insert(fan_out.id);
  unsettled_.insert(fan_out.id);
  if (hint) this->hint();
  return fan_out.id;
}

// One that is complete, or cancelled, stays so.
void Simulation::cancel_fan_out(BatchId id, bool hint) {
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(writer.fan_outs().cancel(id, clock_.wall()));
  });
  note_callbacks();
  if (hint) this->hint();
}

void Simulation::note_callbacks() {
  if (unsettled_.empty()) return;
  store_.read([&](queue::JobReader& reader) {
    std::erase_if(unsettled_, [&](BatchId id) {
      const queue::BatchRecord batch = reader.batches().batch(id).value();
      for (const auto& callback : {batch.on_complete, batch.on_success}) {
        if (!callback || !callback->enqueued) continue;
        callbacks += attempted_.insert(callback->job).second ? 1 : 0;
        acknowledged_.insert(callback->job);
      }
      return batch.succeeded.has_value();
    });
  });
}

void Simulation::note_stored(const daemon::RoundWork& work, const daemon::RoundReply& reply) {
  note_callbacks();
  if (const auto& answer = reply.answer<daemon::TicksPart>())
    note_ticks(*work.ask<daemon::TicksPart>(), *answer);
  if (const auto& answer = reply.answer<daemon::VisitsPart>())
    note_visits(*work.ask<daemon::VisitsPart>(), *answer);
  if (const auto& ends = work.ask<daemon::EndsPart>()) {
    for (std::size_t index = 0; index < ends->size(); ++index)
      note_end((*ends)[index], (*reply.answer<daemon::EndsPart>())[index]);
  }
  if (options_.migrates) note_migrations();
  if (const auto& expired = reply.answer<daemon::ExpiredJobsPart>()) ended_ += expired->size();
  if (const auto& reclaimed = reply.answer<daemon::FormerClaimsPart>()) {
    for (const queue::JobArrival& row : reclaimed->ready) claimed_.erase(row.seq);
    ended_ += reclaimed->dead.size() + reclaimed->cancelled;
  }
  if (const auto& trial = reply.answer<daemon::TrialsPart>()) {
    for (const ClaimedJob& job : trial->jobs) claimed_.insert(job.seq);
    note_limited_claims(trial->jobs);
  }
  if (const auto& claims = reply.answer<daemon::LoneClaimsPart>()) {
    for (const queue::ClaimReply& claim : *claims) {
      for (const ClaimedJob& job : claim.jobs) claimed_.insert(job.seq);
      note_limited_claims(claim.jobs);
    }
  }
  if (const auto& claims = reply.answer<daemon::ClaimsPart>()) {
    for (const queue::ClaimReply& claim : *claims) {
      for (const ClaimedJob& job : claim.jobs) claimed_.insert(job.seq);
      note_limited_claims(claim.jobs);
    }
  }
}

// Which the dispatcher has enqueued.
void Simulation::note_migrations() {
  store_.read([&](queue::JobReader& reader) {
    reader.visit_jobs({}, {.limit = std::numeric_limits<std::size_t>::max()}, wall(),
                      [&](const queue::JobRecord& job) {
                        if (job.kind != queue::kMigrateKind) return true;
                        attempted_.insert(job.id);
                        acknowledged_.insert(job.id);
                        return true;
                      });
  });
}

void Simulation::note_end(const daemon::ClaimEnd& end, const Result<queue::JobState>& state) {
  if (!state) return;
  claimed_.erase(end.claim.seq);
  if (queue::is_final(*state)) ++ended_;
  if (*state == queue::JobState::succeeded && !succeeded_.insert(end.claim.seq).second) ++duplicated_;
}

void Simulation::migrate_tenant(const std::string& name, std::int64_t schema, bool is_hinted) {
  ++faults.migrations;
  schemas_[name] = schema;
  const TenantNumber tenant = store_.registry().find(TenantName(name))->number;
  store_.write(queue::Durability::durable,
               [&](queue::StoreWriter& writer) { static_cast<void>(writer.forget_behind(tenant)); });
  if (is_hinted) hint();
}

void Simulation::start_process(const daemon::StartProcess& action) {
  daemon::HelloFrame hello{.program_version = "played", .kinds = {}};
  for (const std::string& kind : options_.kinds)
    hello.kinds.push_back({.name = kind,
                           .queue = options_.default_queue,
                           .schema_min = options_.schema,
                           .schema_max = options_.schema,
                           .reads_only = std::ranges::count(options_.reads_only, kind) > 0});
  if (options_.migrates)
    hello.kinds.push_back({.name = std::string{queue::kMigrateKind},
                           .queue = options_.default_queue,
                           .schema_max = options_.schema});
  auto process = std::make_unique<Worker>(action.process, life_, options_, hello);
  Worker& started = *process;
  workers_[action.process] = std::move(process);
  pool_of_[action.process] = action.pool;
  if (!options_.starts(action.process)) {
    gone(started, {queue::ProcessExit::By::code, 127}, kReapTime);
    return;
  }
  at_in_this_life(options_.start_time, [this, number = action.process] { hear(number); });
}

void Simulation::wake_at(Instant moment) {
  const std::int64_t number = ++wake_number_;
  at_in_this_life(std::max(microseconds{0}, moment - now()), [this, number] {
    if (number == wake_number_) step(daemon::TimePassed{});
  });
}

}  // namespace tenure::simulation
