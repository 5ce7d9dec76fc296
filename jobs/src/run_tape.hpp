#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/replay/run_record.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tenure::detail {

// What lies outside of a run's database: clock, seed, calls to others. Of a run that is captured it is written down as it goes by; a replay
// is answered from what was written down. Either way record() says in the end what the run was given and which jobs it has enqueued.
// Threads: the one that made it; clock().wall() from any, and what others read is neither kept nor taken away.
class RunTape {
 public:
  // Of a run that is captured. The clock must outlive it.
  RunTape(std::uint64_t seed, const Clock& clock);
  // Of a replay of a run that began at `started`. `recorded` must outlive it.
  RunTape(const replay::RunRecord& recorded, WallTime started);
  RunTape(const RunTape&) = delete;
  RunTape& operator=(const RunTape&) = delete;

  // The steady one of a replay stands still: how long it takes says nothing of the run that was.
  [[nodiscard]] const Clock& clock() const { return clock_; }
  // Is neither kept nor taken away. In a replay, when the run began.
  [[nodiscard]] WallTime time_of_own() const { return real_ == nullptr ? started_ : real_->wall(); }
  // Inside of a call another one, since a replay does not call.
  [[nodiscard]] Random& random() { return in_call_ ? random_in_calls_ : random_; }
  [[nodiscard]] UuidGenerator& ids() { return ids_; }

  // What JobContext::recorded says. In a replay returns the text of the value.
  std::string call(std::string_view name, FunctionRef<void()> function, FunctionRef<std::string()> encode);
  [[nodiscard]] bool is_in_call() const { return in_call_; }
  // Whether so many bytes of jobs can still be kept; where not, that is the trouble.
  [[nodiscard]] bool has_room_for(std::size_t bytes) noexcept;
  // A transaction with these jobs was committed. What can be kept is kept, and the run goes on either way.
  void enqueued(const std::vector<queue::NewJob>& jobs) noexcept;

  // Of a capture: why it can be none, the first reason; nothing is kept from then on. Of a replay: where it has left the recording
  // (ReplayDiffers), or why what it does cannot be told.
  [[nodiscard]] const std::optional<Failure>& trouble() const { return trouble_; }
  [[nodiscard]] replay::RunRecord& record() { return record_; }

 private:
  class TapedClock final : public Clock {
   public:
    explicit TapedClock(RunTape& tape) : tape_(tape) {}
    [[nodiscard]] WallTime wall() const override { return tape_.read_wall(); }
    [[nodiscard]] Instant steady() const override {
      return tape_.real_ == nullptr ? Instant{} : tape_.real_->steady();
    }

   private:
    RunTape& tape_;
  };
  RunTape(std::uint64_t seed, const Clock* clock, const replay::RunRecord* recorded, WallTime started);

  WallTime read_wall();
  WallTime answered_reading(bool is_of_run);
  void keep_call(std::string_view name, FunctionRef<std::string()> encode);
  void keep(replay::RecordedCall call);
  // Whatever goes wrong in it is the trouble, and never leaves.
  void guard(FunctionRef<void()> work) noexcept;
  void take_room(std::size_t bytes);
  std::string answer(std::string_view name);
  [[noreturn]] void leave_recording(std::string_view name);
  void give_up(Failure why) noexcept;

  const Clock* const real_;                  // null in a replay
  const replay::RunRecord* const recorded_;  // of a replay
  const WallTime started_;
  const TapedClock clock_{*this};
  const std::thread::id thread_ = std::this_thread::get_id();
  Random random_;
  Random random_in_calls_;
  UuidGenerator ids_;
  std::mutex readings_mutex_;
  std::size_t next_reading_ = 0;
  std::size_t next_call_ = 0;
  std::size_t bytes_ = 0;  // of calls and jobs
  bool in_call_ = false;
  std::optional<Failure> trouble_;
  replay::RunRecord record_;
};

}  // namespace tenure::detail
