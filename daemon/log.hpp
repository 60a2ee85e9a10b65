// Layer daemon. The daemon's own log on stderr: readable on a terminal, with priorities under journald, with
// timestamps elsewhere. It never blocks the loop: what a slow reader has no room for is counted and said
// later.
#pragma once

#include <memory>

#include "config/config.hpp"
#include "logger.hpp"

namespace vigil::daemon {

enum class LogStyle : std::uint8_t { terminal, journal, plain };

/// terminal: stderr is a terminal (coloured unless NO_COLOR is set); journal: JOURNAL_STREAM names stderr's
/// file (systemd.exec(5)); plain: all else.
[[nodiscard]] LogStyle detect_log_style();

[[nodiscard]] spdlog::level::level_enum spdlog_level(config::LogLevel level);

/// A logger that owns nothing but a bounded buffer; writes to `fd`, which stays open for its lifetime.
/// Loop thread only.
[[nodiscard]] std::shared_ptr<spdlog::logger> make_logger(int fd, LogStyle style,
                                                          spdlog::level::level_enum level);

/// While held, lines gather and are written together when it is let go: a line of info costs two system calls
/// otherwise. Errors, and what is more than a pipe takes at once, do not wait. For loggers of make_logger().
void hold_lines(spdlog::logger& logger, bool held);

}  // namespace vigil::daemon
