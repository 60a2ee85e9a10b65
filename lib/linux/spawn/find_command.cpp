// find_command() of prepared_spawn.hpp: what execvp(3) would look for, without its surprises.
#include <sys/stat.h>

#include <cerrno>

#include "linux/spawn/prepared_spawn.hpp"

namespace vigil::os {

using core::SpawnFailure;
using core::SpawnStage;

namespace {

Failure<SpawnFailure> failure(int error, std::string detail) {
    return {SpawnFailure{SpawnStage::look_up_command, error, std::move(detail)}};
}

}  // namespace

Result<std::vector<std::string>, SpawnFailure> find_command(const std::string& command,
                                                            std::string_view path) {
    if (command.empty()) return failure(ENOENT, "the command is empty");
    if (command.find('/') != std::string::npos) return std::vector<std::string>{command};
    std::vector<std::string> found;
    bool one_without_permission = false;
    while (!path.empty()) {
        const std::size_t end = path.find(':');
        const std::string_view directory = path.substr(0, end);
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
        if (!directory.starts_with('/')) continue;
        std::string candidate = std::string(directory) + "/" + command;
        struct stat status {};
        if (::stat(candidate.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        if ((status.st_mode & 0111) != 0) {
            found.push_back(std::move(candidate));
        } else {
            one_without_permission = true;
        }
    }
    if (!found.empty()) return found;
    if (one_without_permission) return failure(EACCES, command + " in PATH has no execute permission");
    return failure(ENOENT, command + " is in no directory of PATH");
}

}  // namespace vigil::os
