#include "linux/spawn/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace vigil::os {
namespace {

using LookUpFailure = Failure<IdentityFailure>;

constexpr std::size_t kMostEntryBytes = std::size_t{16} << 20U;  // a group with very many members

struct UserEntry {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name, home, shell;
};

/// Asks one of the get*_r functions, with a growing buffer. Nothing: no such entry.
template <typename Entry, typename Ask>
Result<std::optional<Entry>, int> ask_database(std::string& buffer, Ask ask) {
    for (buffer.resize(1024);; buffer.resize(buffer.size() * 4)) {
        Entry entry{};
        Entry* found = nullptr;
        const int code = ask(&entry, buffer.data(), buffer.size(), &found);
        if (code == EINTR) continue;
        if (code == ERANGE && buffer.size() < kMostEntryBytes) continue;
        if (found != nullptr) return std::optional<Entry>(entry);
        // "Not found" is 0 by the standard, and any of these by getpwnam(3).
        if (code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM)
            return std::optional<Entry>();
        return Failure{code};
    }
}

Result<std::optional<UserEntry>, int> user_entry(const char* name, uid_t uid) {
    std::string buffer;
    auto entry =
        ask_database<passwd>(buffer, [&](passwd* out, char* space, std::size_t size, passwd** found) {
            return name != nullptr ? ::getpwnam_r(name, out, space, size, found)
                                   : ::getpwuid_r(uid, out, space, size, found);
        });
    if (!entry) return Failure{entry.error()};
    if (!entry.value()) return std::optional<UserEntry>();
    const passwd& user = *entry.value();
    return std::optional<UserEntry>(
        UserEntry{user.pw_uid, user.pw_gid, user.pw_name, user.pw_dir, user.pw_shell});
}

/// Digits only, no leading zero, and not -1, which set*id calls take for "leave it": a half number such as
/// "0x0" or "0day" is a name, and unknown as such.
std::optional<std::uint32_t> parse_id(std::string_view text) {
    std::uint32_t id = 0;
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id == UINT32_MAX) return std::nullopt;
    return id;
}

LookUpFailure failure(int code, std::string detail) {
    return {IdentityFailure{code, std::move(detail)}};
}

Result<gid_t, IdentityFailure> group_id(const std::string& name) {
    if (const auto id = parse_id(name)) return *id;
    std::string buffer;
    auto entry = ask_database<group>(buffer, [&](group* out, char* space, std::size_t size, group** found) {
        return ::getgrnam_r(name.c_str(), out, space, size, found);
    });
    if (!entry) return failure(entry.error(), "looking up group " + name);
    if (!entry.value()) return failure(ENOENT, "there is no group " + name);
    return (*entry.value()).gr_gid;
}

Result<std::vector<gid_t>, IdentityFailure> groups_of(const std::string& user, gid_t primary) {
    std::vector<gid_t> groups(32);
    constexpr std::size_t kMostGroups = 65536;  // NGROUPS_MAX
    while (true) {
        int count = static_cast<int>(groups.size());
        const int result = ::getgrouplist(user.c_str(), primary, groups.data(), &count);
        if (result >= 0) {
            groups.resize(static_cast<std::size_t>(count));
            return groups;
        }
        if (groups.size() >= kMostGroups) return failure(E2BIG, "user " + user + " is in too many groups");
        groups.resize(groups.size() * 4);
    }
}

/// The names and places of the environment; the ids are the caller's.
Identity named(const std::optional<UserEntry>& entry, uid_t uid) {
    Identity identity;
    identity.uid = uid;
    identity.user = entry ? entry->name : std::to_string(uid);
    identity.home = entry && !entry->home.empty() ? entry->home : "/";
    identity.shell = entry && !entry->shell.empty() ? entry->shell : "/bin/sh";
    return identity;
}

/// The groups of the named user, as they are to be while no list is written out.
Result<void, IdentityFailure> take_database_groups(Identity& identity,
                                                   const std::optional<UserEntry>& entry) {
    // An ordinary user's daemon may not set groups and needs not for itself.
    if (::geteuid() != 0 && identity.uid == ::geteuid()) return {};
    if (!entry) {
        identity.groups.emplace();
        return {};
    }
    auto groups = groups_of(entry->name, identity.gid);
    if (!groups) return Failure{groups.error()};
    identity.groups = std::move(groups).value();
    return {};
}

Result<std::optional<UserEntry>, IdentityFailure> find_user(const core::LaunchSpec& launch, uid_t& uid) {
    const std::optional<std::uint32_t> number = parse_id(launch.user);
    const bool by_number = launch.user.empty() || number;
    uid = launch.user.empty() ? ::geteuid() : number.value_or(0);
    auto entry = user_entry(by_number ? nullptr : launch.user.c_str(), uid);
    if (!entry && !launch.user.empty()) return failure(entry.error(), "looking up user " + launch.user);
    if (!entry || !entry.value()) {
        if (!by_number) return failure(ENOENT, "there is no user " + launch.user);
        return std::optional<UserEntry>();
    }
    uid = entry.value()->uid;
    return std::move(entry).value();
}

}  // namespace

Result<Identity, IdentityFailure> look_up_identity(const core::LaunchSpec& launch) {
    uid_t uid = 0;
    auto entry = find_user(launch, uid);
    if (!entry) return Failure{entry.error()};
    Identity identity = named(entry.value(), uid);
    if (!launch.group.empty()) {
        auto group = group_id(launch.group);
        if (!group) return Failure{group.error()};
        identity.gid = group.value();
    } else if (launch.user.empty()) {
        identity.gid = ::getegid();
    } else if (entry.value()) {
        identity.gid = entry.value()->gid;
    } else {
        return failure(ENOENT, "user " + launch.user + " is in no database, so its group has to be given");
    }
    if (launch.supplementary_groups) {
        std::vector<gid_t> groups;
        for (const std::string& name : *launch.supplementary_groups) {
            auto group = group_id(name);
            if (!group) return Failure{group.error()};
            groups.push_back(group.value());
        }
        identity.groups = std::move(groups);
    } else if (!launch.user.empty()) {
        if (auto taken = take_database_groups(identity, entry.value()); !taken) return Failure{taken.error()};
    }
    return identity;
}

Result<gid_t> look_up_group(const std::string& name) {
    auto group = group_id(name);
    if (!group) return Failure{Error{group.error().detail, group.error().error}};
    return group.value();
}

}  // namespace vigil::os
