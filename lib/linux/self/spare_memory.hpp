// Layer linux. Memory that is set by for what must not stop halfway. A process without memory can refuse what
// has not begun; what has begun goes on with this. It is address space that nobody touches until then, and
// given to the allocator as a whole when operator new finds nothing (std::set_new_handler), so no code that
// allocates needs to know. Of one thread, the one that calls hold(); in any other operator new throws as
// ever.
#pragma once

#include <cstddef>

namespace vigil::os::spare_memory {

/// What an order to some thousands of tasks takes until it is carried out.
inline constexpr std::size_t kSize = std::size_t{4} << 20;

/// Sets it by where it is not; false: there is no memory for it.
bool hold() noexcept;
/// The same before something begins that must not stop halfway: throws std::bad_alloc instead.
void require();
[[nodiscard]] bool held() noexcept;

/// While one lives, whether the calling thread may use it up; the innermost counts.
class Scope {
  public:
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

  protected:
    explicit Scope(bool may_use) noexcept;
    ~Scope();

  private:
    bool before_;
};

/// For what must be whole.
class Used : Scope {
  public:
    Used() noexcept : Scope(true) {}
};

/// For what may fail, and is within something that must be whole: std::bad_alloc is thrown at once.
class Untouched : Scope {
  public:
    Untouched() noexcept : Scope(false) {}
};

}  // namespace vigil::os::spare_memory
