#pragma once

#include "outbox_model.hpp"
#include "outbox_values.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

// Who does what in the outbox's model: one state, and those that may follow it.
namespace tenure::testing {

enum class EnqueuerStep : std::uint8_t {
  idle,
  begun,   // has the tenant's writer lock, and has read the epoch
  marked,  // and has seen to the mark, not to its sync
  ready,
  committed,
  acknowledged,  // synced
  read,
  file_synced,
  taken_over,
  control_synced,
  done,
  dead,
};
struct Enqueuer {
  EnqueuerStep step = EnqueuerStep::idle;
  std::uint8_t epoch = 0;
  ReadRows rows{};
  std::uint8_t watermark = 0;
  [[nodiscard]] bool has_lock() const { return step >= EnqueuerStep::begun && step <= EnqueuerStep::ready; }
  [[nodiscard]] bool is_alive() const { return step > EnqueuerStep::idle && step < EnqueuerStep::done; }
  friend bool operator==(const Enqueuer&, const Enqueuer&) = default;
};

enum class RunStep : std::uint8_t {
  none,
  begun,
  step_committed,
  at_end,
  read,
  reported,
  finished,  // the daemon has committed its end with rows, and not synced it
  acknowledged,
};
struct Run {
  RunStep step = RunStep::none;
  std::uint8_t own_row = 0;
  ReadRows rows{};
  std::uint8_t watermark = 0;
  std::uint8_t has_looked = 0;  // this process, at the tenant's file
  std::uint8_t has_step = 0;    // this run has come to its step
  std::uint8_t number = 0;      // of runs that have begun
  friend bool operator==(const Run&, const Run&) = default;
};

enum class SweepStep : std::uint8_t {
  none,
  looking,
  read,
  file_synced,
  taken_over,
  control_synced,
  empty,
  raised,
  raised_synced,
};
struct Sweep {
  SweepStep step = SweepStep::none;
  ReadRows rows{};
  std::uint8_t watermark = 0;
  std::array<std::uint8_t, kModelEpochs + 1> marks{};  // the numbers that it has read
  friend bool operator==(const Sweep&, const Sweep&) = default;
};

struct ModelState {
  LogId control = 0;
  LogId file = 0;
  std::array<Enqueuer, 2> enqueuers{};
  Run run{};
  Sweep sweep{};
  std::uint16_t acknowledged = 0;  // bits of jobs
  std::uint16_t crashes = 0;       // that may still come
  std::uint16_t runs_killed = 0;   // the same
  friend bool operator==(const ModelState&, const ModelState&) = default;
};

constexpr std::uint8_t kNobody = 255;

struct NextState {
  ModelState state;
  const char* step;  // what was done
  std::uint8_t who;  // an enqueuer's number, or kNobody
};

class OutboxSteps {
 public:
  OutboxSteps(const OutboxScope& scope, const OutboxRules& rules) : scope_(scope), rules_(rules) {}

  [[nodiscard]] ModelState first();
  // In place of what `next` holds.
  void find_next(const ModelState& state, std::vector<NextState>& next);
  [[nodiscard]] std::optional<OutboxBreach> breach_of(const ModelState& state) const;

 private:
  void enqueuer_steps(std::uint8_t who);
  void relay_of_enqueuer(Enqueuer& enqueuer, ModelState& state, std::uint8_t who);
  void run_steps();
  void end_of_run(ModelState state);
  void ends_without_a_word();
  void sweep_steps();
  void raise_epoch(ModelState state);
  void removals();
  void kill_of_run();
  void kills();
  void power_cuts();

  void add(const ModelState& state, const char* step, std::uint8_t who = kNobody) {
    next_->push_back({state, step, who});
  }
  [[nodiscard]] const ControlFile& control() const { return controls_.visible(now_->control); }
  [[nodiscard]] const TenantFile& file() const { return files_.visible(now_->file); }
  [[nodiscard]] bool is_locked() const {
    return now_->enqueuers[0].has_lock() || now_->enqueuers[1].has_lock();
  }
  [[nodiscard]] ReadRows rows_of_file() const { return {file().cleared, file().newest}; }
  [[nodiscard]] ControlFile with_rows(ReadRows rows);
  [[nodiscard]] ControlFile with_mark_of_any_epoch(ControlFile value) const;
  void commit(ModelState& state, const ControlFile& value) {
    state.control = controls_.committed(state.control, value);
  }
  void commit(ModelState& state, const TenantFile& value) {
    state.file = files_.committed(state.file, value);
  }
  void sync_control(ModelState& state) { state.control = controls_.synced(state.control); }
  void sync_file(ModelState& state) { state.file = files_.synced(state.file); }
  void clear(ModelState& state, ReadRows rows, std::uint8_t watermark);

  OutboxScope scope_;
  OutboxRules rules_;
  Logs<ControlFile> controls_;
  Logs<TenantFile> files_;
  std::unordered_map<std::uint64_t, ControlFile> taken_over_;
  const ModelState* now_ = nullptr;
  std::vector<NextState>* next_ = nullptr;
};

}  // namespace tenure::testing
