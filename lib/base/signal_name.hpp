// Layer base. Signals by name, as kill(1) and configuration write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigil {

/// "TERM", "SIGTERM" (any letter case), "RTMIN+3", "RTMAX" or a number "15" -> 15; nothing for what names no
/// signal 1..64.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);

/// "TERM", "RTMIN+3"; the number itself where it has no name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace vigil
