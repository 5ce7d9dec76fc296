#pragma once

// Client's calls for event loops, with any completion token of Boost.Asio (1.81): a callback, asio::use_future, a yield_context, asio::deferred,
// an application's own. Link tenure::client, and Boost.Asio as the application has it. It is apart from <tenure/client.hpp> since Asio's headers
// are heavy: include it in the sources that call these.
//
//   client.async_enqueue(SendInvoice{...}, {.tenant = "acme"}, [](std::exception_ptr error, tenure::Uuid id) { ... });
//   tenure::Uuid id = client.async_enqueue(job, {.tenant = "acme"}, yield);
//
//   async_enqueue(job, options, token)              void(std::exception_ptr, tenure::Uuid)
//   async_enqueue_all(jobs, options, rule, token)   void(std::exception_ptr, std::vector<tenure::BulkItem>)
//   async_wait(id, whose, token)                    void(std::exception_ptr, tenure::FoundJob)
//
// What they do is what enqueue, enqueue_all and find do, and their errors are the same, but: no thread of the caller's waits for anything, and no
// error is thrown by the call itself (but ForkedProcess); it is the call's outcome. What else a job's own code throws (its options) is told as an Error,
// Internal with its text, or OutOfMemory. The tenant is captured, and arguments are encoded, at the
// call and not when a lazy token starts. All jobs that wait are stored by one commit and one sync. With the default durability a call
// that ends without an error ends when its job is on disk. async_wait ends when the job has ended, however it has: FoundJob says how; JobNotFound.
//
// Completion. On the executor that is associated with the token, by asio::post, never from within the call; with none (a plain function) on
// Asio's system executor, which has threads of its own: asio::bind_executor(executor, function) is what a server wants. An io_context stays in
// run() as long as a call is under way. Its executor's context must live until the call has ended.
//
// Cancellation (asio::bind_cancellation_slot, or what the token has). Who cancels is told what is true: a call that ends by Interrupted has stored
// nothing; one whose commit is under way cannot be taken back, and ends as if it had not been cancelled. Who does not want to wait for that
// (a time-out of the caller's own) knows nothing: it is stored or it is not. Enqueue it again with the same EnqueueOptions::id, and it is one job.
//
// Limits. What may wait is bounded (ClientOptions::waiting_jobs_max, waiting_bytes_max, waiting_ends_max); one more ends by LimitReached, with
// nothing stored. Jobs of a kind are told to be too many to whoever enqueues: an HTTP server answers 503.
//
// The client's end. ~Client ends every call, once: those whose commit is under way as that ends, for which it waits; all others by Interrupted.
// Threads: the calls from any, as all methods of Client. The client has a thread `async` of its own from the first call on.
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/detail/async_calls.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>

#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tenure {
namespace detail {

template <class Answer, class Handler>
class AsioCompletion final : public Completion<Answer> {
  using Executor = boost::asio::associated_executor_t<Handler, boost::asio::system_executor>;

 public:
  explicit AsioCompletion(Handler handler)
      : work_(boost::asio::get_associated_executor(handler, boost::asio::system_executor{})),
        handler_(std::move(handler)) {}

  void complete(std::optional<Failure> error, Answer answer) noexcept override {
    const auto executor = work_.get_executor();
    boost::asio::post(executor, [work = std::move(work_), handler = std::move(handler_),
                                 error = std::move(error), answer = std::move(answer)]() mutable {
      // On the executor, where a signal is emitted too.
      if (auto slot = boost::asio::get_associated_cancellation_slot(handler); slot.is_connected())
        slot.clear();
      std::move(handler)(exception_of(error), std::move(answer));
    });
  }

 private:
  boost::asio::executor_work_guard<Executor> work_;
  Handler handler_;
};

// Calls `start(number, completion)`, where the handler's signal cancels.
template <class Answer, class Handler, class Start>
void start_async_call(const std::shared_ptr<AsyncCalls>& calls, Handler&& handler, Start&& start) {
  const std::int64_t number = calls->next_number();
  if (auto slot = boost::asio::get_associated_cancellation_slot(handler); slot.is_connected())
    slot.assign([weak = std::weak_ptr<AsyncCalls>(calls), number](boost::asio::cancellation_type type) {
      if (type == boost::asio::cancellation_type::none) return;
      if (const auto alive = weak.lock()) alive->cancel(number);
    });
  start(number,
        std::make_unique<AsioCompletion<Answer, std::decay_t<Handler>>>(std::forward<Handler>(handler)));
}

}  // namespace detail

template <JobType Job, class CompletionToken>
auto Client::async_enqueue(const Job& job, const EnqueueOptions& options, CompletionToken&& token) {
  auto calls = async_calls();
  auto prepared = calls->prepare(detail::job_kind_of<Job>(), &job, options);
  return boost::asio::async_initiate<CompletionToken, void(std::exception_ptr, Uuid)>(
      [calls = std::move(calls)](auto&& handler, std::shared_ptr<detail::PreparedJobs> job_to_store) {
        detail::start_async_call<Uuid>(
            calls, std::forward<decltype(handler)>(handler), [&](std::int64_t number, auto completion) {
              calls->enqueue(number, std::move(job_to_store), std::move(completion));
            });
      },
      token, std::move(prepared));
}

template <class Jobs, class CompletionToken>
auto Client::async_enqueue_all(const Jobs& jobs, const EnqueueOptions& options, BulkRule rule,
                               CompletionToken&& token) {
  using Job = std::remove_cvref_t<decltype(*std::data(jobs))>;
  auto calls = async_calls();
  auto prepared =
      calls->prepare_all(detail::job_kind_of<Job>(), std::data(jobs), std::size(jobs), options, rule);
  return boost::asio::async_initiate<CompletionToken, void(std::exception_ptr, std::vector<BulkItem>)>(
      [calls = std::move(calls)](auto&& handler, std::shared_ptr<detail::PreparedJobs> jobs_to_store) {
        detail::start_async_call<std::vector<BulkItem>>(
            calls, std::forward<decltype(handler)>(handler), [&](std::int64_t number, auto completion) {
              calls->enqueue_all(number, std::move(jobs_to_store), std::move(completion));
            });
      },
      token, std::move(prepared));
}

template <class CompletionToken>
auto Client::async_wait(const Uuid& id, const JobsOf& whose, CompletionToken&& token) {
  auto calls = async_calls();
  auto prepared = calls->prepare_wait(id, whose);
  return boost::asio::async_initiate<CompletionToken, void(std::exception_ptr, FoundJob)>(
      [calls = std::move(calls)](auto&& handler, std::shared_ptr<const void> waited_for) {
        detail::start_async_call<FoundJob>(
            calls, std::forward<decltype(handler)>(handler), [&](std::int64_t number, auto completion) {
              calls->wait(number, std::move(waited_for), std::move(completion));
            });
      },
      token, std::move(prepared));
}

}  // namespace tenure
