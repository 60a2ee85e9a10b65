// Layer state, internal. The fields of a record: what encoding and decoding agree on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "state/cause_code.hpp"
#include "state/record.hpp"

namespace vigil::state {

/// Numbers in files: one is never given to another field.
enum class Tag : std::uint8_t {
    name = 1,
    desired,
    state,
    flags,
    generation,
    runs,
    attempts,
    started_at,
    main_pid,
    stable_due,
    state_due,
    host_faults,
    ended,
    heartbeat_timeout,
    last_exit,
    cause,
    why,
    invocation,
    start_time,
    pidfd_inode,
    uid,
    notify_path,
    spec,
    cause_text,
    why_text,
    status_text,
    stop_step,
};

/// Bits of Tag::flags.
enum Flag : std::uint8_t {
    kPaused = 1,
    kOrdered = 2,
    kForced = 4,
    kKilled = 8,
    kCgroup = 16,
    kSaidReady = 32,
    kAsked = 64
};

inline constexpr std::size_t kStatusSize = 6;  // kind, code or signal, core
inline constexpr std::size_t kUsageSize = 24;  // user, system, max_rss
inline constexpr std::size_t kLastExitSize = kStatusSize + 16 + kUsageSize;
inline constexpr std::size_t kFieldHead = 2;

/// The most bytes that the body of a field has; for a text, those that it has in any case.
constexpr std::size_t most_of(Tag tag) noexcept {
    switch (tag) {
        case Tag::desired:
        case Tag::state:
        case Tag::flags:
        case Tag::stop_step: return 1;
        case Tag::attempts:
        case Tag::main_pid:
        case Tag::host_faults:
        case Tag::uid: return 4;
        case Tag::generation:
        case Tag::runs:
        case Tag::started_at:
        case Tag::stable_due:
        case Tag::state_due:
        case Tag::heartbeat_timeout:
        case Tag::start_time:
        case Tag::pidfd_inode:
        case Tag::spec: return 8;
        case Tag::invocation: return 16;
        case Tag::name: return kMostName;
        case Tag::notify_path: return kMostNotifyPath;
        case Tag::ended: return kStatusSize;
        case Tag::last_exit: return kLastExitSize;
        case Tag::cause:
        case Tag::why: return kCauseSize;
        case Tag::cause_text:
        case Tag::why_text:
        case Tag::status_text: return kLeastText;
    }
    return 0;
}

constexpr std::size_t worst_case() noexcept {
    std::size_t sum = 0;
    for (auto tag = std::uint8_t{1}; tag <= static_cast<std::uint8_t>(Tag::stop_step); ++tag)
        sum += kFieldHead + most_of(static_cast<Tag>(tag));
    return sum;
}
static_assert(worst_case() <= kRecordCapacity, "a record has to fit whatever is in it");

}  // namespace vigil::state
