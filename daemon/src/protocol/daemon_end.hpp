#pragma once

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/frames.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenure::daemon {

// How long a dead process's socket is waited for: a child that it forked may hold it open.
inline constexpr std::chrono::seconds kLastWait{1};

// The daemon's end of the protocol with one worker process: bytes in become events for the dispatcher, what the dispatcher
// wants becomes bytes out. A machine without I/O, clocks or threads; WorkerLink carries its actions out, and the simulation
// drives it without any socket.
// Threads: one at a time.
class DaemonEnd {
 public:
  // For the dispatcher.
  struct Deliver {
    Event event;
  };
  struct Greeted {
    std::string program_version;
    std::vector<std::string> kinds;
  };
  // The stream is of no use any more: ended by the process, or it carried what no worker may say. The process must end. Once.
  struct Broken {
    std::string cause;
  };
  // The process is dead, but its stream has not ended yet: waited_enough() when it has not within kLastWait.
  struct AwaitEnd {};
  // All that a dead process had still sent has become events. Once, after process_ended().
  struct Ended {};
  using Action = std::variant<Deliver, Greeted, Broken, AwaitEnd, Ended>;
  using Actions = std::vector<Action>;

  // `time_limit` is that of kinds which state none; 0: none.
  DaemonEnd(ProcessNumber process, std::uint16_t slots_wanted, std::chrono::microseconds time_limit = {});

  [[nodiscard]] Actions received(std::string_view bytes);
  // It cannot be read or written any more.
  [[nodiscard]] Actions stream_ended(const std::string& cause);
  [[nodiscard]] Actions process_ended();
  [[nodiscard]] Actions waited_enough();

  // What the dispatcher wants of the process. Nothing happens once the stream has ended.
  // `receipt_horizon` is of the job's tenant; all zero: not known.
  void assign(queue::ClaimedJob&& job, queue::JobId receipt_horizon = {});
  void recall(const queue::ClaimRef& claim);
  void give_stop_token(queue::JobSeq seq, StopReason reason);
  void drain();
  void ping();
  void describe();
  void acknowledge(const queue::OutboxOwner& owner, queue::OutboxSeq watermark);

  // Swaps what waits to be written into `bytes`, whose content goes; false where there is nothing.
  [[nodiscard]] bool take_outgoing(std::string& bytes);
  [[nodiscard]] bool has_outgoing() const { return !outgoing_.empty(); }
  // Its hello was accepted.
  [[nodiscard]] bool is_greeted() const { return stage_ == Stage::open; }
  // As its hello has said it; empty before that.
  [[nodiscard]] const std::string& program_version() const { return program_version_; }
  // A last word may still be written: a refusal.
  [[nodiscard]] bool is_open() const { return stage_ != Stage::ended; }

 private:
  enum class Stage : std::uint8_t { awaits_hello, open, ended };
  void on(HelloFrame&& frame);
  void on(FinishedFrame&& frame);
  void on(ProgressFrame&& frame);
  void on(PongFrame&& frame);
  void on(LeavingFrame&& frame);
  template <class DaemonsFrame>
  void on(DaemonsFrame&& frame);
  void deliver_reports();
  void refuse_stream(const std::string& cause);
  void end_stream();
  void write(const Frame& frame);
  [[nodiscard]] Actions take_actions();

  const ProcessNumber process_;
  const std::uint16_t slots_wanted_;
  TimeLimits time_limits_;
  std::string program_version_;
  Stage stage_ = Stage::awaits_hello;
  bool was_drained_ = false;  // so it ends its stream by itself
  bool is_dead_ = false;
  std::size_t pings_unanswered_ = 0;
  FrameReader reader_;
  std::string outgoing_;
  RunsTold told_;        // of the bytes under way
  AttemptsEnded ended_;  // likewise
  Actions actions_;
};

// What the daemon answers to a hello: the protocol version that both speak, or why there is none.
[[nodiscard]] Result<WelcomeFrame> negotiate(const HelloFrame& hello, std::uint16_t slots_wanted);

}  // namespace tenure::daemon
