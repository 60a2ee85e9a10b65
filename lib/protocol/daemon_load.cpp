#include "protocol/daemon_load.hpp"

#include <algorithm>

namespace vigil::protocol {
namespace {

constexpr std::array<QueueDepthName, 6> kQueueDepths = {{
    {"spawns_waiting", &QueueDepths::spawns_waiting},
    {"spawns_under_way", &QueueDepths::spawns_under_way},
    {"runs_ending", &QueueDepths::runs_ending},
    {"tasks_muted", &QueueDepths::tasks_muted},
    {"orders_waiting", &QueueDepths::orders_waiting},
    {"unread_bytes", &QueueDepths::unread_bytes},
}};

void read_us(JsonCursor& in, std::chrono::microseconds& to) {
    std::int64_t count = 0;
    in.read(count);
    to = std::chrono::microseconds(count);
}

constexpr std::array<Field<DurationSummary>, 4> kSummaryFields = {{
    {"count", [](JsonCursor& in, DurationSummary& to) { in.read(to.count); }},
    {"p50_us", [](JsonCursor& in, DurationSummary& to) { read_us(in, to.p50); }},
    {"p99_us", [](JsonCursor& in, DurationSummary& to) { read_us(in, to.p99); }},
    {"max_us", [](JsonCursor& in, DurationSummary& to) { read_us(in, to.max); }},
}};

void read_summary(JsonCursor& in, DurationSummary& to) {
    read_object<DurationSummary>(in, to, kSummaryFields);
}

constexpr std::array<Field<DaemonLoad>, 4> kLoopFields = {{
    {"turns", [](JsonCursor& in, DaemonLoad& to) { read_summary(in, to.turns); }},
    {"recent_turns", [](JsonCursor& in, DaemonLoad& to) { read_summary(in, to.recent_turns); }},
    {"turns_cpu", [](JsonCursor& in, DaemonLoad& to) { read_summary(in, to.turns_cpu); }},
    {"timer_lateness", [](JsonCursor& in, DaemonLoad& to) { read_summary(in, to.timer_lateness); }},
}};

void write_summary(json::Writer& out, std::string_view name, const DurationSummary& summary) {
    out.key(name).begin_object().member("count", summary.count);
    out.member("p50_us", summary.p50.count()).member("p99_us", summary.p99.count());
    out.member("max_us", summary.max.count()).end_object();
}

}  // namespace

const std::array<QueueDepthName, 6>& queue_depths() noexcept {
    return kQueueDepths;
}

void write_daemon_load(json::Writer& out, const DaemonLoad& load) {
    out.key("loop").begin_object();
    write_summary(out, "turns", load.turns);
    write_summary(out, "recent_turns", load.recent_turns);
    write_summary(out, "turns_cpu", load.turns_cpu);
    write_summary(out, "timer_lateness", load.timer_lateness);
    out.end_object().key("queues").begin_object();
    for (const QueueDepthName& queue : kQueueDepths) out.member(queue.name, load.queues.*queue.member);
    out.end_object();
}

void read_loop(JsonCursor& in, DaemonLoad& to) {
    read_object<DaemonLoad>(in, to, kLoopFields);
}

void read_queues(JsonCursor& in, DaemonLoad& to) {
    if (!in.enter_object()) return;
    while (const auto key = in.next_member()) {
        const auto* known = std::find_if(kQueueDepths.begin(), kQueueDepths.end(),
                                         [&](const QueueDepthName& queue) { return queue.name == *key; });
        if (known != kQueueDepths.end())
            in.read(to.queues.*known->member);
        else
            (void)in.skip();
    }
}

}  // namespace vigil::protocol
