// Layer linux, internal. Where this process is among the cgroups (v2), and whether it may make its own below.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigil::os {

/// The cgroup2 mount through which our own cgroup is seen.
struct CgroupPlace {
    std::string directory;        ///< of our own cgroup
    bool read_only = false;       ///< as mounted
    bool namespace_root = false;  ///< the cgroup is "/" to us: the real root, or that of a cgroup namespace
};

/// From the texts of /proc/self/mountinfo and /proc/self/cgroup (proc(5), cgroups(7)), on unified and hybrid
/// hosts. Nothing where no cgroup2 is mounted or our cgroup lies outside of what is.
[[nodiscard]] std::optional<CgroupPlace> find_own_cgroup(std::string_view mountinfo,
                                                         std::string_view own_cgroup);
/// The same for this process, now.
[[nodiscard]] std::optional<CgroupPlace> find_own_cgroup();

/// Why we should not make cgroups below our own unless told to, as a reason for people; empty: we may. It has
/// to have been delegated to us, see systemd's "Control Group APIs and Delegation".
[[nodiscard]] std::string why_not_delegated(const CgroupPlace& place);

}  // namespace vigil::os
