#include "../protocol/slot_board.hpp"
#include "../protocol/worker_end.hpp"
#include "crash_signals.hpp"
#include "job_lines.hpp"
#include "news_pace.hpp"
#include "own_things.hpp"
#include "performing_jobs.hpp"
#include "running_notes.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/passed_descriptor.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/daemon/worker_runtime.hpp>
#include <tenure/jobs/perform.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Perform = WorkerEnd::Perform;

constexpr int kExitChildReturned = 70;     // EX_SOFTWARE of sysexits.h; nobody of ours waits for it
constexpr int kExitDescriptorClosed = 70;  // a crash of the jobs that were running

// Until the process ends, whatever is closed before that: what a handler has done is in no other hands as long as it lives.
void keep_for_life(Descriptor lock) {
  struct Kept {
    explicit Kept(Descriptor given) : descriptor(std::move(given)), kept(descriptor.number()) {}
    Descriptor descriptor;
    KeptFromChildren kept;
  };
  static std::list<Kept> all;
  all.emplace_back(std::move(lock));
}

// Carries out what WorkerEnd says, with one thread more than there are slots, all of them alike: whichever reads a job off the
// socket performs it, and Asio has woken another one to read on. So a job that meets an idle process waits for one wake and not
// for two, and with every slot busy one thread is left that answers pings.
class Runtime {
 public:
  Runtime(int descriptor, const WorkerSetup& setup)
      : setup_(setup),
        performer_(setup.jobs, setup.handles, setup.clock, setup.performing),
        descriptor_(descriptor),
        own_descriptors_(OwnDescriptors::before_asio()),
        socket_(context_, asio::local::stream_protocol{}, descriptor),
        end_(hello(setup)) {
    own_descriptors_.after_asio();
    own_descriptors_.watch(descriptor);
    own_descriptors_.watch(setup.lock_descriptor);
    own_descriptors_.watch(setup.told_to_end);
  }

  bool run() {
    const CrashSlot crash_slot(board_slot(0));
    flush();
    {
      const std::lock_guard lock(mutex_);
      read_welcome();
      if (setup_.told_to_end >= 0) await_end();
    }
    context_.run();
    for (std::thread& thread : threads_) thread.join();
    return is_drained_;
  }

 private:
  static HelloFrame hello(const WorkerSetup& setup) {
    HelloFrame frame{.program_version = setup.program_version, .kinds = {}};
    for (JobRegistry::Kind& kind : offered_kinds(setup.jobs, setup.performing)) {
      const SchemaRange schema = schema_of(kind, static_cast<int>(setup.performing.migrations.size()));
      frame.kinds.push_back({.name = std::move(kind.name),
                             .queue = std::move(kind.queue),
                             .schema_min = static_cast<std::uint32_t>(schema.min),
                             .schema_max = static_cast<std::uint32_t>(schema.max),
                             .time_limit = kind.time_limit,
                             .reads_only = kind.reads_only});
    }
    return frame;
  }
  static SchemaRange schema_of(const JobRegistry::Kind& kind, int known) {
    if (known == 0) return {};
    if (!kind.schema) return {known, known};
    return {kind.schema->min, kind.schema->max == 0 ? known : kind.schema->max};
  }

  // --- Under the mutex: the socket's object is no more for several threads than the machine is.

  void read() {
    socket_.async_read_some(asio::buffer(received_),
                            [this](error_code error, std::size_t size) { on_read(error, size); });
  }

  // Beside it comes the dispatcher's lock, which Asio's reading would drop.
  void read_welcome() {
    socket_.async_wait(asio::local::stream_protocol::socket::wait_read, [this](error_code error) {
      if (error) return on_read(error, 0);
      auto received = receive_with_descriptor(descriptor_, received_);
      if (received.error == EAGAIN) return read_welcome();
      if (received.descriptor.is_open()) keep_lock(std::move(received.descriptor));
      const bool is_closed = received.error == 0 && received.size == 0;
      on_read(is_closed ? asio::error::eof : error_code{received.error, boost::system::system_category()},
              received.size);
    });
  }

  void keep_lock(Descriptor lock) {
    own_descriptors_.watch(lock.number());
    keep_for_life(std::move(lock));
  }

  void await_end() {
    end_asked_.emplace(context_, ::fcntl(setup_.told_to_end, F_DUPFD_CLOEXEC, 0));
    end_asked_->async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (error) return;
      WorkerEnd::Actions actions;
      {
        const std::lock_guard lock(mutex_);
        actions = end_.told_to_end();
      }
      flush();
      perform_all(std::move(actions));
    });
  }

  void await_writable() {
    socket_.async_wait(asio::local::stream_protocol::socket::wait_write, [this](error_code error) {
      if (!error) go_on_writing();
    });
  }

  // --- On any of the threads.

  // The next read is asked for before anything is carried out, so that a job performed here keeps nobody waiting.
  void on_read(error_code error, std::size_t size) {
    WorkerEnd::Actions actions;
    {
      const std::lock_guard lock(mutex_);
      actions = error ? end_.stream_ended(why_ended(error)) : end_.received({received_.data(), size});
      if (!end_.has_left()) read();
    }
    flush();
    perform_all(std::move(actions));
  }

  static std::string why_ended(error_code error) {
    if (error.value() == EMFILE) return "no descriptor is left for the dispatcher's lock; raise LimitNOFILE";
    return "the daemon closed the socket";
  }

  // As long as each end of a job names the next, so that a burst costs one hand-over.
  void perform_all(WorkerEnd::Actions actions) {
    while (std::optional<Perform> job = carry_out(std::move(actions))) actions = perform(*job);
  }

  // The first job is for this thread, the others wake one each.
  std::optional<Perform> carry_out(WorkerEnd::Actions actions) {
    std::optional<Perform> mine;
    for (WorkerEnd::Action& action : actions) {
      if (auto* job = std::get_if<Perform>(&action); job != nullptr && !mine) {
        mine = std::move(*job);
      } else {
        std::visit([this](auto& what) { carry_out_one(std::move(what)); }, action);
      }
    }
    return mine;
  }

  void carry_out_one(WorkerEnd::OpenSlots&& action) {
    for (std::size_t slot = 0; slot < action.count; ++slot) {
      threads_.emplace_back([this, number = slot + 1] {
        ::pthread_setname_np(::pthread_self(), "slot");
        const CrashSlot crash_slot(board_slot(number));
        context_.run();
      });
    }
  }

  void carry_out_one(Perform&& action) {
    asio::post(context_, [this, job = std::move(action)]() mutable {
      WorkerEnd::Actions actions;
      actions.emplace_back(std::move(job));
      perform_all(std::move(actions));
    });
  }

  static void carry_out_one(WorkerEnd::GiveStopToken&& action) { action.signal.give(action.reason); }

  void carry_out_one(WorkerEnd::Describe&&) { performing_.describe(setup_.clock.steady()); }

  void carry_out_one(WorkerEnd::UseReceiptHorizon&& action) {
    performer_.receipt_horizon_is(action.owner, action.horizon);
  }

  // By whichever thread has the time: nobody waits for it.
  void carry_out_one(WorkerEnd::ClearOutbox&& action) {
    asio::post(context_, [this, cleared = std::move(action)] {
      performer_.clear_outbox(cleared.owner, cleared.watermark);
      if (setup_.handles.sync_failed()) leave_at_once();
    });
  }

  // Shut and not closed: another thread may be about to write, and the number must not be somebody else's by then.
  void carry_out_one(WorkerEnd::Leave&& action) {
    is_drained_ = action.reason == WorkerEnd::LeaveReason::drained;
    if (!is_drained_) log::write(log::Level::warning, "worker.leaving", action.cause);
    ::shutdown(descriptor_, SHUT_RDWR);
    context_.stop();
  }

  // At the descriptors: after a job that took long enough to have closed one, and now and then after the others, since a look is some system
  // calls, which cost more than the shortest jobs.
  bool is_worth_a_look(const AttemptEnd& end) {
    constexpr std::chrono::microseconds kShortest{20};
    constexpr std::uint32_t kLookedAtEvery = 32;
    return end.run_time >= kShortest ||
           performed_.fetch_add(1, std::memory_order_relaxed) % kLookedAtEvery == 0;
  }

  [[nodiscard]] BoardSlot* board_slot(std::size_t thread) const {
    return setup_.board != nullptr ? setup_.board->slot(thread) : nullptr;
  }

  // On a handler's thread. A child that it has forked tells nobody.
  void await_news() {
    if (process_.is_inherited()) return;
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_news_awaited_, true)) return;
    news_timer_.expires_after(news_pace_.wait(setup_.clock.steady()));
    news_timer_.async_wait([this](error_code error) {
      if (!error) send_news();
    });
  }

  void send_news() {
    {
      const std::lock_guard lock(mutex_);
      is_news_awaited_ = false;
      if (news_pace_.may_send(setup_.clock.steady(), is_writing_)) tell_news();
    }
    flush();
  }

  // Taken and told under one lock, or the end of a run could come between.
  void tell_news() {
    for (queue::RunNews& news : running_notes_.take()) end_.tell(std::move(news));
  }

  // On the board until it is reported: what a job has spoilt may show only then.
  WorkerEnd::Actions perform(const Perform& work) {
    const PerformedInSlot performed(CrashSlot::of_this_thread(), work.job.claim, setup_.clock.wall());
    RunningNotes::Entry entry(running_notes_, work.job.claim, [this] { await_news(); });
    AttemptEnd end = performed_job(work, entry.notes());
    if (process_.is_inherited()) end_child(work.job);
    if (is_worth_a_look(end) && !own_descriptors_.are_in_place()) leave_without_descriptors(work.job);
    surroundings_.put_back(work.job);
    if (setup_.handles.sync_failed()) leave_at_once();
    if (end.result == queue::RunResult::failed) failure_lines_.write(work.job, end, work.stop.reason());
    WorkerEnd::Actions actions;
    {
      const std::lock_guard lock(mutex_);
      if (setup_.board != nullptr) setup_.board->note_end(end);
      if (auto last = entry.notes().take()) end_.tell(*std::move(last));
      actions = end_.finished(std::move(end));
    }
    // With a job to do next, another thread writes, and what ends meanwhile leaves in the same piece; otherwise this one has the
    // time, and nobody need be woken.
    if (actions.empty()) {
      flush();
    } else {
      flush_elsewhere();
    }
    return actions;
  }

  AttemptEnd performed_job(const Perform& work, queue::RunNotes& notes) {
    const PerformingJobs::Entry entry(performing_, work.job, setup_.clock.steady());
    return performer_.perform(work.job, work.stop, notes);
  }

  // After a failed sync the kernel calls the lost pages clean, and the next sync would say yes: nothing in this process may be
  // trusted with a tenant's file any more. The daemon takes the jobs back.
  [[noreturn]] static void leave_at_once() {
    ControlLock::note_leaving();  // of a stand-alone worker, whose jobs are charged no more than others'
    log::write(log::Level::error, "worker.sync_failed", "a sync of a tenant's file has failed");
    log::exit_at_once(number_of(ExitCode::sync_failed));
  }

  // A descriptor's number may be another file's by now, and nothing would be read or reported any more. Unreported, it is charged as a crash.
  [[noreturn]] static void leave_without_descriptors(const AssignedJob& job) {
    const JobLines lines(job);
    log::write(log::Level::error, "worker.descriptor_closed",
               "a descriptor of the worker process was closed while this job ran; the process ends and the "
               "jobs in it are charged with a crash. A handler closes what it has opened and nothing else",
               {.kind = job.kind});
    log::exit_at_once(kExitDescriptorClosed);
  }

  // A handler has forked and its child has come back. The job, the socket and whatever is assigned are the parent's.
  [[noreturn]] static void end_child(const AssignedJob& job) {
    const JobLines lines(job);
    log::write(log::Level::error, "job.child_returned",
               "a child process that a handler forked has returned from the handler; it ends here. A child "
               "ends itself by "
               "_exit() or by executing a program",
               {.kind = job.kind});
    log::exit_at_once(kExitChildReturned);
  }

  void flush_elsewhere() {
    if (!is_flush_asked_.exchange(true))
      asio::post(context_, [this] {
        is_flush_asked_ = false;
        flush();
      });
  }

  // One thread writes at a time; what the others leave meanwhile it takes along.
  void flush() {
    {
      const std::lock_guard lock(mutex_);
      if (is_writing_ || !end_.take_outgoing(in_flight_)) return;
      is_writing_ = true;
      unwritten_ = in_flight_;
    }
    go_on_writing();
  }

  void go_on_writing() {
    WorkerEnd::Actions actions;
    for (bool is_more = true; is_more;) {
      const int error = write_all();
      const std::lock_guard lock(mutex_);
      if (error == EAGAIN) return await_writable();
      actions = error == 0 ? end_.written() : end_.stream_ended("the daemon does not read the socket");
      if (news_pace_.may_send_late(setup_.clock.steady())) tell_news();
      is_more = error == 0 && end_.take_outgoing(in_flight_);
      is_writing_ = is_more;
      unwritten_ = in_flight_;
    }
    perform_all(std::move(actions));
  }

  // Until all of it has gone (0) or the socket takes no more (EAGAIN); else what is wrong.
  [[nodiscard]] int write_all() {
    while (!unwritten_.empty()) {
      const ssize_t size =
          ::send(descriptor_, unwritten_.data(), unwritten_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size < 0 && errno != EINTR) return errno;
      if (size > 0) unwritten_.remove_prefix(static_cast<std::size_t>(size));
    }
    return 0;
  }

  const WorkerSetup& setup_;
  Performer performer_;
  const int descriptor_;  // of the socket
  // So that a handler that closes the socket is noticed by this process, and its kind told, before the daemon sees an end.
  Descriptor socket_copy_{::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0)};
  OwnDescriptors own_descriptors_;
  std::atomic<std::uint32_t> performed_{0};
  PerformingJobs performing_;
  RunningNotes running_notes_;
  const SurroundingsOfJobs surroundings_;
  asio::io_context context_;
  std::vector<std::thread> threads_;
  bool is_drained_ = false;  // for run(), once the context has stopped
  std::atomic<bool> is_flush_asked_ = false;
  std::array<char, 64UL * 1024> received_{};  // of the read under way
  std::string in_flight_;                     // of who writes
  std::string_view unwritten_;                // the rest of it

  std::mutex mutex_;
  asio::local::stream_protocol::socket socket_;
  std::optional<asio::posix::stream_descriptor> end_asked_;
  asio::steady_timer news_timer_{context_};
  bool is_news_awaited_ = false;
  NewsPace news_pace_;
  WorkerEnd end_;
  bool is_writing_ = false;
  ProcessBound process_;
  FailureLines failure_lines_{setup_.clock};
  KeptFromChildren socket_kept_{descriptor_};
  KeptFromChildren socket_copy_kept_{socket_copy_.number()};
};

}  // namespace

bool run_worker(int descriptor, const WorkerSetup& setup) {
  const auto runtime = std::make_unique<Runtime>(descriptor, setup);
  return runtime->run();
}

}  // namespace tenure::daemon
