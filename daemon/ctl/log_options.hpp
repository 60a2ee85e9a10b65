// vigilctl. The options of `logs`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ctl/options.hpp"

namespace CLI {
class App;
}

namespace vigil::ctl {

/// --follow, --lines, --since and --stream; `lines` and `since` get the words as written.
void add_log_options(CLI::App& app, Options& options, std::string& lines, std::string& since);
/// What they mean; empty when all is well, else a sentence.
[[nodiscard]] std::string understand_log_options(const std::string& lines, const std::string& since,
                                                 Options& options);

/// "10m": so long before `now`. Or a moment by RFC 3339, with "T" or a blank before the time, whole seconds
/// or a fraction, and "Z" or an offset ("2026-03-01T13:00:00.5+01:00"). The error is a sentence.
[[nodiscard]] Result<protocol::WallTime, std::string> parse_since(std::string_view text,
                                                                  protocol::WallTime now);

}  // namespace vigil::ctl
