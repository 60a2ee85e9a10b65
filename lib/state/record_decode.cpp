#include <algorithm>
#include <string_view>
#include <utility>

#include "state/body.hpp"
#include "state/cause_code.hpp"
#include "state/record.hpp"
#include "state/record_fields.hpp"

namespace vigil::state {
namespace {

using core::Duration;
using core::TimePoint;
using Bytes = std::span<const std::uint8_t>;

core::ExitStatus take_status(BodyReader& body) noexcept {
    using Kind = core::ExitStatus::Kind;
    const auto kind = body.take<std::uint8_t>();
    const int value = body.take<int>();
    const bool core = body.take<std::uint8_t>() != 0;
    if (kind == static_cast<std::uint8_t>(Kind::code)) return {Kind::code, value, 0, core};
    if (kind == static_cast<std::uint8_t>(Kind::signal)) return {Kind::signal, 0, value, core};
    return {};
}

core::LastExit take_last_exit(BodyReader body) noexcept {
    core::LastExit last;
    last.status = take_status(body);
    last.at = TimePoint(Duration(body.take<std::int64_t>()));
    last.generation = static_cast<core::Generation>(body.take<std::uint64_t>());
    if (body.empty()) return last;
    core::ResourceUse usage;
    usage.user = Duration(body.take<std::int64_t>());
    usage.system = Duration(body.take<std::int64_t>());
    usage.max_rss = body.take<std::uint64_t>();
    last.usage = usage;
    return last;
}

/// What is understood only once all fields are read.
struct Pending {
    Bytes cause;
    Bytes why;
    std::string_view cause_text;
    std::string_view why_text;
};

/// A name becomes part of paths and of names of cgroups.
bool is_harmless_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= kMostName && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != '/'; });
}

/// What is wrong with the field; empty: nothing.
std::string take_field(Record& record, Pending& pending, Tag tag, Bytes bytes) {
    core::TaskRecord& task = record.task;
    RunIdentity& run = record.run;
    BodyReader body(bytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto time = [&] { return TimePoint(Duration(body.take<std::int64_t>())); };
    switch (tag) {
        case Tag::name:
            if (!is_harmless_name(text)) return "a name that no task can have";
            task.name = text;
            break;
        case Tag::desired: {
            const auto number = body.take<std::uint8_t>();
            if (number > static_cast<std::uint8_t>(core::Desired::removed))
                return "unknown desired state " + std::to_string(number);
            task.desired = static_cast<core::Desired>(number);
            break;
        }
        case Tag::state: {
            const auto number = body.take<std::uint8_t>();
            if (number > static_cast<std::uint8_t>(core::StateName::dead))
                return "unknown state " + std::to_string(number);
            task.state = static_cast<core::StateName>(number);
            break;
        }
        case Tag::flags: {
            const auto flags = body.take<std::uint8_t>();
            task.paused = (flags & kPaused) != 0;
            task.ordered = (flags & kOrdered) != 0;
            task.forced = (flags & kForced) != 0;
            task.killed = (flags & kKilled) != 0;
            task.said_ready = (flags & kSaidReady) != 0;
            task.asked = (flags & kAsked) != 0;
            run.cgroup = (flags & kCgroup) != 0;
            break;
        }
        case Tag::generation:
            task.generation = static_cast<core::Generation>(body.take<std::uint64_t>());
            break;
        case Tag::runs: task.runs = body.take<std::uint64_t>(); break;
        case Tag::attempts: task.attempts = body.take<unsigned>(); break;
        case Tag::started_at: task.started_at = time(); break;
        case Tag::main_pid: task.main_pid = body.take<pid_t>(); break;
        case Tag::stable_due: task.stable_due = time(); break;
        case Tag::state_due: task.state_due = time(); break;
        case Tag::stop_step: {
            const auto step = body.take<std::uint8_t>();
            if (step != 0) task.next_step = step - 1U;
            break;
        }
        case Tag::host_faults: task.host_faults = body.take<unsigned>(); break;
        case Tag::ended: task.ended = take_status(body); break;
        case Tag::heartbeat_timeout: task.heartbeat_timeout = Duration(body.take<std::int64_t>()); break;
        case Tag::last_exit: task.last_exit = take_last_exit(body); break;
        case Tag::cause: pending.cause = bytes; break;
        case Tag::why: pending.why = bytes; break;
        case Tag::cause_text: pending.cause_text = text; break;
        case Tag::why_text: pending.why_text = text; break;
        case Tag::status_text: task.status_text = text; break;
        case Tag::invocation:
            for (std::uint8_t& byte : run.invocation) byte = body.take<std::uint8_t>();
            break;
        case Tag::start_time: run.start_time = body.take<std::uint64_t>(); break;
        case Tag::pidfd_inode: run.pidfd_inode = body.take<std::uint64_t>(); break;
        case Tag::uid: run.uid = body.take<uid_t>(); break;
        case Tag::notify_path: run.notify_path = text.substr(0, kMostNotifyPath); break;
        case Tag::spec: record.spec = body.take<std::uint64_t>(); break;
    }
    return {};
}

}  // namespace

Result<Record, std::string> decode(Bytes bytes) {
    Record record;
    Pending pending;
    std::size_t at = 0;
    const auto fault = [&](const std::string& what) {
        return Failure{what + ", at byte " + std::to_string(at)};
    };
    while (at < bytes.size()) {
        if (bytes.size() - at < kFieldHead) return fault("half a field");
        const std::size_t size = bytes[at + 1];
        if (bytes.size() - at - kFieldHead < size) return fault("a field that goes on beyond the end");
        const auto wrong =
            take_field(record, pending, static_cast<Tag>(bytes[at]), bytes.subspan(at + kFieldHead, size));
        if (!wrong.empty()) return fault(wrong);
        at += kFieldHead + size;
    }
    if (record.task.name.empty()) return fault("no name");
    record.task.cause = decode_cause(pending.cause, pending.cause_text);
    record.task.why = decode_cause(pending.why, pending.why_text);
    return record;
}

}  // namespace vigil::state
