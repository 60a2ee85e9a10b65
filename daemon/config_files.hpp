// Layer daemon. Configuration files from the disk, for vigild and vigilctl alike.
#pragma once

#include "config/files.hpp"
#include "reload/config_trace.hpp"

namespace vigil::daemon {

/// Reads only what nobody else may change (os::read_trusted_file).
class ConfigFiles final : public config::Files {
  public:
    Result<std::string, Error> read(const std::string& path) override;
    Result<std::vector<std::string>, Error> expand(const std::string& directory,
                                                   const std::string& pattern) override;

    /// How what was read so far looked.
    [[nodiscard]] const ConfigTrace& trace() const noexcept { return trace_; }

  private:
    ConfigTrace trace_;
};

}  // namespace vigil::daemon
