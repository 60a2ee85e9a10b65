// Layer base. VIGIL_CHECK: an invariant of our own that must hold in every build.
// Never for input: nothing a config, a client or a task can do may reach a failing check.
#pragma once

namespace vigil {

/// Writes the place and the expression to stderr and aborts. Async-signal-safe.
[[noreturn]] void check_failed(const char* expression, const char* explanation, const char* file,
                               unsigned line) noexcept;

}  // namespace vigil

#define VIGIL_CHECK(expression, explanation)                                                      \
    do {                                                                                          \
        if (!(expression)) ::vigil::check_failed(#expression, (explanation), __FILE__, __LINE__); \
    } while (false)
