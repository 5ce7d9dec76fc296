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

thread_local BindingOfRun* run_of_thread = nullptr;

}  // namespace

TenantBinding::TenantBinding(const JobRun& run)
    : tenant_(run.job.tenant.value()), generation_(run.job.generation), run_(&run) {}

void TenantBinding::begin_call() {
  const std::lock_guard lock{mutex_};
  if (has_ended_)
    raise(ErrorCode::state_changed, "the job has ended, in whose tenant this was bound", tenant_.text());
  ++calls_;
}

void TenantBinding::end_call() noexcept {
  const std::lock_guard lock{mutex_};
  if (--calls_ == 0) is_idle_.notify_all();
}

void TenantBinding::end() {
  std::unique_lock lock{mutex_};
  has_ended_ = true;
  is_idle_.wait(lock, [this] { return calls_ == 0; });
}

BindingOfRun::BindingOfRun(const JobRun& run) : run_(run), before_(std::exchange(run_of_thread, this)) {}

BindingOfRun::~BindingOfRun() {
  run_of_thread = before_;
  if (binding_) binding_->end();
}

std::shared_ptr<TenantBinding> BindingOfRun::binding() {
  if (!run_.job.tenant) raise(ErrorCode::no_tenant, "an untenanted job has no tenant that could be bound");
  if (!binding_) binding_ = std::make_shared<TenantBinding>(run_);
  return binding_;
}

std::shared_ptr<TenantBinding> bind_here() {
  if (run_of_thread != nullptr) return run_of_thread->binding();
  const auto tenant = current_tenant();
  if (!tenant) raise(ErrorCode::no_tenant, "no tenant is current that could be bound");
  return std::make_shared<TenantBinding>(*tenant, current_generation());
}

struct BoundCall::Entered {
  explicit Entered(TenantBinding& of) : binding(of) { binding.begin_call(); }
  ~Entered() { binding.end_call(); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

  TenantBinding& binding;
  std::optional<TenantScope> scope;
  std::optional<log::Context> log_context;
  std::optional<HandleLease> lease;
};

BoundCall::BoundCall(TenantBinding& binding) : entered_(std::make_unique<Entered>(binding)) {
  entered_->scope.emplace(binding.tenant(), binding.generation());
  if (const JobRun* const run = binding.run())
    entered_->log_context.emplace(binding.tenant().text(), binding.generation().value, run->job.id.text());
}

BoundCall::~BoundCall() = default;

TenantHandle& BoundCall::handle() {
  TenantBinding& binding = entered_->binding;
  const JobRun* const run = binding.run();
  if (run == nullptr)
    raise(ErrorCode::bad_options, "outside of a job there is no handle to carry: open one there",
          binding.tenant().text());
  if (!entered_->lease) entered_->lease.emplace(run->new_lease());
  return **entered_->lease;
}

}  // namespace tenure::detail
