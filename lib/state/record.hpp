// Layer state. What of one task outlives the daemon, as bytes of a bounded size.
//
//   record = *field          field = tag (1 byte) length (1 byte) body (length bytes)
//
// Numbers are little endian. A field that has its default is left out, so a field that is missing has it:
// what record.hpp of the core and RunIdentity give as defaults is part of the format. A field with an unknown
// tag is skipped, and numbers that a body has beyond those that are known are skipped too. So versions read
// each other's records both ways; a tag is never used for anything else.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "core/record.hpp"

namespace vigil::state {

/// By what the process of a run is known again: never by its pid alone.
struct RunIdentity {
    std::array<std::uint8_t, 16> invocation{};  ///< VIGIL_INVOCATION of the run
    std::uint64_t start_time = 0;   ///< clock ticks since boot, field 22 of proc_pid_stat(5); 0: unknown
    std::uint64_t pidfd_inode = 0;  ///< unique in a boot from Linux 6.9 on; 0: unknown
    uid_t uid = 0;                  ///< that the process was started as
    bool cgroup = false;            ///< it has a cgroup of its own
    std::string notify_path;        ///< of its notify socket; empty: none

    friend bool operator==(const RunIdentity&, const RunIdentity&) = default;
};

struct Record {
    core::TaskRecord task;
    RunIdentity run;
    std::uint64_t spec = 0;  ///< id in the spec store of what the run was started with; 0: none
};

inline constexpr std::size_t kRecordCapacity = 480;
inline constexpr std::size_t kMostName = 64;         ///< what the configuration allows
inline constexpr std::size_t kMostNotifyPath = 107;  ///< what unix(7) allows
/// Bytes that each of the three texts (of cause, of why, status_text) has in any case. What the other fields
/// leave free is theirs too, in this order, up to 255 each.
inline constexpr std::size_t kLeastText = 22;

/// Writes a record and returns its size. Allocates nothing and always fits: texts are cut, at the end of a
/// UTF-8 sequence; a notify_path longer than kMostNotifyPath, which no socket can have, is left out.
[[nodiscard]] std::size_t encode(const Record& record, std::span<std::uint8_t, kRecordCapacity> out) noexcept;

/// Reads any bytes. The error is a phrase that says what is wrong and at which byte.
[[nodiscard]] Result<Record, std::string> decode(std::span<const std::uint8_t> bytes);

}  // namespace vigil::state
