#pragma once

#include <tenure/tenancy/handle.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace tenure {

namespace detail {

// Whose tenant it is that is carried: that of a run, until its handler has ended, or that of a scope.
class TenantBinding;
// Of the scope that is current. NoTenant outside.
[[nodiscard]] std::shared_ptr<TenantBinding> bind_here();

// From its beginning to its end this thread is inside of the binding's tenant, and the run of it does not end.
class BoundCall {
 public:
  explicit BoundCall(TenantBinding& binding);
  ~BoundCall();
  BoundCall(const BoundCall&) = delete;
  BoundCall& operator=(const BoundCall&) = delete;
  // Leased for this call.
  [[nodiscard]] TenantHandle& handle();

 private:
  struct Entered;
  std::unique_ptr<Entered> entered_;
};

}  // namespace detail

// Carries the tenant that is current, with its generation, into another thread or a handler that is posted: what it returns calls `function`
// inside of that tenant's scope, on whichever thread, and passes its value through. In a job's handler the thread's log lines name the job too, and a
// function that takes a TenantHandle& before its other arguments gets one of the job's tenant, leased for the call: as the handler's own, it
// is for one thread, and waits for others that write.
//   std::jthread counts(bind_tenant([](TenantHandle& handle) { ... }));
// A job ends behind the calls that have begun, for which its run waits; whatever calls later is refused, also what its handler has bound inside of
// another tenant.
// NoTenant where no tenant is current. Of what it returns: StateChanged behind the end of the job's handler; TenantSwapProhibited on a thread that is
// inside of another tenant; BadOptions for a handle outside of a job's own tenant; what JobContext::handle says. Threads: what it returns may be
// copied, and its copies called from any threads; `function` is called from several at once then.
template <class Function>
[[nodiscard]] auto bind_tenant(Function function) {
  return [binding = detail::bind_here(), function = std::move(function)]<class... Arguments>(
             Arguments&&... arguments) mutable -> decltype(auto) {
    detail::BoundCall call(*binding);
    if constexpr (std::is_invocable_v<Function&, TenantHandle&, Arguments...>)
      return function(call.handle(), std::forward<Arguments>(arguments)...);
    else return function(std::forward<Arguments>(arguments)...);
  };
}

}  // namespace tenure
