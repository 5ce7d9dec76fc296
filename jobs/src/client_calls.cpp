#include "client_calls.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/thread_without_signals.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <pthread.h>

namespace tenure::detail {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};  // for jobs that have ended
constexpr std::size_t kLooksOfOneRead = 200;          // behind each what waits is stored

Failure interrupted(std::string message) { return {ErrorCode::interrupted, std::move(message)}; }

// Of what is caught: an error of ours, or one of the world, or of a job's own code, that is none.
Failure failure_of_caught() {
  try {
    throw;
  } catch (const Error& error) {
    return error.failure();
  } catch (const std::bad_alloc& error) {
    return {ErrorCode::out_of_memory, error.what()};
  } catch (const std::exception& error) {
    return {ErrorCode::internal, error.what()};
  } catch (...) {  // of a job's own code, whatever it throws
    return {ErrorCode::internal, "an exception that says nothing of itself"};
  }
}

Failure forked() {
  try {
    refuse_in_child("the client");
  } catch (const Error& error) {
    return error.failure();
  }
}

constexpr const char* kNotStored =
    "the enqueue was cancelled before its commit, and nothing of it was stored";
constexpr const char* kEndedBefore =
    "the client has ended before the commit of this enqueue, and nothing of it was stored";

}  // namespace

std::exception_ptr exception_of(const std::optional<Failure>& error) {
  if (!error) return {};
  try {
    raise(*error);
  } catch (const Error&) {
    return std::current_exception();
  }
}

void ClientCalls::Call::tell(const std::optional<Failure>& error) {
  if (all) {
    all->complete(error, error ? std::vector<BulkItem>{} : jobs->items);
    return;
  }
  const BulkItem& item = jobs->items.empty() ? BulkItem{} : jobs->items.front();
  if (!error && item.failure) one->complete(item.failure, {});
  else one->complete(error, error ? Uuid{} : item.id);
}

ClientCalls::ClientCalls(const Means& means)
    : means_(means),
      stores_in_call_(means.options.stores_in_call),
      ends_max_(means.options.waiting_ends_max),
      waiting_({.jobs_max = means.options.waiting_jobs_max, .bytes_max = means.options.waiting_bytes_max}) {}

ClientCalls::~ClientCalls() {
  if (process_.is_inherited()) static_cast<void>(thread_.release());  // there is no such thread here
  else close();
}

void ClientCalls::close() {
  std::vector<Call> left;
  std::map<CallNumber, WaitForEnd> waits;
  {
    const std::lock_guard lock(mutex_);
    for (const CallNumber number : waiting_.close()) {
      left.push_back(std::move(calls_.at(number)));
      calls_.erase(number);
    }
    waits.swap(ends_);
    changed_.notify_all();
  }
  if (!left.empty()) {
    const Failure error = interrupted(kEndedBefore);
    for (Call& call : left) call.tell(error);
  }
  for (auto& [number, wait] : waits)
    wait.completion->complete(interrupted("the client has ended before the job"), {});
  if (thread_ && thread_->joinable()) thread_->join();
}

std::shared_ptr<PreparedJobs> ClientCalls::prepare(const JobKind& kind, const void* job,
                                                   const EnqueueOptions& options) {
  auto prepared = std::make_shared<PreparedJobs>();
  try {
    *prepared = prepare_one(drafting(), kind, job, options);
  } catch (...) {  // the outcome of the call, and no exception out of it
    prepared->error = failure_of_caught();
  }
  return prepared;
}

std::shared_ptr<PreparedJobs> ClientCalls::prepare_all(const JobKind& kind, const void* jobs,
                                                       std::size_t count, const EnqueueOptions& options,
                                                       BulkRule rule) {
  auto prepared = std::make_shared<PreparedJobs>();
  try {
    *prepared = detail::prepare_all(drafting(), kind, jobs, count, options, rule);
  } catch (...) {  // the outcome of the call, and no exception out of it
    prepared->error = failure_of_caught();
  }
  return prepared;
}

std::shared_ptr<const void> ClientCalls::prepare_wait(const Uuid& id, const JobsOf& jobs) {
  auto waited = std::make_shared<WaitedJob>(WaitedJob{.id = {id}, .whose = {}, .error = {}});
  try {
    waited->whose = whose(jobs);
  } catch (...) {  // the same
    waited->error = failure_of_caught();
  }
  return waited;
}

void ClientCalls::enqueue(std::int64_t number, std::shared_ptr<PreparedJobs> job,
                          std::unique_ptr<Completion<Uuid>> completion) {
  begin({CallNumber{number}, std::move(job), std::move(completion), nullptr});
}

void ClientCalls::enqueue_all(std::int64_t number, std::shared_ptr<PreparedJobs> jobs,
                              std::unique_ptr<Completion<std::vector<BulkItem>>> completion) {
  begin({CallNumber{number}, std::move(jobs), nullptr, std::move(completion)});
}

void ClientCalls::begin(Call call) {
  if (process_.is_inherited()) return call.tell(forked());
  if (call.jobs->error) return call.tell(call.jobs->error);
  std::optional<Failure> refused;
  {
    const std::lock_guard lock(mutex_);
    const CallNumber number = call.number;
    auto added = waiting_.add(number, {call.jobs->drafts.size(), bytes_of(*call.jobs)});
    if (!added) {
      refused = std::move(added.error());
    } else if (stores_in_call_) {
      static_cast<void>(waiting_.take(1));
    } else {
      start_thread();
      calls_.emplace(number, std::move(call));
      changed_.notify_all();
    }
  }
  if (refused) call.tell(refused);
  else if (stores_in_call_) store_together({&call, 1});
}

void ClientCalls::wait(std::int64_t number, std::shared_ptr<const void> prepared,
                       std::unique_ptr<Completion<FoundJob>> completion) {
  auto job = std::static_pointer_cast<const WaitedJob>(prepared);
  if (process_.is_inherited()) return completion->complete(forked(), {});
  if (job->error) return completion->complete(job->error, {});
  std::optional<Failure> refused;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.is_closed()) {
      refused = interrupted("the client has ended before the job");
    } else if (ends_.size() >= ends_max_) {
      refused = Failure{ErrorCode::limit_reached, std::to_string(ends_.size()) +
                                                      " calls wait for the ends of jobs already, and no "
                                                      "more may (waiting_ends_max)"};
    } else {
      start_thread();
      ends_.emplace(CallNumber{number}, WaitForEnd{std::move(job), std::move(completion)});
      new_ends_.push_back(CallNumber{number});
      changed_.notify_all();
    }
  }
  if (refused) completion->complete(refused, {});
}

// Under the lock.
void ClientCalls::start_thread() {
  if (!thread_) thread_ = std::make_unique<std::thread>(start_without_signals([this] { run(); }));
}

void ClientCalls::cancel(std::int64_t number) {
  if (process_.is_inherited()) return;
  std::optional<Call> call;
  std::optional<WaitForEnd> wait;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.withdraw(CallNumber{number})) {
      call = std::move(calls_.at(CallNumber{number}));
      calls_.erase(CallNumber{number});
    } else if (auto found = ends_.extract(CallNumber{number})) {
      wait = std::move(found.mapped());
    }
  }
  if (call) call->tell(interrupted(kNotStored));
  if (wait) wait->completion->complete(interrupted("the wait was cancelled; the job is what it was"), {});
}

void ClientCalls::run() {
  ::pthread_setname_np(::pthread_self(), "async");
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool is_time_to_look = wait_for_work(lock);
    if (waiting_.is_closed()) return;
    std::vector<Call> batch = take();
    std::vector<CallNumber> news = std::exchange(new_ends_, {});
    lock.unlock();
    serve(std::move(batch));
    look_at(news);
    if (is_time_to_look) look_for_ends();
    lock.lock();
  }
}

// Whether all that wait for ends are looked at; those that are new are looked at whenever they come.
bool ClientCalls::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] {
    return waiting_.has_waiting() || waiting_.is_closed() || !new_ends_.empty();
  };
  bool is_woken = true;
  if (ends_.empty()) changed_.wait(lock, has_work);
  else is_woken = changed_.wait_for(lock, kLookEvery, has_work);
  return !ends_.empty() && (!is_woken || means_.clock.steady() - last_look_ >= kLookEvery);
}

std::vector<ClientCalls::Call> ClientCalls::take() {
  std::vector<Call> batch;
  for (const CallNumber number : waiting_.take(limits::kBulkMax)) {
    batch.push_back(std::move(calls_.at(number)));
    calls_.erase(number);
  }
  return batch;
}

// One of all_or_nothing is undone as a whole, so it has a commit of its own.
void ClientCalls::serve(std::vector<Call> batch) {
  const auto stands_alone = [](const Call& call) { return call.jobs->rule == BulkRule::all_or_nothing; };
  auto front = batch.begin();
  while (front != batch.end()) {
    const auto end = stands_alone(*front) ? front + 1 : std::find_if(front + 1, batch.end(), stands_alone);
    store_together({front, end});
    front = end;
  }
}

void ClientCalls::store_together(std::span<Call> calls) {
  const std::optional<Failure> error = write(calls);
  {
    const std::lock_guard lock(mutex_);
    for (const Call& call : calls) waiting_.end(call.number);
  }
  for (Call& call : calls) call.tell(error);
}

std::optional<Failure> ClientCalls::write(std::span<Call> calls) {
  try {
    means_.store.write(means_.options.durability, [&](queue::StoreWriter& writer) {
      for (Call& call : calls) store(*call.jobs, writer, means_.clock);
    });
    queue::send_wake_hint(means_.options.wake_path);
  } catch (const std::exception&) {  // of the world: what it says holds for each of them
    return failure_of_caught();
  }
  return std::nullopt;
}

// Page by page, from call to call: what is enqueued meanwhile waits for one page at most.
void ClientCalls::look_for_ends() {
  CallNumber behind{0};
  for (;;) {
    std::vector<Look> page;
    std::vector<Call> batch;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.is_closed()) return;
      for (auto wait = ends_.upper_bound(behind); wait != ends_.end() && page.size() < kLooksOfOneRead;
           ++wait)
        page.push_back({wait->first, wait->second.job, std::nullopt, std::nullopt});
      batch = take();
    }
    serve(std::move(batch));
    if (page.empty()) break;
    behind = page.back().number;
    look(page);
    tell_ends(page);
  }
  last_look_ = means_.clock.steady();
}

void ClientCalls::look_at(std::span<const CallNumber> numbers) {
  for (; !numbers.empty(); numbers = numbers.subspan(std::min(numbers.size(), kLooksOfOneRead))) {
    std::vector<Look> page;
    std::vector<Call> batch;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.is_closed()) return;
      for (const CallNumber number : numbers.first(std::min(numbers.size(), kLooksOfOneRead)))
        if (const auto wait = ends_.find(number); wait != ends_.end())
          page.push_back({number, wait->second.job, std::nullopt, std::nullopt});
      batch = take();
    }
    serve(std::move(batch));
    look(page);
    tell_ends(page);
  }
}

void ClientCalls::look(std::span<Look> looks) {
  try {
    means_.store.read([&](queue::JobReader& reader) {
      const WallTime now = means_.clock.wall();
      for (Look& each : looks) {
        auto found = find_job(reader, each.job->id, each.job->whose, means_.mask, now);
        if (!found) each.error = not_found(each.job->id, each.job->whose);
        else if (found->has_ended()) each.ended = std::move(found);
      }
    });
  } catch (const std::exception&) {  // of the world: none of them knows more
    const Failure failure = failure_of_caught();
    for (Look& each : looks) each.error = failure;
  }
}

void ClientCalls::tell_ends(std::span<Look> looks) {
  for (Look& each : looks) {
    if (!each.error && !each.ended) continue;
    std::unique_ptr<Completion<FoundJob>> completion;
    {
      const std::lock_guard lock(mutex_);
      if (auto found = ends_.extract(each.number)) completion = std::move(found.mapped().completion);
    }
    if (!completion) continue;  // cancelled meanwhile
    completion->complete(each.error, each.error ? FoundJob{} : *std::move(each.ended));
  }
}

}  // namespace tenure::detail
