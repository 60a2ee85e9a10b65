// Layer protocol. What daemon.upgrade answers, which the new program does.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "json/writer.hpp"

namespace vigil::protocol {

/// {"from":"0.1.0","to":"0.2.0","program":"/usr/sbin/vigild"}
struct UpgradeReport {
    std::string from{};  ///< versions
    std::string to{};
    std::string program{};  ///< the path that runs now
};

void write_upgrade_report(json::Writer& out, const UpgradeReport& report);
[[nodiscard]] Result<UpgradeReport, std::string> parse_upgrade_report(std::string_view result);

}  // namespace vigil::protocol
