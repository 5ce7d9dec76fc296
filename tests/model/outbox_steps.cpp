#include "outbox_steps.hpp"

#include <algorithm>

namespace tenure::testing {
namespace {

constexpr std::uint8_t kEpochMax = kModelEpochs - 1;

std::uint16_t with_job(std::uint16_t jobs, std::uint8_t job) {
  return static_cast<std::uint16_t>(jobs | (1U << job));
}

}  // namespace

ModelState OutboxSteps::first() {
  ModelState state;
  ControlFile control;
  if (scope_.runs_max > 0) control.parent = Parent::ready;
  state.control = controls_.synced(control);
  state.file = files_.synced(TenantFile{});
  for (std::size_t each = 0; each < state.enqueuers.size(); ++each)
    if (static_cast<int>(each) >= scope_.enqueuers) state.enqueuers.at(each).step = EnqueuerStep::done;
  state.crashes = static_cast<std::uint16_t>(scope_.crashes);
  state.runs_killed = static_cast<std::uint16_t>(scope_.runs_killed);
  return state;
}

void OutboxSteps::find_next(const ModelState& state, std::vector<NextState>& next) {
  now_ = &state;
  next_ = &next;
  next.clear();
  for (std::uint8_t who = 0; who < state.enqueuers.size(); ++who) enqueuer_steps(who);
  run_steps();
  if (state.runs_killed > 0) kill_of_run();
  ends_without_a_word();
  sweep_steps();
  removals();
  if (state.crashes > 0) {
    kills();
    power_cuts();
  }
}

ControlFile OutboxSteps::with_rows(ReadRows rows) {
  // All that the answer depends on is in these few numbers: the file's history is in the number of its log.
  const ControlFile& before = control();
  const std::uint64_t key = (std::uint64_t{now_->control} << 36U) | (std::uint64_t{now_->file} << 8U) |
                            (static_cast<std::uint64_t>(rows.from) << 4U) | rows.to;
  const auto [place, is_new] = taken_over_.try_emplace(key);
  if (is_new) place->second = taken_over(before, file(), rows, rules_.has_watermark);
  return place->second;
}

ControlFile OutboxSteps::with_mark_of_any_epoch(ControlFile value) const {
  std::uint8_t& mark = value.marks[kMarkOfAnyEpoch];
  if (mark == 0 || rules_.marks_anew) mark = ++value.last_mark;
  return value;
}

void OutboxSteps::clear(ModelState& state, ReadRows rows, std::uint8_t watermark) {
  if (watermark <= rows.from) return;
  TenantFile value = file();
  value.cleared = std::max(value.cleared, watermark);
  commit(state, value);
}

// A1 to A4, of Client::transaction: the mark is set under the tenant's writer lock, at the first row.
void OutboxSteps::enqueuer_steps(std::uint8_t who) {
  ModelState state = *now_;
  Enqueuer& self = state.enqueuers.at(who);
  switch (self.step) {
    case EnqueuerStep::idle:
      if (is_locked()) return;
      self.step = EnqueuerStep::begun;
      self.epoch = file().epoch;
      return add(state, "begins", who);
    case EnqueuerStep::begun: {
      ControlFile value = control();
      std::uint8_t& mark = value.marks.at(self.epoch);
      const bool existed = mark != 0;
      if (!existed) mark = ++value.last_mark;
      commit(state, value);
      self.step = existed && !rules_.mark_is_synced ? EnqueuerStep::ready : EnqueuerStep::marked;
      return add(state, existed ? "A1 finds the mark" : "A1 marks", who);
    }
    case EnqueuerStep::marked:
      sync_control(state);
      self.step = EnqueuerStep::ready;
      return add(state, "A1 syncs the control database", who);
    case EnqueuerStep::ready: {
      TenantFile value = file();
      value.jobs.at(value.newest++) = who;
      commit(state, value);
      self.step = EnqueuerStep::committed;
      self.epoch = 0;
      return add(state, "A4 commits", who);
    }
    case EnqueuerStep::committed:
      sync_file(state);
      state.acknowledged = with_job(state.acknowledged, who);
      self.step = EnqueuerStep::acknowledged;
      return add(state, "A4 syncs, acknowledged", who);
    case EnqueuerStep::acknowledged:
    case EnqueuerStep::read:
    case EnqueuerStep::file_synced:
    case EnqueuerStep::taken_over:
    case EnqueuerStep::control_synced:
      return relay_of_enqueuer(self, state, who);
    case EnqueuerStep::done:
    case EnqueuerStep::dead:
      return;
  }
}

// A5 and A6. `enqueuer` is that of `state`.
void OutboxSteps::relay_of_enqueuer(Enqueuer& enqueuer, ModelState& state, std::uint8_t who) {
  if (enqueuer.step == EnqueuerStep::acknowledged) {
    enqueuer.rows = rows_of_file();
    if (enqueuer.rows.is_empty()) enqueuer = {.step = EnqueuerStep::done};
    else enqueuer.step = rules_.file_is_synced ? EnqueuerStep::read : EnqueuerStep::file_synced;
    return add(state, "A5 reads", who);
  }
  if (enqueuer.step == EnqueuerStep::read) {
    sync_file(state);
    enqueuer.step = EnqueuerStep::file_synced;
    return add(state, "A5 syncs the tenant's file", who);
  }
  if (enqueuer.step == EnqueuerStep::file_synced) {
    const ControlFile value = with_rows(enqueuer.rows);
    const bool is_nothing_new = value == control();
    commit(state, value);
    enqueuer.watermark = value.watermark;
    enqueuer.step = is_nothing_new && !rules_.watermark_is_synced ? EnqueuerStep::control_synced
                                                                  : EnqueuerStep::taken_over;
    return add(state, "A5 commits rows and watermark", who);
  }
  if (enqueuer.step == EnqueuerStep::taken_over) {
    sync_control(state);
    enqueuer.step = EnqueuerStep::control_synced;
    return add(state, "A5 syncs the control database", who);
  }
  if (is_locked()) return;
  clear(state, enqueuer.rows, enqueuer.watermark);
  enqueuer = {.step = EnqueuerStep::done};
  add(state, "A6 deletes rows", who);
}

// B1 to B7, of Performer and the daemon. A claim is not synced, and nor is an end without rows.
void OutboxSteps::run_steps() {
  ModelState state = *now_;
  Run& run = state.run;
  switch (run.step) {
    case RunStep::none: {
      ControlFile value = control();
      if (value.parent != Parent::ready || run.number == scope_.runs_max) return;
      value.parent = Parent::claimed;
      commit(state, value);
      ++run.number;
      run.step = RunStep::begun;
      return add(state, "B1 the job is claimed, a run begins");
    }
    case RunStep::begun: {
      run.step = RunStep::at_end;
      add(state, "B3 the run does not come to its step");
      if (is_locked()) return;
      run.has_step = 1;
      run.step = RunStep::step_committed;
      if (rules_.has_receipts && file().has_receipt != 0) return add(state, "B4 finds the receipt");
      TenantFile value = file();
      value.jobs.at(value.newest++) = kJobOfStep;
      value.has_receipt = 1;
      run.own_row = value.newest;
      commit(state, value);
      return add(state, "B5 commits effect, row and receipt");
    }
    case RunStep::step_committed:
      if (rules_.step_is_synced) sync_file(state);
      state.acknowledged = with_job(state.acknowledged, kJobOfStep);
      run.step = RunStep::at_end;
      return add(state, "B5 syncs, the step is done");
    case RunStep::at_end:
      if (run.own_row != 0 || (rules_.looks_at_first && run.has_looked == 0)) {
        run.rows = rows_of_file();
        run.has_looked = 1;
      }
      run.step = rules_.file_is_synced && run.rows.to > run.own_row && !run.rows.is_empty()
                     ? RunStep::read
                     : RunStep::reported;
      return add(state, "B6 reads rows, if any");
    case RunStep::read:
      sync_file(state);
      run.step = RunStep::reported;
      return add(state, "B6 syncs the tenant's file");
    case RunStep::reported:
      return end_of_run(state);
    case RunStep::finished:
      sync_control(state);
      run.step = RunStep::acknowledged;
      return add(state, "B6 syncs the control database, acknowledges");
    case RunStep::acknowledged:
      if (is_locked()) return;
      clear(state, run.rows, run.watermark);
      run = {.has_looked = run.has_looked, .number = run.number};
      return add(state, "B7 deletes rows");
  }
}

void OutboxSteps::end_of_run(ModelState state) {
  const Run run = state.run;
  ControlFile value = run.rows.is_empty() ? control() : with_rows(run.rows);
  state.run = {.has_looked = run.has_looked, .number = run.number};
  if (!run.rows.is_empty()) {
    state.run.rows = run.rows;
    state.run.watermark = value.watermark;
    state.run.step = rules_.acknowledges_when_synced ? RunStep::finished : RunStep::acknowledged;
  }
  const bool is_its_own = value.parent == Parent::claimed;
  if (is_its_own) value.parent = run.has_step != 0 ? Parent::succeeded : Parent::succeeded_without_step;
  ModelState succeeded = state;
  commit(succeeded, value);
  add(succeeded, "B6 commits rows and the job's success");
  if (!is_its_own) return;
  value.parent = Parent::ready;
  commit(state, value);
  add(state, "B6 commits rows and a failure that is retried");
}

// What the daemon and operators do about a job that no run has reported.
void OutboxSteps::ends_without_a_word() {
  if (now_->run.step == RunStep::none && control().parent == Parent::claimed) {
    ControlFile value = rules_.marks_lost_runs ? with_mark_of_any_epoch(control()) : control();
    for (const auto& [parent, step] :
         {std::pair{Parent::ready, "the run is lost: its claim ends, its job is ready"},
          std::pair{Parent::left, "the run is lost: its claim ends, its job is dead"}}) {
      ModelState state = *now_;
      value.parent = parent;
      commit(state, value);
      add(state, step);
    }
  }
  if (now_->run.step == RunStep::none && control().parent == Parent::ready) {
    ModelState state = *now_;
    ControlFile value = rules_.marks_leaving_jobs ? with_mark_of_any_epoch(control()) : control();
    value.parent = Parent::left;
    commit(state, value);
    add(state, "an operator cancels the job that waits");
  }
}

// A5 to A8, of sweep_file.
void OutboxSteps::sweep_steps() {
  ModelState state = *now_;
  Sweep& sweep = state.sweep;
  switch (sweep.step) {
    case SweepStep::none:
      if (!control().has_marks()) return;
      sweep.marks = control().marks;
      sweep.step = SweepStep::looking;
      return add(state, "the sweep reads marks");
    case SweepStep::looking:
      sweep.rows = rows_of_file();
      if (sweep.rows.is_empty()) sweep.step = SweepStep::empty;
      else sweep.step = rules_.file_is_synced ? SweepStep::read : SweepStep::file_synced;
      return add(state, "the sweep: A5 reads");
    case SweepStep::read:
      sync_file(state);
      sweep.step = SweepStep::file_synced;
      return add(state, "the sweep: A5 syncs the tenant's file");
    case SweepStep::file_synced: {
      const ControlFile value = with_rows(sweep.rows);
      const bool is_nothing_new = value == control();
      commit(state, value);
      sweep.watermark = value.watermark;
      sweep.step =
          is_nothing_new && !rules_.watermark_is_synced ? SweepStep::control_synced : SweepStep::taken_over;
      return add(state, "the sweep: A5 commits rows and watermark");
    }
    case SweepStep::taken_over:
      sync_control(state);
      sweep.step = SweepStep::control_synced;
      return add(state, "the sweep: A5 syncs the control database");
    case SweepStep::control_synced:
      if (is_locked()) return;
      clear(state, sweep.rows, sweep.watermark);
      sweep = {.step = SweepStep::empty, .marks = sweep.marks};
      return add(state, "the sweep: A6 deletes rows");
    case SweepStep::empty:
      return raise_epoch(state);
    case SweepStep::raised:
      sync_file(state);
      sweep.step = SweepStep::raised_synced;
      return add(state, "the sweep: A7 syncs the tenant's file");
    case SweepStep::raised_synced: {
      ControlFile value = control();
      for (std::size_t each = 0; each < value.marks.size(); ++each)
        if (value.marks.at(each) == sweep.marks.at(each)) value.marks.at(each) = 0;
      commit(state, value);
      sweep = {};
      return add(state, "the sweep: A8 deletes marks");
    }
  }
}

void OutboxSteps::raise_epoch(ModelState state) {
  Sweep& sweep = state.sweep;
  const bool has_epoch = std::any_of(sweep.marks.begin(), sweep.marks.begin() + kMarkOfAnyEpoch,
                                     [](std::uint8_t number) { return number != 0; });
  if (!has_epoch) {
    sweep.step = SweepStep::raised_synced;
    return add(state, "the sweep has marks without an epoch only");
  }
  if (is_locked()) return;
  if (!rows_of_file().is_empty()) {
    sweep = {};
    return add(state, "the sweep: A7 finds rows");
  }
  TenantFile value = file();
  if (rules_.raises_epoch && value.epoch == kEpochMax) return;  // the model ends here
  if (rules_.raises_epoch) ++value.epoch;
  commit(state, value);
  sweep.step = SweepStep::raised;
  add(state, "the sweep: A7 raises the epoch");
}

void OutboxSteps::removals() {
  if (!scope_.jobs_go) return;
  for (std::size_t job = 0; job < kModelJobs; ++job) {
    if (control().jobs.at(job) != JobPlace::present) continue;
    ModelState state = *now_;
    ControlFile value = control();
    value.jobs.at(job) = JobPlace::removed;
    commit(state, value);
    add(state, "a job that was delivered is performed and removed");
  }
}

// By the daemon: at a time limit, for a cancel.
void OutboxSteps::kill_of_run() {
  if (now_->run.step == RunStep::none) return;
  ModelState state = *now_;
  --state.runs_killed;
  state.run = {.number = now_->run.number};
  add(state, "the daemon kills the worker process");
}

void OutboxSteps::kills() {
  ModelState base = *now_;
  --base.crashes;
  for (std::uint8_t who = 0; who < base.enqueuers.size(); ++who) {
    if (!base.enqueuers.at(who).is_alive()) continue;
    ModelState state = base;
    state.enqueuers.at(who) = {.step = EnqueuerStep::dead};
    add(state, "is killed", who);
  }
  if (base.sweep.step != SweepStep::none) {
    ModelState state = base;
    state.sweep = {};
    add(state, "the sweep is killed");
  }
  if (base.run.step != RunStep::none) {
    ModelState state = base;
    state.run = {.number = base.run.number};
    add(state, "the worker process is killed");
  }
}

void OutboxSteps::power_cuts() {
  for (const LogId control : controls_.cuts(now_->control))
    for (const LogId file : files_.cuts(now_->file)) {
      ModelState state = *now_;
      --state.crashes;
      state.control = control;
      state.file = file;
      for (Enqueuer& each : state.enqueuers)
        if (each.is_alive()) each = {.step = EnqueuerStep::dead};
      state.run = {.number = now_->run.number};
      state.sweep = {};
      add(state, "THE POWER IS CUT");
    }
}

}  // namespace tenure::testing
