#include "tenant_binding.hpp"

#include "job_run.hpp"
#include "tenants_file.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>
#include <tenure/tenancy/scope.hpp>

#include <optional>
#include <utility>

namespace tenure::detail {
namespace {

// What this thread works for: that of its handler, or of the bound call that it is in.
thread_local CallsOfThread* calls_of_thread = nullptr;

bool is_tenant_of(const JobRun& run, const TenantName& tenant, Generation generation) {
  return run.job.tenant == tenant && run.job.generation == generation;
}

}  // namespace

CallsOfThread::CallsOfThread(const JobRun& run)
    : run_(&run), before_(std::exchange(calls_of_thread, this)), here_(run.job.tenant) {}

CallsOfThread::CallsOfThread(std::shared_ptr<BoundCalls> calls)
    : calls_(std::move(calls)),
      before_(std::exchange(calls_of_thread, this)),
      here_(calls_->run().job.tenant) {}

CallsOfThread::~CallsOfThread() { calls_of_thread = before_; }

std::shared_ptr<BoundCalls> CallsOfThread::calls() {
  if (!calls_) calls_ = std::make_shared<BoundCalls>(*run_);
  return calls_;
}

void BoundCalls::begin_call(const TenantName& bound) {
  const std::lock_guard lock{mutex_};
  if (has_ended_)
    raise(ErrorCode::state_changed, "the job has ended, in whose tenant this was bound", bound.text());
  ++calls_;
}

void BoundCalls::end_call() noexcept {
  const std::lock_guard lock{mutex_};
  if (--calls_ == 0) is_idle_.notify_all();
}

void BoundCalls::end() {
  std::unique_lock lock{mutex_};
  has_ended_ = true;
  is_idle_.wait(lock, [this] { return calls_ == 0; });
}

BindingOfRun::~BindingOfRun() {
  if (const auto& calls = of_thread_.made()) calls->end();
}

std::shared_ptr<TenantBinding> bind_here() {
  const auto tenant = current_tenant();
  if (!tenant) raise(ErrorCode::no_tenant, "no tenant is current that could be bound");
  return std::make_shared<TenantBinding>(*tenant, current_generation(),
                                         calls_of_thread == nullptr ? nullptr : calls_of_thread->calls());
}

// Begins with the call and ends behind everything else of it.
struct BegunCall {
  explicit BegunCall(const TenantBinding& of) : calls(of.calls()) {
    if (calls) calls->begin_call(of.tenant());
  }
  ~BegunCall() {
    if (calls) calls->end_call();
  }
  BegunCall(const BegunCall&) = delete;
  BegunCall& operator=(const BegunCall&) = delete;

  const std::shared_ptr<BoundCalls> calls;
};

struct BoundCall::Entered {
  explicit Entered(TenantBinding& of) : begun(of), binding(of) {}

  BegunCall begun;
  TenantBinding& binding;
  std::optional<CallsOfThread> calls_here;
  std::optional<TenantScope> scope;
  std::optional<log::Context> log_context;
  std::optional<HandleLease> lease;
};

BoundCall::BoundCall(TenantBinding& binding) : entered_(std::make_unique<Entered>(binding)) {
  entered_->scope.emplace(binding.tenant(), binding.generation());
  if (!binding.calls()) return;
  entered_->calls_here.emplace(binding.calls());
  const queue::AssignedJob& job = binding.calls()->run().job;
  entered_->log_context.emplace(job.tenant ? job.tenant->text() : "", job.generation.value, job.id.text());
}

BoundCall::~BoundCall() = default;

TenantHandle& BoundCall::handle() {
  const TenantBinding& binding = entered_->binding;
  const JobRun* const run = binding.calls() ? &binding.calls()->run() : nullptr;
  if (run == nullptr || !is_tenant_of(*run, binding.tenant(), binding.generation()))
    raise(ErrorCode::bad_options,
          "outside of the tenant of a job there is no handle to carry: open one there",
          binding.tenant().text());
  if (!entered_->lease) entered_->lease.emplace(run->new_lease());
  return **entered_->lease;
}

}  // namespace tenure::detail
