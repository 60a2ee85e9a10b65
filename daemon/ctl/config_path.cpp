#include "ctl/config_path.hpp"

namespace vigil::ctl {

std::string default_config_path(uid_t uid, const std::optional<std::string>& xdg_config_home,
                                const std::optional<std::string>& home) {
    if (uid == 0) return "/etc/vigil/vigil.json";
    if (xdg_config_home && xdg_config_home->starts_with('/')) return *xdg_config_home + "/vigil/vigil.json";
    if (home && home->starts_with('/')) return *home + "/.config/vigil/vigil.json";
    return {};
}

}  // namespace vigil::ctl
