// Layer core. A part of a value that is mostly the same in thousands of them, and held once then.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace vigil::core {

/// A value of T as far as its user can see: copies are independent of each other. What nobody has edited is
/// shared with whoever it was copied from; default ones share one T. May be read by any thread, like a T.
template <typename T>
class Shared {
  public:
    Shared() : held_(standard()) {}
    Shared(T value) : held_(std::make_shared<T>(std::move(value))) {}

    [[nodiscard]] const T& operator*() const noexcept { return *held_; }
    [[nodiscard]] const T* operator->() const noexcept { return held_.get(); }
    /// To be changed. The reference holds until this is copied.
    [[nodiscard]] T& edit() {
        if (held_.use_count() != 1) held_ = std::make_shared<T>(*held_);
        return *held_;
    }
    /// Tells where a value is without holding it.
    class Watched {
      public:
        /// Nothing once nobody holds it any more.
        [[nodiscard]] std::optional<Shared> lock() const {
            auto held = watched_.lock();
            return held ? std::optional(Shared(std::move(held))) : std::nullopt;
        }

      private:
        friend class Shared;
        std::weak_ptr<T> watched_;
    };
    [[nodiscard]] Watched watch() const {
        Watched watched;
        watched.watched_ = held_;
        return watched;
    }
    /// Becomes one with `other` if their values are equal; whether they are.
    bool join(const Shared& other) {
        if (held_ == other.held_) return true;
        if (!(*held_ == *other.held_)) return false;
        held_ = other.held_;
        return true;
    }
    /// Whether they are held once.
    [[nodiscard]] bool is_one_with(const Shared& other) const noexcept { return held_ == other.held_; }

    friend bool operator==(const Shared& a, const Shared& b) {
        return a.held_ == b.held_ || *a.held_ == *b.held_;
    }

  private:
    explicit Shared(std::shared_ptr<T> held) noexcept : held_(std::move(held)) {}
    static const std::shared_ptr<T>& standard() {
        static const std::shared_ptr<T> value = std::make_shared<T>();
        return value;
    }

    std::shared_ptr<T> held_;
};

}  // namespace vigil::core
