// Layer base. A failure with its place and its cause.
#pragma once

#include <string>
#include <string_view>

namespace vigil {

/// What was being done, and the errno it ended with (0 where no system call is to blame).
struct Error {
    std::string doing;  ///< "opening /run/vigil/lock", without a full stop
    int code = 0;

    /// "opening /run/vigil/lock: Permission denied (EACCES)"
    [[nodiscard]] std::string text() const;
};

/// Takes errno at once, so call it before anything else can change it.
[[nodiscard]] Error errno_error(std::string doing);

/// "ENOENT"; "errno 4095" for a number without a name. Static or thread-local storage.
[[nodiscard]] std::string_view errno_name(int code) noexcept;
/// "No such file or directory", the same in every locale.
[[nodiscard]] std::string_view errno_text(int code) noexcept;

}  // namespace vigil
