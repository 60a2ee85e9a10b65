#include "linux/spawn/environment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

/// Those of the base, of vigil itself and a few of the task's own.
constexpr std::size_t kUsualVariables = 20;
constexpr std::size_t kMostEnvFileBytes = std::size_t{1} << 20U;

Failure<core::SpawnFailure> failure(std::string detail) {
    return {core::SpawnFailure{core::SpawnStage::prepare_environment, EINVAL, std::move(detail)}};
}

Environment base_environment(const Identity& identity, const Environment& daemon) {
    Environment made;
    made.reserve(kUsualVariables);
    made.emplace_back("PATH", kDefaultPath);
    made.emplace_back("HOME", identity.home);
    made.emplace_back("USER", identity.user);
    made.emplace_back("LOGNAME", identity.user);
    made.emplace_back("SHELL", identity.shell);
    made.emplace_back("LANG", find_variable(daemon, "LANG").value_or("C.UTF-8"));
    return made;
}

}  // namespace

Environment current_environment() {
    Environment found;
    for (char** place = environ; place != nullptr && *place != nullptr; ++place) {
        const std::string_view entry = *place;
        const std::size_t end = entry.find('=');
        if (end == 0 || end == std::string_view::npos) continue;
        set_variable(found, entry.substr(0, end), std::string(entry.substr(end + 1)));
    }
    return found;
}

void set_variable(Environment& environment, std::string_view name, std::string value) {
    for (auto& [known, old] : environment) {
        if (known != name) continue;
        old = std::move(value);
        return;
    }
    environment.emplace_back(name, std::move(value));
}

std::optional<std::string_view> find_variable(const Environment& environment, std::string_view name) {
    for (const auto& [known, value] : environment)
        if (known == name) return value;
    return std::nullopt;
}

Result<Environment, core::SpawnFailure> compose_environment(const core::LaunchSpec& launch,
                                                            const Identity& identity,
                                                            const Environment& daemon,
                                                            std::string_view env_file_text,
                                                            const EnvironmentLanguage& language) {
    Environment made = base_environment(identity, daemon);
    for (const std::string& name : launch.inherit_env)
        if (const auto value = find_variable(daemon, name)) set_variable(made, name, std::string(*value));
    if (!launch.env_file.empty() && language.parse_file) {
        auto parsed = language.parse_file(env_file_text);
        if (!parsed) return failure(launch.env_file + ": " + parsed.error());
        for (auto& [name, value] : parsed.value()) set_variable(made, name, std::move(value));
    }
    const VariableLookup lookup = [&made](std::string_view name) { return find_variable(made, name); };
    for (const auto& [name, value] : launch.env) {
        if (!language.expand) {
            set_variable(made, name, value);
            continue;
        }
        auto expanded = language.expand(value, lookup);
        if (!expanded) return failure("env." + name + ": " + expanded.error());
        set_variable(made, name, std::move(expanded).value());
    }
    return made;
}

Result<std::string> read_env_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) return Failure{errno_error("opening the env_file " + path)};
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return Failure{errno_error("looking at the env_file " + path)};
    if (!S_ISREG(status.st_mode))
        return Failure{Error{"the env_file " + path + " is not a regular file", EINVAL}};
    std::string text;
    while (text.size() <= kMostEnvFileBytes) {
        char buffer[8192];
        const ssize_t size = ::read(file.get(), buffer, sizeof buffer);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return Failure{errno_error("reading the env_file " + path)};
        if (size == 0) return text;
        text.append(buffer, static_cast<std::size_t>(size));
    }
    return Failure{Error{"the env_file " + path + " is larger than 1 MiB", EFBIG}};
}

}  // namespace vigil::os
