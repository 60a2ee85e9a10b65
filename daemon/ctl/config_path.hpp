// vigilctl. Which configuration file is meant when none is named.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace vigil::ctl {

/// The file that a vigild of this user reads: /etc/vigil/vigil.json for root, else vigil/vigil.json below
/// $XDG_CONFIG_HOME or ~/.config. Empty where neither variable is of use.
[[nodiscard]] std::string default_config_path(uid_t uid, const std::optional<std::string>& xdg_config_home,
                                              const std::optional<std::string>& home);

}  // namespace vigil::ctl
