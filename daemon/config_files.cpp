#include "config_files.hpp"

#include "linux/trusted_file.hpp"

namespace vigil::daemon {

Result<std::string, Error> ConfigFiles::read(const std::string& path) {
    return os::read_trusted_file(path, config::kMaxFileBytes);
}

Result<std::vector<std::string>, Error> ConfigFiles::expand(const std::string& directory,
                                                            const std::string& pattern) {
    return os::expand_paths(directory, pattern);
}

}  // namespace vigil::daemon
