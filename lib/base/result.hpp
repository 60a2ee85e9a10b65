// Layer base. A value or the reason why there is none.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "base/error.hpp"

namespace vigil {

/// Wraps an error for the implicit conversion into a Result.
template <typename E>
struct Failure {
    E error;
};
template <typename E>
Failure(E) -> Failure<E>;

/// Holds a T or an E. Reading the side that is not there is a broken invariant and aborts.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    template <typename F>
    Result(Failure<F> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

    [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
    [[nodiscard]] explicit operator bool() const noexcept { return ok(); }

    [[nodiscard]] T& value() & { return *checked(std::get_if<0>(&state_)); }
    [[nodiscard]] const T& value() const& { return *checked(std::get_if<0>(&state_)); }
    [[nodiscard]] T&& value() && { return std::move(*checked(std::get_if<0>(&state_))); }
    [[nodiscard]] E& error() & { return *checked(std::get_if<1>(&state_)); }
    [[nodiscard]] const E& error() const& { return *checked(std::get_if<1>(&state_)); }
    [[nodiscard]] E&& error() && { return std::move(*checked(std::get_if<1>(&state_))); }

    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }

  private:
    template <typename P>
    static P* checked(P* side) {
        VIGIL_CHECK(side != nullptr, "the other side of a Result was read");
        return side;
    }
    std::variant<T, E> state_;
};

/// Success without a value, or an E.
template <typename E>
class [[nodiscard]] Result<void, E> {
  public:
    using value_type = void;

    Result() = default;
    template <typename F>
    Result(Failure<F> failure) : error_(std::move(failure.error)) {}

    [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
    [[nodiscard]] explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] const E& error() const& {
        VIGIL_CHECK(error_.has_value(), "the other side of a Result was read");
        return *error_;
    }

  private:
    std::optional<E> error_;
};

}  // namespace vigil
