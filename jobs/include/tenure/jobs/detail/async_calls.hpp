#pragma once

#include <tenure/jobs/client.hpp>
#include <tenure/jobs/found_job.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

// What is behind tenure/async.hpp and knows nothing of Asio.
namespace tenure::detail {

// Whom a call's outcome is told, once, by a thread of the client's: whatever it calls of the application's it calls elsewhere.
template <class Answer>
class Completion {
 public:
  virtual ~Completion() = default;
  // With an error `answer` is empty. A value, and no exception: its object would be shared by threads of the client's and the application's.
  virtual void complete(std::optional<Failure> error, Answer answer) noexcept = 0;
};
// Null: none.
[[nodiscard]] std::exception_ptr exception_of(const std::optional<Failure>& error);

struct PreparedJobs;  // drafts, or why there are none

class AsyncCalls {
 public:
  virtual ~AsyncCalls() = default;
  // Never throws for what is wrong with the jobs: it is the call's outcome. The tenant is captured here.
  [[nodiscard]] virtual std::shared_ptr<PreparedJobs> prepare(const JobKind& kind, const void* job,
                                                              const EnqueueOptions& options) = 0;
  [[nodiscard]] virtual std::shared_ptr<PreparedJobs> prepare_all(const JobKind& kind, const void* jobs,
                                                                  std::size_t count,
                                                                  const EnqueueOptions& options,
                                                                  BulkRule rule) = 0;
  [[nodiscard]] virtual std::shared_ptr<const void> prepare_wait(const Uuid& id, const JobsOf& whose) = 0;
  // Names a call before it begins, so that it can be cancelled as soon as it has.
  [[nodiscard]] virtual std::int64_t next_number() = 0;
  // Each ends by one call of `completion`, never from within.
  virtual void enqueue(std::int64_t number, std::shared_ptr<PreparedJobs> job,
                       std::unique_ptr<Completion<Uuid>> completion) = 0;
  virtual void enqueue_all(std::int64_t number, std::shared_ptr<PreparedJobs> jobs,
                           std::unique_ptr<Completion<std::vector<BulkItem>>> completion) = 0;
  virtual void wait(std::int64_t number, std::shared_ptr<const void> prepared,
                    std::unique_ptr<Completion<FoundJob>> completion) = 0;
  // Of one that waits: it ends by Interrupted. Of any other nothing.
  virtual void cancel(std::int64_t number) = 0;
};

}  // namespace tenure::detail
