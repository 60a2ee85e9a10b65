// Layer protocol. How busy the daemon is: a part of what daemon.status answers.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "json/writer.hpp"
#include "protocol/json_cursor.hpp"

namespace vigil::protocol {

/// Of many durations. Where nothing was counted all are zero.
struct DurationSummary {
    std::uint64_t count = 0;
    std::chrono::microseconds p50{};
    std::chrono::microseconds p99{};
    std::chrono::microseconds max{};

    friend bool operator==(const DurationSummary&, const DurationSummary&) = default;
};

/// What waits at this moment.
struct QueueDepths {
    std::uint64_t spawns_waiting = 0;    ///< for a spawn thread
    std::uint64_t spawns_under_way = 0;  ///< begun, not yet done
    std::uint64_t runs_ending = 0;       ///< main process gone, the rest of the tree not
    std::uint64_t tasks_muted = 0;       ///< said more than is read at a time, and wait
    std::uint64_t orders_waiting = 0;    ///< of clients, for their outcome
    std::uint64_t unread_bytes = 0;      ///< of answers and events, that clients have not taken

    friend bool operator==(const QueueDepths&, const QueueDepths&) = default;
};

/// {"turns":{"count":9,"p50_us":40,"p99_us":900,"max_us":2000},"recent_turns":{...},"turns_cpu":{...},
/// "timer_lateness":{...}} and {"spawns_waiting":0,...}, under "loop" and "queues"
struct DaemonLoad {
    DurationSummary turns;         ///< of the loop, since the start: each is everything between two waits
    DurationSummary recent_turns;  ///< of the last one to two minutes
    DurationSummary turns_cpu;     ///< of all turns, what they had of a processor at most
    DurationSummary timer_lateness;
    QueueDepths queues;

    friend bool operator==(const DaemonLoad&, const DaemonLoad&) = default;
};

/// Name in "queues" and member, in the order written.
struct QueueDepthName {
    std::string_view name;
    std::uint64_t QueueDepths::*member;
};
[[nodiscard]] const std::array<QueueDepthName, 6>& queue_depths() noexcept;

/// Two members of an object that is being written.
void write_daemon_load(json::Writer& out, const DaemonLoad& load);
/// The values of those members.
void read_loop(JsonCursor& in, DaemonLoad& to);
void read_queues(JsonCursor& in, DaemonLoad& to);

}  // namespace vigil::protocol
