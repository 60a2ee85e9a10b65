#include "config_files.hpp"

#include "linux/file/trusted_file.hpp"

namespace vigil::daemon {

Result<std::string, Error> ConfigFiles::read(const std::string& path) {
    trace_.note_file(path);
    return os::read_trusted_file(path, config::kMaxFileBytes);
}

Result<std::vector<std::string>, Error> ConfigFiles::expand(const std::string& directory,
                                                            const std::string& pattern) {
    auto paths = os::expand_paths(directory, pattern);
    if (paths) trace_.note_pattern(directory, pattern, *paths);
    return paths;
}

}  // namespace vigil::daemon
