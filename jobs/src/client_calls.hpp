#pragma once

#include "client_asking.hpp"
#include "prepared_jobs.hpp"
#include "waiting_calls.hpp"

#include <tenure/base/process_bound.hpp>
#include <tenure/jobs/detail/async_calls.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/store.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tenure::detail {

// The calls of event loops: one thread stores what waits, as much of it as there is in one commit, and looks for jobs that have ended.
// It outlives its client where a call that has not begun does; after close() it uses nothing of the client's.
class ClientCalls final : public AsyncCalls {
 public:
  // Of the client's, which closes before they go.
  struct Means {
    queue::Store& store;
    const Clock& clock;
    const ClientOptions& options;
    const queue::Mask& mask;
  };
  explicit ClientCalls(const Means& means);
  ~ClientCalls() override;
  ClientCalls(const ClientCalls&) = delete;
  ClientCalls& operator=(const ClientCalls&) = delete;

  // Every call that has begun has been told its outcome when this returns. Safe twice; once by one thread.
  void close();

  std::shared_ptr<PreparedJobs> prepare(const JobKind& kind, const void* job,
                                        const EnqueueOptions& options) override;
  std::shared_ptr<PreparedJobs> prepare_all(const JobKind& kind, const void* jobs, std::size_t count,
                                            const EnqueueOptions& options, BulkRule rule) override;
  std::shared_ptr<const void> prepare_wait(const Uuid& id, const JobsOf& whose) override;
  std::int64_t next_number() override { return ++last_number_; }
  void enqueue(std::int64_t number, std::shared_ptr<PreparedJobs> job,
               std::unique_ptr<Completion<Uuid>> completion) override;
  void enqueue_all(std::int64_t number, std::shared_ptr<PreparedJobs> jobs,
                   std::unique_ptr<Completion<std::vector<BulkItem>>> completion) override;
  void wait(std::int64_t number, std::shared_ptr<const void> prepared,
            std::unique_ptr<Completion<FoundJob>> completion) override;
  void cancel(std::int64_t number) override;

 private:
  // One that enqueues. Exactly one of the two is told.
  struct Call {
    CallNumber number;
    std::shared_ptr<PreparedJobs> jobs;
    std::unique_ptr<Completion<Uuid>> one;
    std::unique_ptr<Completion<std::vector<BulkItem>>> all;
    void tell(const std::optional<Failure>& error);
  };
  struct WaitedJob {
    queue::JobId id;
    Whose whose;
    std::optional<Failure> error;
  };
  struct WaitForEnd {
    std::shared_ptr<const WaitedJob> job;
    std::unique_ptr<Completion<FoundJob>> completion;
  };
  // What one look has found; nothing: it goes on.
  struct Look {
    CallNumber number;
    std::shared_ptr<const WaitedJob> job;
    std::optional<FoundJob> ended;
    std::optional<Failure> error;
  };

  void start_thread();
  [[nodiscard]] JobDrafting drafting() const {
    return {means_.options.application, means_.mask, means_.clock};
  }
  void begin(Call call);
  void run();
  // Under the lock, as take() is: until there is something to do.
  [[nodiscard]] bool wait_for_work(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::vector<Call> take();
  void serve(std::vector<Call> batch);
  void store_together(std::span<Call> calls);
  // One commit. What it failed with.
  [[nodiscard]] std::optional<Failure> write(std::span<Call> calls);
  void look_for_ends();
  // Whether the jobs of these calls have ended already.
  void look_at(std::span<const CallNumber> numbers);
  void look(std::span<Look> looks);
  void tell_ends(std::span<Look> looks);

  const Means means_;
  const bool stores_in_call_;  // what a call looks at that may begin when the client has gone
  const std::size_t ends_max_;
  const ProcessBound process_;
  std::atomic<std::int64_t> last_number_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  WaitingCalls waiting_;
  std::map<CallNumber, Call> calls_;  // those that wait
  std::map<CallNumber, WaitForEnd> ends_;
  std::vector<CallNumber> new_ends_;     // that nobody has looked at
  Instant last_look_{};                  // the thread's own
  std::unique_ptr<std::thread> thread_;  // from the first call on that waits for it
};

}  // namespace tenure::detail
