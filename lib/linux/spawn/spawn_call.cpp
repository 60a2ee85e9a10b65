#include "linux/spawn/spawn_call.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace vigil::os {
namespace {

constexpr std::size_t kGuardSize = std::size_t{64} << 10U;  // a multiple of every page size we run on
constexpr std::size_t kStackSize = std::size_t{64} << 10U;

/// Every signal, those that the C library uses between its threads included (pthread_sigmask leaves them
/// out): a handler that ran in the child would run on the daemon's memory. The system call is made by hand
/// for that reason.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() noexcept {
        const std::uint64_t all = ~std::uint64_t{0};
        ::syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, &before_, sizeof before_);
    }
    ~AllSignalsBlocked() {
        ::syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &before_, nullptr, sizeof before_);
    }
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

  private:
    std::uint64_t before_ = 0;
};

/// Counts the children of other identities that are before their exec; one flag, so one count, for the whole
/// process.
class UndumpableWhileShared {
  public:
    UndumpableWhileShared() noexcept {
        const std::lock_guard lock(mutex);
        if (children++ > 0) return;
        was_dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    ~UndumpableWhileShared() {
        const std::lock_guard lock(mutex);
        if (--children == 0 && was_dumpable) ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    }
    UndumpableWhileShared(const UndumpableWhileShared&) = delete;
    UndumpableWhileShared& operator=(const UndumpableWhileShared&) = delete;

  private:
    inline static std::mutex mutex;
    inline static unsigned children = 0;
    inline static bool was_dumpable = false;
};

}  // namespace

Result<ChildStack> ChildStack::create() {
    void* const mapping = ::mmap(nullptr, kGuardSize + kStackSize, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return Failure{errno_error("making a stack for children")};
    ChildStack stack(mapping);
    if (::mprotect(mapping, kGuardSize, PROT_NONE) != 0)
        return Failure{errno_error("guarding the stack for children")};
    return stack;
}

ChildStack::ChildStack(ChildStack&& other) noexcept : mapping_(std::exchange(other.mapping_, nullptr)) {}

ChildStack::~ChildStack() {
    if (mapping_ != nullptr) ::munmap(mapping_, kGuardSize + kStackSize);
}

void* ChildStack::bottom() const noexcept {
    return static_cast<char*>(mapping_) + kGuardSize;
}
std::size_t ChildStack::size() const noexcept {
    return kStackSize;
}

long spawn_child(const ChildPlan& plan, ChildReport& report, const ChildStack& stack,
                 pid_t* pid_record) noexcept {
    std::optional<UndumpableWhileShared> guard;
    if (plan.set_groups || plan.set_gid || plan.set_uid) guard.emplace();
    const AllSignalsBlocked blocked;
    return run_child(plan, report, stack.bottom(), stack.size(),
                     pid_record != nullptr ? pid_record : &report.pid);
}

}  // namespace vigil::os
