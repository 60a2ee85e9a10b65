// Layer linux. Users and groups by name, through NSS: may take as long as a directory server does, so never
// in a loop.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/spec.hpp"

namespace vigil::os {

/// Who a process is to be, and what its environment says about that.
struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    /// Nothing: the groups that the daemon has now.
    std::optional<std::vector<gid_t>> groups;
    std::string user;   ///< login name; the decimal uid where the user database has none
    std::string home;   ///< "/" where unknown
    std::string shell;  ///< "/bin/sh" where unknown
};

/// What went wrong and at which of look_up's questions; `error` is an errno, ENOENT for a name that does not
/// exist.
struct IdentityFailure {
    int error = 0;
    std::string detail;
};

/// Resolves user, group and supplementary_groups. An unknown name is a failure, never a fall-back; so is a
/// number out of range or without entry, for a user whose primary group is then not known and not given.
/// Without `user` the daemon's own. Blocking; thread-safe.
[[nodiscard]] Result<Identity, IdentityFailure> look_up_identity(const core::LaunchSpec& launch);

/// A group by name or decimal number; ENOENT for an unknown name.
[[nodiscard]] Result<gid_t> look_up_group(const std::string& name);

}  // namespace vigil::os
