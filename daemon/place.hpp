// Layer daemon. The runtime directory and what stands in it, taken for this daemon alone.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "control/access.hpp"
#include "linux/cgroup/cgroup.hpp"
#include "linux/socket/unix_listener.hpp"
#include "logger.hpp"
#include "paths.hpp"
#include "recovery/keeping.hpp"

namespace vigil::daemon {

/// What is taken before the first task starts: one daemon per runtime directory.
struct Place {
    Directories directories;
    std::string notify_directory;
    /// The runtime directory in its one spelling, by which processes of its tasks are marked.
    std::string marked_directory;
    os::InstanceLock lock;
    os::UnixListener listener;
    Access access;
    std::unique_ptr<Keeping> keeping;
    Kept kept;
    bool unclean = false;  ///< a daemon before this one did not tidy up
};

/// Those that are set, and the user's or the system's for the others. Makes nothing.
[[nodiscard]] Result<Directories> choose_directories(const config::DaemonSettings& settings);

/// The path of a directory without symbolic links, by which processes of its tasks are marked.
[[nodiscard]] std::string one_spelling(const std::string& path);

/// What `daemon.cgroup` asks for.
[[nodiscard]] os::CgroupWish cgroup_wish(const std::string& setting);

/// Takes the runtime directory, its keeper and its control socket; `lock` where this process has it already.
/// The error says who has it, or what is in the way.
[[nodiscard]] Result<Place> take_place(const config::DaemonSettings& settings, const os::Features& features,
                                       const std::shared_ptr<spdlog::logger>& log,
                                       std::optional<os::InstanceLock> lock = std::nullopt);

}  // namespace vigil::daemon
