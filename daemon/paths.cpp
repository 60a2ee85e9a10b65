#include "paths.hpp"

#include <sys/stat.h>

#include <cstdlib>

namespace vigil::daemon {
namespace {

/// $NAME, or ~/`below`.
std::optional<std::string> xdg(const EnvironmentLookup& environment, const char* name, const char* below) {
    // Relative paths in these variables are invalid and to be ignored, says the specification.
    if (auto value = environment(name); value && value->starts_with('/')) return value;
    if (auto home = environment("HOME"); home && home->starts_with('/')) return *home + "/" + below;
    return std::nullopt;
}

/// The directory that pam_systemd(8) makes, used where a login (su, cron) did not set the variable.
std::optional<std::string> logind_runtime_directory(uid_t uid) {
    std::string path = "/run/user/" + std::to_string(uid);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != uid)
        return std::nullopt;
    return path;
}

}  // namespace

Result<Directories> default_directories(uid_t uid, const EnvironmentLookup& environment) {
    if (uid == 0) return Directories{"/run/vigil", "/var/lib/vigil", "/var/log/vigil"};

    auto runtime = environment("XDG_RUNTIME_DIR");
    if (runtime && !runtime->starts_with('/')) runtime.reset();
    if (!runtime) runtime = logind_runtime_directory(uid);
    if (!runtime)
        return Failure{Error{
            "no place for the control socket: XDG_RUNTIME_DIR is not set and /run/user/" +
                std::to_string(uid) +
                " is not yours; set XDG_RUNTIME_DIR to a directory of your own, or daemon.runtime_dir in the "
                "configuration",
            0}};
    const auto state = xdg(environment, "XDG_STATE_HOME", ".local/state");
    // Without a home there is nowhere to keep state, but nothing needs it while it is kept in memory alone.
    const std::string base = state ? *state + "/vigil" : *runtime + "/vigil/state";
    return Directories{*runtime + "/vigil", base, base + "/log"};
}

Result<std::string> default_config_file(uid_t uid, const EnvironmentLookup& environment) {
    if (uid == 0) return std::string("/etc/vigil/vigil.json");
    if (auto base = xdg(environment, "XDG_CONFIG_HOME", ".config")) return *base + "/vigil/vigil.json";
    return Failure{Error{"no configuration file: neither XDG_CONFIG_HOME nor HOME is set; name one", 0}};
}

std::string state_table_path(const Directories& directories) {
    return directories.runtime + "/state";
}

std::string spec_store_path(const Directories& directories) {
    return directories.runtime + "/specs";
}

std::optional<std::string> environment_variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
}

}  // namespace vigil::daemon
