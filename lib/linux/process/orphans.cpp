#include "linux/process/orphans.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "linux/process/rest.hpp"
#include "linux/self/processor_time.hpp"

namespace vigil::os {
namespace {

/// Processes asked in one refresh, at some 25 us each.
constexpr std::size_t kAskedAtOnce = 128;
constexpr std::size_t kCheapSize = 256;
constexpr int kMostLooks = 8;
/// An exec shows no environment for some microseconds; one that is held up there is taken as it is.
constexpr std::chrono::seconds kUnsureLimit{1};
/// After a look that took longer than this there is none for a while.
constexpr std::chrono::milliseconds kLongLook{3};
constexpr std::size_t kInvocationDigits = 32;

}  // namespace

Orphans::Orphans(Features features, Claim claim, Inherited inherited)
    : features_(features), claim_(std::move(claim)) {
    if (features_.proc_children) {
        const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
        children_file_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        features_.proc_children = static_cast<bool>(children_file_);
    }
    if (inherited == Inherited::strangers)
        for_each_child([this](pid_t pid) { return strangers_.insert(pid).second; });
}

void Orphans::for_each_child(const std::function<bool(pid_t)>& visit) const {
    if (!features_.proc_children) {
        const pid_t self = ::getpid();
        std::vector<pid_t> found;
        for_each_process([&](const ProcessEntry& entry) {
            if (entry.parent == self) found.push_back(entry.pid);
        });
        for (const pid_t pid : found)
            if (!visit(pid)) return;
        return;
    }
    // Piece by piece: where there are many the kernel takes its time for each. It hands out whole numbers.
    char text[4096];
    off_t place = 0;
    for (;;) {
        const ssize_t size = ::pread(children_file_.get(), text, sizeof text, place);
        if (size <= 0) return;
        place += size;
        for (const pid_t pid : parse_pids({text, static_cast<std::size_t>(size)}))
            if (!visit(pid)) return;
    }
}

Orphans::Sweep Orphans::reap(std::size_t max) {
    return sweep(max, __WNOTHREAD);
}

Orphans::Sweep Orphans::reap_everywhere(std::size_t max) {
    return sweep(max, 0);
}

Orphans::Sweep Orphans::sweep(std::size_t max, int options) {
    Sweep done;
    pid_t claimed = 0;
    for (std::size_t turn = 0; turn < max; ++turn) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | options) != 0 || info.si_pid == 0)
            return done;
        const pid_t pid = info.si_pid;
        if (pid == claimed) break;
        if (claim_(pid)) {
            claimed = pid;
            continue;
        }
        // Forgotten first: from the reaping on the number may be another process.
        known_.erase(pid);
        strangers_.erase(pid);
        siginfo_t gone{};
        if (::waitid(P_PID, static_cast<id_t>(pid), &gone, WEXITED | WNOHANG) == 0) ++done.reaped;
        // It may have left its children to us since the last look.
        complete_at_ = {};
    }
    done.more = true;
    return done;
}

bool Orphans::refresh() {
    const auto before = Clock::now();
    if (before < rest_until_) return false;
    const auto worked_before = processor_time_of_thread();
    const bool complete = look();
    const auto after = Clock::now();
    if (after - before > kLongLook)
        rest_until_ = after + rest_after(after - before, processor_time_of_thread() - worked_before);
    return complete;
}

/// Whatever ends between the list and the question has given its children to us meanwhile, at the end of the
/// list: then the list is read once more.
bool Orphans::look() {
    std::size_t budget = kAskedAtOnce;
    for (int turn = 0; turn < kMostLooks; ++turn) {
        const auto now = Clock::now();
        ++looks_;
        bool ended_meanwhile = false;
        bool all_seen = true;
        bool one_unsure = false;
        for_each_child([&](pid_t pid) {
            if (const auto known = known_.find(pid); known != known_.end()) {
                known->second.seen = looks_;
                return true;
            }
            if (strangers_.contains(pid) || claim_(pid)) return true;
            all_seen = budget != 0;
            if (!all_seen) return false;
            --budget;
            const Asked asked = ask(pid);
            ended_meanwhile = ended_meanwhile || asked == Asked::ended;
            one_unsure = one_unsure || asked == Asked::unsure;
            return true;
        });
        if (!all_seen || one_unsure) return false;
        if (ended_meanwhile) continue;
        unsure_.clear();
        // Someone else may reap in our name (waitpid(-1) of a library).
        std::erase_if(known_, [this](const auto& entry) { return entry.second.seen != looks_; });
        complete_at_ = now;
        return true;
    }
    return false;
}

Orphans::Asked Orphans::ask(pid_t pid) {
    Orphan orphan;
    orphan.seen = looks_;
    // The environment before the state: a process that still lives after it has answered did answer.
    EnvironmentAnswer answer = read_environment_variable(pid, "VIGIL_INVOCATION");
    const auto entry = read_process(pid);
    if (!entry) return Asked::ended;
    if (answer.not_yet && !entry->ended()) {
        const auto now = Clock::now();
        if (now - unsure_.try_emplace(pid, now).first->second < kUnsureLimit) return Asked::unsure;
    }
    if (answer.value && answer.value->size() == kInvocationDigits)
        orphan.invocation = *std::move(answer.value);
    if (const auto known = foreseen_.find(pid); known != foreseen_.end()) {
        if (known->second.start_time == entry->start_time) orphan.invocation = known->second.invocation;
        foreseen_.erase(known);
    }
    orphan.start_time = entry->start_time;
    orphan.group = entry->group;
    orphan.session = entry->session;
    known_.insert_or_assign(pid, std::move(orphan));
    return entry->ended() ? Asked::ended : Asked::alive;
}

bool Orphans::cheap() const noexcept {
    return features_.proc_children && known_.size() <= kCheapSize;
}

std::vector<ProcessId> Orphans::of(pid_t leader, const std::string& invocation) {
    std::vector<ProcessId> found;
    for (auto& [pid, orphan] : known_) {
        const bool by_session =
            orphan.invocation.empty() && (orphan.session == leader || orphan.group == leader);
        // Once the session is over its number may be that of another run, so what it told is kept.
        if (by_session) orphan.invocation = invocation;
        if (by_session || (!invocation.empty() && orphan.invocation == invocation))
            found.push_back({pid, orphan.start_time});
    }
    return found;
}

void Orphans::foresee(const std::vector<ProcessEntry>& members, const std::string& invocation) {
    for (const ProcessEntry& member : members)
        if (!member.ended() && !known_.contains(member.pid))
            foreseen_.insert_or_assign(member.pid, Foreseen{member.start_time, invocation});
}

void Orphans::forget(const std::string& invocation) {
    std::erase_if(foreseen_, [&](const auto& entry) { return entry.second.invocation == invocation; });
}

Result<Killed> Orphans::kill_all() {
    return kill_each([this] {
        (void)refresh();
        std::vector<ProcessId> roots;
        for (const auto& [pid, orphan] : known_) roots.push_back({pid, orphan.start_time});
        return processes_below(roots, features_);
    });
}

}  // namespace vigil::os
