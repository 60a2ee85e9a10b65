// Layer linux, internal. The call itself: a stack for the child, signals out of the way, and the daemon's
// memory guarded while a child of another user shares it.
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "linux/spawn/child.hpp"

namespace vigil::os {

/// Memory for the stack of one child at a time, with a guard page below.
class ChildStack {
  public:
    [[nodiscard]] static Result<ChildStack> create();
    ChildStack(ChildStack&& other) noexcept;
    ChildStack& operator=(ChildStack&&) = delete;
    ~ChildStack();

    [[nodiscard]] void* bottom() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept;

  private:
    explicit ChildStack(void* mapping) noexcept : mapping_(mapping) {}
    void* mapping_;
};

/// Makes the child and returns once it has exec'd or ended: its pid, or minus an errno. Thread-safe, one
/// stack a thread.
///
/// While a child runs under another user's identity on our memory, that user could attach to it with
/// ptrace(2) and so read and write the daemon. Our "dumpable" flag, which setresuid(2) in the child clears
/// for the shared memory, is what forbids it; so it stays cleared until the last such child is gone, and only
/// then is put back (the daemon would leave no core otherwise).
[[nodiscard]] long spawn_child(const ChildPlan& plan, ChildReport& report, const ChildStack& stack,
                               pid_t* pid_record) noexcept;

}  // namespace vigil::os
