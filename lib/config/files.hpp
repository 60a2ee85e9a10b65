// Layer config. The port through which configuration files are read; this layer opens none itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vigil::config {

/// The largest configuration file there may be.
inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

class Files {
  public:
    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    virtual ~Files() = default;

    /// The whole of a regular file that is trusted (section "Permissions" of the manual) and no larger than
    /// kMaxFileBytes. Error::doing names the file and says what is wrong with it.
    virtual Result<std::string, Error> read(const std::string& path) = 0;

    /// The paths that `pattern` (glob(7), not recursive) matches, relative to `directory` unless it begins
    /// with a slash. None is no error where the pattern has metacharacters; a pattern without them gives
    /// itself, whether the file exists or not. Any order.
    virtual Result<std::vector<std::string>, Error> expand(const std::string& directory,
                                                           const std::string& pattern) = 0;
};

}  // namespace vigil::config
