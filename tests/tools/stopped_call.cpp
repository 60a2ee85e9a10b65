#include "stopped_call.hpp"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

namespace vigil::tools {
namespace {

template <typename Set>
bool read_set(pid_t tid, unsigned long kind, Set& set) {
    iovec place{.iov_base = &set, .iov_len = sizeof set};
    return ::ptrace(PTRACE_GETREGSET, tid, kind, &place) == 0;
}

template <typename Set>
bool write_set(pid_t tid, unsigned long kind, Set& set) {
    iovec place{.iov_base = &set, .iov_len = sizeof set};
    return ::ptrace(PTRACE_SETREGSET, tid, kind, &place) == 0;
}

}  // namespace

#if defined(__x86_64__)

bool skip_call(pid_t tid) {
    user_regs_struct registers{};
    if (!read_set(tid, NT_PRSTATUS, registers)) return false;
    registers.orig_rax = static_cast<unsigned long>(-1);
    return write_set(tid, NT_PRSTATUS, registers);
}

bool set_result(pid_t tid, long result) {
    user_regs_struct registers{};
    if (!read_set(tid, NT_PRSTATUS, registers)) return false;
    registers.rax = static_cast<unsigned long>(result);
    return write_set(tid, NT_PRSTATUS, registers);
}

#elif defined(__aarch64__)

bool skip_call(pid_t tid) {
    int number = -1;
    return write_set(tid, NT_ARM_SYSTEM_CALL, number);
}

bool set_result(pid_t tid, long result) {
    user_regs_struct registers{};
    if (!read_set(tid, NT_PRSTATUS, registers)) return false;
    registers.regs[0] = static_cast<unsigned long>(result);
    return write_set(tid, NT_PRSTATUS, registers);
}

#else
#error "how a system call is skipped is not known for this machine"
#endif

}  // namespace vigil::tools
