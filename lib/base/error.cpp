#include "base/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vigil {

std::string Error::text() const {
    if (code == 0) return doing;
    std::string out = doing;
    out.append(": ").append(errno_text(code)).append(" (").append(errno_name(code)).append(")");
    return out;
}

Error errno_error(std::string doing) {
    const int code = errno;
    return Error{std::move(doing), code};
}

std::string_view errno_name(int code) noexcept {
    // glibc >= 2.32, see strerrorname_np(3).
    if (const char* name = ::strerrorname_np(code)) return name;
    thread_local char buffer[24];
    std::snprintf(buffer, sizeof buffer, "errno %d", code);
    return buffer;
}

std::string_view errno_text(int code) noexcept {
    if (const char* text = ::strerrordesc_np(code)) return text;
    return "Unknown error";
}

}  // namespace vigil
