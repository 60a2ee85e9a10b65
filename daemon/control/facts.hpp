// Layer daemon. What the daemon is: where it stands, and which configuration it has.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "core/time.hpp"

namespace vigil::daemon {

struct Facts {
    // Fixed for the daemon's life.
    std::string config_file;
    std::string runtime_dir;
    std::string socket;
    core::TimePoint started_at{};
    // As of the last reload.
    std::vector<std::string> config_files;
    config::TaskDefaults defaults;
};

}  // namespace vigil::daemon
