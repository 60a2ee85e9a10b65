#include "supervision/message_reader.hpp"

#include <array>
#include <new>
#include <utility>

#include "linux/process/process.hpp"
#include "linux/self/spare_memory.hpp"

namespace vigil::daemon {
namespace {

/// A message that there is no memory for is dropped and counted like one that means nothing.
Result<protocol::NotifyMessage, protocol::NotifyRefusal> parse(std::string_view text) {
    try {
        const os::spare_memory::Untouched untouched;
        return protocol::parse_notify(text);
    } catch (const std::bad_alloc&) {
        return Failure{protocol::NotifyRefusal::embedded_nul};
    }
}

}  // namespace

MessageReader::MessageReader(std::shared_ptr<spdlog::logger> log, protocol::DropCounters& dropped,
                             std::function<void(Run&, pid_t, UniqueFd pidfd)> change_main)
    : log_(std::move(log)), dropped_(dropped), change_main_(std::move(change_main)) {}

bool MessageReader::read_socket(Run& run, std::size_t max, core::Supervisor& supervisor,
                                core::TimePoint now) {
    const auto count = receiver_.receive(
        run.notify.fd(), max, [&](const os::NotifyMessage& message) { take(run, message, supervisor, now); });
    dropped_.notify_too_long += count.too_long;
    dropped_.notify_malformed += count.dropped;
    return count.more;
}

MessageReader::PipeState MessageReader::read_pipe(Run& run, core::Supervisor& supervisor,
                                                  core::TimePoint now) {
    std::array<char, os::kMaxNotifyMessage> bytes;
    const auto got = os::read_heartbeat_pipe(run.heartbeat_pipe.get(), bytes);
    if (got.ended) return PipeState::ended;
    if (!run.pipe_lines) run.pipe_lines = std::make_unique<protocol::NotifyPipe>();
    auto news = run.pipe_lines->feed({bytes.data(), got.size});
    dropped_.notify_malformed += news.refused;
    deliver(run, std::move(news.message), supervisor, now);
    return got.size == bytes.size() ? PipeState::more : PipeState::drained;
}

void MessageReader::take(Run& run, const os::NotifyMessage& message, core::Supervisor& supervisor,
                         core::TimePoint now) {
    const auto access = run.spec->heartbeat ? run.spec->heartbeat->access : core::HeartbeatAccess::group;
    // Whoever has left the session is still in the cgroup, where there is one.
    const bool belongs = os::sender_belongs(message.pid, message.uid, run.identity, access) ||
                         (access == core::HeartbeatAccess::group && run.tree->cgroup().holds(message.pid));
    if (!belongs) {
        ++dropped_.notify_strangers;
        say_stranger(run, message);
        return;
    }
    if (protocol::is_plain_beat(message.text)) {
        core::event::Notified beat;
        beat.generation = run.generation;
        beat.beat = true;
        supervisor.handle(run.task, std::move(beat), now);
        return;
    }
    auto parsed = parse(message.text);
    if (!parsed) {
        ++(parsed.error() == protocol::NotifyRefusal::too_long ? dropped_.notify_too_long
                                                               : dropped_.notify_malformed);
        return;
    }
    deliver(run, std::move(parsed).value(), supervisor, now);
}

void MessageReader::deliver(Run& run, protocol::NotifyMessage message, core::Supervisor& supervisor,
                            core::TimePoint now) {
    dropped_.notify_values += message.ignored;
    if (message.claimed_main_pid && adopt_main(run, *message.claimed_main_pid))
        message.parts.main_pid = message.claimed_main_pid;
    if (message.barrier || !message.has_effect()) return;
    message.parts.generation = run.generation;
    supervisor.handle(run.task, std::move(message.parts), now);
}

bool MessageReader::adopt_main(Run& run, pid_t claimed) {
    if (claimed == run.identity.main_pid) return true;
    const auto inside = [&] {
        return os::in_session_of(run.identity.leader, claimed) || run.tree->cgroup().holds(claimed);
    };
    // Looked at again once the descriptor holds the process fast: the number may have changed hands in
    // between.
    auto pidfd = inside() ? os::open_pidfd(claimed) : Result<UniqueFd>(Failure{Error{}});
    if (!pidfd || !inside()) {
        log_->warn("{}: MAINPID={} is ignored: no such process in its session or cgroup", run.spec->name,
                   claimed);
        return false;
    }
    change_main_(run, claimed, std::move(pidfd).value());
    return true;
}

void MessageReader::say_stranger(Run& run, const os::NotifyMessage& message) {
    if (std::exchange(run.stranger_told, true)) return;
    log_->warn("{}: ignoring messages of pid {} (uid {}), which may not speak for it; see heartbeat.access",
               run.spec->name, message.pid, message.uid);
}

}  // namespace vigil::daemon
