#pragma once

#include "run_here.hpp"

#include <tenure/jobs/bind_tenant.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace tenure::detail {

struct JobRun;

// The calls of everything that was bound in a run. Threads: every method from any thread, but that end() is for the one of the handler.
class BoundCalls {
 public:
  // Of the run, which lives until end() has returned.
  explicit BoundCalls(const JobRun& run) : run_(run) {}

  // StateChanged where the run has ended. Between the two it does not.
  void begin_call(const TenantName& bound);
  void end_call() noexcept;
  // Nothing begins any more, and what has begun has ended when it returns.
  void end();

  // While a call has begun.
  [[nodiscard]] const JobRun& run() const { return run_; }

 private:
  const JobRun& run_;
  std::mutex mutex_;
  std::condition_variable is_idle_;
  int calls_ = 0;
  bool has_ended_ = false;
};

// See bind_tenant.hpp. Threads: does not change.
class TenantBinding {
 public:
  // Without calls it is of a scope outside of jobs.
  TenantBinding(TenantName tenant, Generation generation, std::shared_ptr<BoundCalls> calls = nullptr)
      : tenant_(std::move(tenant)), generation_(generation), calls_(std::move(calls)) {}

  [[nodiscard]] const TenantName& tenant() const { return tenant_; }
  [[nodiscard]] Generation generation() const { return generation_; }
  [[nodiscard]] const std::shared_ptr<BoundCalls>& calls() const { return calls_; }

 private:
  const TenantName tenant_;
  const Generation generation_;
  const std::shared_ptr<BoundCalls> calls_;
};

// Of a thread: what it works for until this is destroyed, and then what it worked for before. bind_here() asks the innermost.
class CallsOfThread {
 public:
  // A run's, made when they are asked for.
  explicit CallsOfThread(const JobRun& run);
  explicit CallsOfThread(std::shared_ptr<BoundCalls> calls);
  ~CallsOfThread();
  CallsOfThread(const CallsOfThread&) = delete;
  CallsOfThread& operator=(const CallsOfThread&) = delete;
  [[nodiscard]] std::shared_ptr<BoundCalls> calls();
  // Null where nobody has asked for them.
  [[nodiscard]] const std::shared_ptr<BoundCalls>& made() const { return calls_; }

 private:
  const JobRun* const run_ = nullptr;
  std::shared_ptr<BoundCalls> calls_;
  CallsOfThread* const before_;
  const RunHere here_;
};

// While a handler runs, what bind_here() gives on its thread ends with that run.
class BindingOfRun {
 public:
  explicit BindingOfRun(const JobRun& run) : of_thread_(run) {}
  // Behind the calls that have begun.
  ~BindingOfRun();
  BindingOfRun(const BindingOfRun&) = delete;
  BindingOfRun& operator=(const BindingOfRun&) = delete;

 private:
  CallsOfThread of_thread_;
};

}  // namespace tenure::detail
