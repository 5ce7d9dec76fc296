#pragma once

#include <type_traits>

namespace tenure {

template <class Signature>
class FunctionRef;

// A callable that the caller keeps alive for the length of the call: no allocation, no copy. Never stored.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
      FunctionRef(F&& function)  // NOLINT(google-explicit-constructor): stands for any callable argument
      : object_(const_cast<void*>(static_cast<const void*>(__builtin_addressof(function)))),
        call_(&call<std::remove_reference_t<F>>) {}

  R operator()(Args... args) const { return call_(object_, static_cast<Args&&>(args)...); }

 private:
  // Neither a lambda nor std::addressof: this is compiled anew for each callable of each user.
  template <class F>
  static R call(void* object, Args... args) {
    return (*static_cast<F*>(object))(static_cast<Args&&>(args)...);
  }

  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace tenure
