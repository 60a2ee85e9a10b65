#include "place.hpp"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "linux/file/runtime_directory.hpp"
#include "linux/spawn/identity.hpp"

namespace vigil::daemon {
namespace {

Result<std::optional<gid_t>> resolve_group(const std::optional<std::string>& name, const char* key) {
    if (!name) return std::optional<gid_t>();
    const auto gid = os::look_up_group(*name);
    if (!gid) return Failure{Error{std::string(key) + ": " + gid.error().doing, gid.error().code}};
    return std::optional<gid_t>(*gid);
}

}  // namespace

Result<Directories> choose_directories(const config::DaemonSettings& settings) {
    const bool all_given =
        !settings.runtime_dir.empty() && !settings.state_dir.empty() && !settings.log_dir.empty();
    Directories directories{settings.runtime_dir, settings.state_dir, settings.log_dir};
    if (!all_given) {
        auto defaults = default_directories(::geteuid(), environment_variable);
        if (!defaults && directories.runtime.empty()) return Failure{defaults.error()};
        if (directories.runtime.empty()) directories.runtime = defaults->runtime;
        if (directories.state.empty() && defaults) directories.state = defaults->state;
        // Without a home there is still a place that is this daemon's own.
        if (directories.log.empty())
            directories.log = defaults ? defaults->log : directories.runtime + "/log";
    }
    return directories;
}

std::string one_spelling(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path canonical = std::filesystem::canonical(path, failed);
    return failed ? path : canonical.string();
}

os::CgroupWish cgroup_wish(const std::string& setting) {
    if (setting == "auto") return {.kind = os::CgroupWish::Kind::automatic, .path = {}};
    if (setting == "off") return {.kind = os::CgroupWish::Kind::off, .path = {}};
    return {.kind = os::CgroupWish::Kind::path, .path = setting};
}

Result<Place> take_place(const config::DaemonSettings& settings, const os::Features& features,
                         const std::shared_ptr<spdlog::logger>& log,
                         std::optional<os::InstanceLock> held_lock) {
    auto directories = choose_directories(settings);
    if (!directories) return Failure{directories.error()};

    const auto group = resolve_group(settings.control.group, "daemon.control.group");
    if (!group) return Failure{group.error()};
    const auto read_group = resolve_group(settings.control.read_group, "daemon.control.read_group");
    if (!read_group) return Failure{read_group.error()};

    const auto runtime = os::prepare_runtime_directory(directories->runtime);
    if (!runtime) return Failure{runtime.error()};
    auto lock = held_lock ? Result<os::InstanceLock>(*std::move(held_lock))
                          : os::InstanceLock::take(runtime->path + "/lock");
    if (!lock) return Failure{lock.error()};
    // With a read_group two groups have to reach the socket: whoever may do nothing is refused at each call.
    const os::ListenerOptions socket{.path = runtime->path + "/control.sock",
                                     .mode = *read_group ? 0666 : settings.control.mode,
                                     .group = *group};
    const bool unclean = ::access(socket.path.c_str(), F_OK) == 0 ||
                         ::access((runtime->path + "/keeper.sock").c_str(), F_OK) == 0;
    Keeping::Opened held = Keeping::open(*lock, runtime->path, features, log);
    auto listener = os::UnixListener::adopt(*lock, socket, held.kept.take_control());
    if (!listener) return Failure{listener.error()};
    held.keeping->hold_control(listener->fd());
    directories->runtime = runtime->path;
    return Place{
        .directories = std::move(directories).value(),
        .notify_directory = runtime->notify,
        .marked_directory = one_spelling(runtime->path),
        .lock = std::move(lock).value(),
        .listener = std::move(listener).value(),
        .access = {.owner = ::geteuid(), .group = group->value_or(::getegid()), .read_group = *read_group},
        .keeping = std::move(held.keeping),
        .kept = std::move(held.kept),
        .unclean = unclean};
}

}  // namespace vigil::daemon
