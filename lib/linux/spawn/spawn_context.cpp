#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "linux/spawn/prepared_spawn.hpp"

namespace vigil::os {
namespace {

/// Asked of the kernel: sigaction(3) will not speak of signals 32 and 33, which the C library keeps for
/// itself, but a parent may have left them ignored like any other.
std::uint64_t find_ignored_signals() {
    struct {  // the kernel's own struct sigaction; the order of what follows the handler does not matter here
        void (*handler)(int);
        unsigned long rest[4];
    } now;
    std::uint64_t ignored = 0;
    for (int signal = 1; signal <= 64; ++signal) {
        const long failed = ::syscall(SYS_rt_sigaction, signal, nullptr, &now, 8);
        if (failed == 0 && now.handler == SIG_IGN) ignored |= std::uint64_t{1} << (signal - 1);
    }
    return ignored;
}

}  // namespace

Result<std::unique_ptr<SpawnContext>> SpawnContext::create(SpawnerOptions options) {
    std::unique_ptr<SpawnContext> context(new SpawnContext(std::move(options)));
    context->null_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!context->null_) return Failure{errno_error("opening /dev/null for children")};
    if (context->null_.get() <= 2)
        return Failure{Error{"standard streams are closed: open_standard_streams() comes first", EBADF}};
    if (context->options_.low_descriptors)
        context->low_null_ = context->options_.low_descriptors->lend(context->null_.get());
    context->ignored_signals_ = find_ignored_signals();
    context->oom_score_adj_.reset(::open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC | O_NOCTTY));
    auto& [ruid, euid, suid] = context->uids_;
    auto& [rgid, egid, sgid] = context->gids_;
    if (::getresuid(&ruid, &euid, &suid) != 0 || ::getresgid(&rgid, &egid, &sgid) != 0)
        return Failure{errno_error("reading the own identity")};
    const int count = ::getgroups(0, nullptr);
    context->groups_.resize(static_cast<std::size_t>(std::max(count, 0)));
    if (::getgroups(count, context->groups_.data()) < 0)
        return Failure{errno_error("reading the own groups")};
    std::sort(context->groups_.begin(), context->groups_.end());
    return context;
}

Result<Identity, IdentityFailure> SpawnContext::identity_for(const core::LaunchSpec& launch) {
    const bool own = launch.user.empty() && launch.group.empty() && !launch.supplementary_groups;
    if (own) {
        const std::lock_guard lock(mutex_);
        if (own_) return *own_;
    }
    auto found = look_up_identity(launch);
    if (own && found) {
        const std::lock_guard lock(mutex_);
        own_ = found.value();
    }
    return found;
}

void SpawnContext::warm_up() {
    (void)identity_for({});
}

bool SpawnContext::has_oom_score_adj(std::string_view score) const {
    std::array<char, 16> text;
    const ssize_t size = ::pread(oom_score_adj_.get(), text.data(), text.size(), 0);
    return size > 0 && std::string_view(text.data(), static_cast<std::size_t>(size) - 1) == score;
}

bool SpawnContext::must_set_groups(const Identity& identity) const {
    if (!identity.groups) return false;
    std::vector<gid_t> wanted = *identity.groups;
    std::sort(wanted.begin(), wanted.end());
    return wanted != groups_;
}

bool SpawnContext::must_set_gid(const Identity& identity) const noexcept {
    return std::any_of(gids_.begin(), gids_.end(), [&](gid_t gid) { return gid != identity.gid; });
}

bool SpawnContext::must_set_uid(const Identity& identity) const noexcept {
    return std::any_of(uids_.begin(), uids_.end(), [&](uid_t uid) { return uid != identity.uid; });
}

}  // namespace vigil::os
