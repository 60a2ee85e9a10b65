#include "base/check.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace vigil {

void check_failed(const char* expression, const char* explanation, const char* file, unsigned line) noexcept {
    char text[512];
    const int length = std::snprintf(text, sizeof text, "%s:%u: broken invariant: %s (%s)\n", file, line,
                                     explanation, expression);
    if (length > 0) {
        const auto size = static_cast<std::size_t>(length);
        // Nothing can be done about a failing write while aborting.
        [[maybe_unused]] const auto written = ::write(2, text, size < sizeof text ? size : sizeof text - 1);
    }
    std::abort();
}

}  // namespace vigil
