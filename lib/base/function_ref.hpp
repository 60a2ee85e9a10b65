// Layer base. A callable that somebody else owns, to be called before they let go of it: two words and no
// allocation, where a std::function would put what it captures on the heap for each event.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace vigil {

template <typename Signature>
class FunctionRef;

/// Of a function object (a lambda). A parameter's type only: it must not outlive the call that it was made
/// for.
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
  public:
    template <typename F>
    requires(std::is_object_v<std::remove_reference_t<F>> &&
             !std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
        FunctionRef(F&& callable)
    noexcept  // NOLINT(google-explicit-constructor): made where it is passed
        : callable_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
          call_([](void* what, Args... args) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(what))(std::forward<Args>(args)...);
          }) {}

    R operator()(Args... args) const { return call_(callable_, std::forward<Args>(args)...); }

  private:
    void* callable_;
    R (*call_)(void*, Args...);
};

}  // namespace vigil
