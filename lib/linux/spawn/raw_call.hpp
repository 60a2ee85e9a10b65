// Layer linux, internal. System calls without the C library: nothing of it is touched, errno included. A
// failure is returned as minus an errno. Only for code that shares its memory with another process
// (child.cpp).
#pragma once

#include <asm/unistd.h>

#include <cstddef>

namespace vigil::os::raw {

#if defined(__x86_64__)

inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    long result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                 : "rcx", "r11", "memory");
    return result;
}

/// clone3(2) whose child calls `function(argument)` on the stack named in `arguments` and exits with what it
/// returns. The child never comes back here, so the parent's stack frame is safe from it.
inline long clone_and_call(const void* arguments, std::size_t size, int (*function)(void*),
                           void* argument) noexcept {
    long result = __NR_clone3;
    register int (*r8)(void*) asm("r8") = function;
    register void* r9 asm("r9") = argument;
    asm volatile(
        "syscall\n\t"
        "testq %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xorl %%ebp, %%ebp\n\t"  // the end of the chain of frames, for unwinders
        "movq %%r9, %%rdi\n\t"
        "callq *%%r8\n\t"
        "movl %%eax, %%edi\n\t"
        "movl %[exit_group], %%eax\n\t"
        "syscall\n\t"
        "hlt\n"
        "1:"
        : "+a"(result)
        : "D"(arguments), "S"(size), "r"(r8), "r"(r9), [exit_group] "i"(__NR_exit_group)
        : "rcx", "r11", "memory", "cc");
    return result;
}

#elif defined(__aarch64__)

inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}

/// As above.
inline long clone_and_call(const void* arguments, std::size_t size, int (*function)(void*),
                           void* argument) noexcept {
    register long x8 asm("x8") = __NR_clone3;
    register const void* x0 asm("x0") = arguments;
    register std::size_t x1 asm("x1") = size;
    register int (*x2)(void*) asm("x2") = function;
    register void* x3 asm("x3") = argument;
    asm volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, xzr\n\t"
        "mov x30, xzr\n\t"
        "mov x0, x3\n\t"
        "blr x2\n\t"
        "mov x8, %[exit_group]\n\t"
        "svc #0\n\t"
        "brk #0\n"
        "1:"
        : "+r"(x0)
        : "r"(x8), "r"(x1), "r"(x2), "r"(x3), [exit_group] "i"(__NR_exit_group)
        : "memory", "cc");
    return reinterpret_cast<long>(x0);
}

#else
#error "vigil spawns by a raw clone3 call, which is written for x86_64 and aarch64"
#endif

}  // namespace vigil::os::raw
