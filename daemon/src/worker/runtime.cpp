#include "job_board.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/log.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/daemon/worker_runtime.hpp>
#include <tenure/jobs/perform.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <utility>

namespace tenure::daemon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

class Runtime {
 public:
  Runtime(int descriptor, const WorkerSetup& setup)
      : setup_(setup),
        performer_(setup.jobs, setup.handles, setup.clock, setup.application),
        socket_(context_, asio::local::stream_protocol{}, descriptor) {}

  bool run() {
    hello();
    read();
    context_.run();
    // The daemon is gone or has refused us: what still runs may end, and nothing is waited for but that.
    board_.give_stop_token({});
    static_cast<void>(board_.recall_all());
    if (pool_) pool_->join();
    return drained_;
  }

 private:
  void hello() {
    HelloFrame frame{.program_version = setup_.program_version};
    for (std::string& kind : setup_.jobs.kinds()) frame.kinds.push_back({.name = std::move(kind)});
    send(frame);
  }

  void read() {
    socket_.async_read_some(asio::buffer(received_), [this](error_code error, std::size_t size) {
      if (error) return leave(false, "the daemon closed the socket");
      reader_.feed({received_.data(), size});
      while (!left_) {
        auto frame = reader_.next();
        if (!frame) return leave(false, frame.error().message);
        if (!*frame) return read();
        std::visit([this](auto& what) { take(std::move(what)); }, **frame);
      }
    });
  }

  void take(WelcomeFrame&& frame) {
    slots_ = frame.slots;
    pool_.emplace(slots_);
  }
  void take(RefusedFrame&& frame) { leave(false, frame.reason); }
  void take(AssignFrame&& frame) {
    if (!pool_ || draining_) return leave(false, "the daemon assigned a job out of turn");
    if (board_.add(std::move(frame.job), slots_)) asio::post(*pool_, [this] { perform_until_empty(); });
  }
  void take(RecallFrame&& frame) {
    if (const auto job = board_.recall(frame.claim)) report_not_started(*job);
  }
  void take(CancelFrame&& frame) { board_.give_stop_token(frame.seq); }
  void take(DrainFrame&&) {
    draining_ = true;
    for (const AssignedJob& job : board_.recall_all()) report_not_started(job);
    leave_if_drained();
  }
  void take(PingFrame&& frame) { send(PongFrame{frame.nonce}); }
  void take(HelloFrame&&) { leave(false, "the daemon said hello"); }
  void take(FinishedFrame&&) { leave(false, "the daemon sent a worker's frame"); }
  void take(PongFrame&&) { leave(false, "the daemon sent a worker's frame"); }

  // On a slot's thread: one job after the other as long as there are any, so that a burst costs one post.
  void perform_until_empty() {
    thread_local const int named = ::pthread_setname_np(::pthread_self(), "slot");
    static_cast<void>(named);
    while (auto running = board_.take()) {
      send(FinishedFrame{perform(*running)});
      board_.finished(running->job.claim.seq);
    }
    asio::post(context_, [this] { leave_if_drained(); });
  }

  queue::AttemptEnd perform(const JobBoard::Running& running) {
    queue::AttemptEnd end = performer_.perform(running.job, running.stop);
    if (setup_.handles.sync_failed()) leave_at_once();
    if (end.result == queue::RunResult::failed) log_failure(running.job, end);
    return end;
  }

  // After a failed sync the kernel calls the lost pages clean, and the next sync would say yes: nothing in this process may be
  // trusted with a tenant's file any more. The daemon takes the jobs back.
  [[noreturn]] static void leave_at_once() {
    log::write(log::Level::error, "worker.sync_failed", "a sync of a tenant's file has failed");
    std::_Exit(number_of(ExitCode::sync_failed));
  }

  static void log_failure(const AssignedJob& job, const queue::AttemptEnd& end) {
    const log::Context context(job.tenant ? job.tenant->text() : "", job.generation.value, job.id.text());
    const std::string text = std::string{name_of(end.failure.code)} + ": " + end.failure.error;
    log::write(log::Level::info, "job.failed", "the attempt failed",
               {.kind = job.kind,
                .attempt = job.attempt,
                .duration_ms = end.run_time.count() / 1000,
                .error = text});
  }

  void report_not_started(const AssignedJob& job) {
    send(FinishedFrame{{.claim = job.claim, .result = queue::RunResult::not_started, .failure = {}}});
  }

  // Any thread. Frames that queue up while a write is under way leave with the next one.
  void send(const Frame& frame) {
    const std::lock_guard lock(outgoing_mutex_);
    write_frame(outgoing_, frame);
    if (!std::exchange(write_asked_, true)) asio::post(context_, [this] { write(); });
  }

  void write() {
    {
      const std::lock_guard lock(outgoing_mutex_);
      in_flight_.clear();
      in_flight_.swap(outgoing_);
      if (in_flight_.empty()) {
        write_asked_ = false;
        return leave_if_drained_unlocked();
      }
    }
    asio::async_write(socket_, asio::buffer(in_flight_), [this](error_code error, std::size_t) {
      if (error) return leave(false, "the daemon does not read the socket");
      write();
    });
  }

  void leave_if_drained() {
    const std::lock_guard lock(outgoing_mutex_);
    leave_if_drained_unlocked();
  }

  // Every report must have left before we do; the daemon takes what it has not heard of as a crash.
  void leave_if_drained_unlocked() {
    if (draining_ && !write_asked_ && board_.idle()) leave(true, {});
  }

  void leave(bool drained, const std::string& cause) {
    if (std::exchange(left_, true)) return;
    drained_ = drained;
    if (!drained) log::write(log::Level::warning, "worker.leaving", cause);
    error_code ignored;
    socket_.close(ignored);
    context_.stop();
  }

  const WorkerSetup& setup_;
  Performer performer_;
  asio::io_context context_{1};
  asio::local::stream_protocol::socket socket_;
  FrameReader reader_;
  std::array<char, 64UL * 1024> received_{};
  JobBoard board_;
  std::size_t slots_ = 1;
  std::optional<asio::thread_pool> pool_;
  bool draining_ = false;
  bool drained_ = false;
  bool left_ = false;
  std::mutex outgoing_mutex_;
  std::string outgoing_;
  bool write_asked_ = false;
  std::string in_flight_;  // of the control thread
};

}  // namespace

bool run_worker(int descriptor, const WorkerSetup& setup) {
  const auto runtime = std::make_unique<Runtime>(descriptor, setup);
  return runtime->run();
}

}  // namespace tenure::daemon
