#pragma once

#include <tenure/jobs/bind_tenant.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>

namespace tenure::detail {

struct JobRun;

// See bind_tenant.hpp. Threads: every method from any thread, but that end() is for the one of the handler.
class TenantBinding {
 public:
  // Of a scope outside of jobs.
  TenantBinding(TenantName tenant, Generation generation)
      : tenant_(std::move(tenant)), generation_(generation) {}
  // Of the run, which lives until end() has returned.
  explicit TenantBinding(const JobRun& run);

  // StateChanged where the run has ended. Between the two it does not.
  void begin_call();
  void end_call() noexcept;
  // Nothing begins any more, and what has begun has ended when it returns.
  void end();

  [[nodiscard]] const TenantName& tenant() const { return tenant_; }
  [[nodiscard]] Generation generation() const { return generation_; }
  // Null: of a scope. While a call has begun.
  [[nodiscard]] const JobRun* run() const { return run_; }

 private:
  const TenantName tenant_;
  const Generation generation_;
  const JobRun* const run_ = nullptr;
  std::mutex mutex_;
  std::condition_variable is_idle_;
  int calls_ = 0;
  bool has_ended_ = false;
};

// While a handler runs, bind_here() on its thread is of that run.
class BindingOfRun {
 public:
  explicit BindingOfRun(const JobRun& run);
  // Behind the calls that have begun.
  ~BindingOfRun();
  BindingOfRun(const BindingOfRun&) = delete;
  BindingOfRun& operator=(const BindingOfRun&) = delete;
  [[nodiscard]] std::shared_ptr<TenantBinding> binding();

 private:
  const JobRun& run_;
  BindingOfRun* const before_;
  std::shared_ptr<TenantBinding> binding_;  // made when it is asked for
};

}  // namespace tenure::detail
