#pragma once

#include <tenure/daemon/frames.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/stop_signal.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenure::daemon {

using queue::AssignedJob;
using queue::AttemptEnd;

// The worker process's end of the protocol: bytes in, actions and bytes out. It keeps what the process was assigned: the jobs
// that run, each on a slot, and those that wait for one, in order. A machine without I/O, clocks or locks; the runtime carries
// its actions out, and the simulation drives it without any runtime.
// Threads: one at a time.
class WorkerEnd {
 public:
  // The daemon has said how many jobs may run at once. Comes once, before the first Perform.
  struct OpenSlots {
    std::size_t count = 1;
  };
  // There is a free slot for it; finished() tells how it ended.
  struct Perform {
    AssignedJob job;
    queue::StopSignal stop;
  };
  // Runs what handlers have registered at their tokens, so never under a lock.
  struct GiveStopToken {
    queue::StopSignal signal;
    StopReason reason = StopReason::stop;
  };
  // Write into the log what each slot does.
  struct Describe {};
  // Rows of that outbox up to the watermark are jobs, on disk, and may be deleted.
  struct ClearOutbox {
    queue::OutboxOwner owner;
    queue::OutboxSeq watermark;
  };
  // Beside a job of that tenant: receipts of jobs with smaller ids may be forgotten.
  struct UseReceiptHorizon {
    queue::OutboxOwner owner;
    queue::JobId horizon;
  };
  enum class LeaveReason : std::uint8_t {
    drained,       // asked to, and every report has been written
    stream_ended,  // the daemon is gone
    refused,
    protocol_violation,
  };
  // Close the socket, wait for what runs, end. The last action; nothing is written behind it.
  struct Leave {
    LeaveReason reason = LeaveReason::drained;
    std::string cause;
  };
  using Action =
      std::variant<OpenSlots, Perform, GiveStopToken, Describe, ClearOutbox, UseReceiptHorizon, Leave>;
  using Actions = std::vector<Action>;

  // Says hello.
  explicit WorkerEnd(const HelloFrame& hello);

  [[nodiscard]] Actions received(std::string_view bytes);
  // It cannot be read or written any more.
  [[nodiscard]] Actions stream_ended(const std::string& cause);
  // Of a job that Perform named. The slot takes the next one: at most one Perform comes back.
  [[nodiscard]] Actions finished(AttemptEnd end);

  // What a run tells of itself; nothing for one that is not performed here.
  void tell(queue::RunNews news);

  // The process was told to end: once it is welcome it asks the daemon to drain it, which so takes back what has not started.
  [[nodiscard]] Actions told_to_end();

  // Swaps what waits to be written into `bytes`, whose content goes; false where there is nothing. Once at a time: the next
  // call comes after written().
  [[nodiscard]] bool take_outgoing(std::string& bytes);
  // What was taken has been written.
  [[nodiscard]] Actions written();

  [[nodiscard]] bool has_outgoing() const { return !has_left() && !outgoing_.empty(); }
  [[nodiscard]] bool has_left() const { return stage_ == Stage::left; }

 private:
  enum class Stage : std::uint8_t {
    awaits_welcome,
    open,
    ending,  // asked to drain: takes nothing more
    left,
  };
  void on(HelloFrame&& frame);
  void on(FinishedFrame&& frame);
  void on(ProgressFrame&& frame);
  void on(PongFrame&& frame);
  void on(LeavingFrame&& frame);
  void on(WelcomeFrame&& frame);
  void on(RefusedFrame&& frame);
  void on(AssignFrame&& frame);
  void on(RecallFrame&& frame);
  void on(StopTokenFrame&& frame);
  void on(DrainFrame&& frame);
  void on(PingFrame&& frame);
  void on(DescribeFrame&& frame);
  void on(AcknowledgeFrame&& frame);
  [[nodiscard]] bool is_welcomed() const { return stage_ != Stage::awaits_welcome; }
  [[nodiscard]] bool has(queue::JobSeq seq) const;
  void ask_to_leave();
  void fill_slots();
  void report_not_started(const queue::ClaimRef& claim);
  void leave_if_drained();
  void refuse_stream(const std::string& cause);
  void leave(LeaveReason reason, const std::string& cause);
  [[nodiscard]] Actions take_actions();

  struct Running {
    queue::ClaimToken token;
    queue::StopSignal stop;
  };
  Stage stage_ = Stage::awaits_welcome;
  std::size_t slots_ = 0;
  std::uint16_t protocol_min_;
  std::uint16_t protocol_max_;
  FrameReader reader_;
  std::deque<AssignedJob> waiting_;
  std::map<queue::JobSeq, Running> running_;
  std::string outgoing_;
  bool is_being_written_ = false;
  bool is_told_to_end_ = false;
  bool has_asked_to_leave_ = false;
  Actions actions_;
};

}  // namespace tenure::daemon
