#include "protocol/daemon_status.hpp"

#include <algorithm>
#include <numeric>

#include "core/state.hpp"
#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

constexpr std::size_t kStates = static_cast<std::size_t>(core::StateName::dead) + 1;

constexpr std::array<DropCounterName, 7> kDropCounters = {{
    {"notify_too_long", &DropCounters::notify_too_long},
    {"notify_malformed", &DropCounters::notify_malformed},
    {"notify_values", &DropCounters::notify_values},
    {"notify_strangers", &DropCounters::notify_strangers},
    {"clients_refused", &DropCounters::clients_refused},
    {"clients_dropped", &DropCounters::clients_dropped},
    {"requests_denied", &DropCounters::requests_denied},
}};

constexpr std::array<Field<Hello>, 3> kHelloFields = {{
    {"name", [](JsonCursor& in, Hello& to) { in.read(to.name); }},
    {"version", [](JsonCursor& in, Hello& to) { in.read(to.version); }},
    {"api", [](JsonCursor& in, Hello& to) { in.read(to.api); }},
}};

void read_tasks(JsonCursor& in, DaemonStatus& to) {
    to.tasks_by_state.assign(kStates, 0);
    if (!in.enter_object()) return;
    while (const auto key = in.next_member()) {
        if (const auto state = core::parse_state_name(*key))
            in.read(to.tasks_by_state[static_cast<std::size_t>(*state)]);
        else
            (void)in.skip();
    }
}

void read_dropped(JsonCursor& in, DaemonStatus& to) {
    if (!in.enter_object()) return;
    while (const auto key = in.next_member()) {
        const auto* known = std::find_if(kDropCounters.begin(), kDropCounters.end(),
                                         [&](const DropCounterName& c) { return c.name == *key; });
        if (known != kDropCounters.end())
            in.read(to.dropped.*known->member);
        else
            (void)in.skip();
    }
}

void read_started(JsonCursor& in, DaemonStatus& to) {
    std::optional<WallTime> at;
    read_time(in, at);
    to.started_at = at.value_or(WallTime{});
}

constexpr std::array<Field<FeatureState>, 2> kFeatureFields = {{
    {"name", [](JsonCursor& in, FeatureState& to) { in.read(to.name); }},
    {"state", [](JsonCursor& in, FeatureState& to) { in.read(to.state); }},
}};

constexpr std::array<Field<DaemonStatus>, 18> kStatusFields = {{
    {"version", [](JsonCursor& in, DaemonStatus& to) { in.read(to.version); }},
    {"pid", [](JsonCursor& in, DaemonStatus& to) { in.read(to.pid); }},
    {"started_at", read_started},
    {"uptime_ms", [](JsonCursor& in, DaemonStatus& to) { in.read(to.uptime); }},
    {"config_files", [](JsonCursor& in, DaemonStatus& to) { read_strings(in, to.config_files); }},
    {"config_changed", [](JsonCursor& in, DaemonStatus& to) { in.read(to.config_changed); }},
    {"config_fault", [](JsonCursor& in, DaemonStatus& to) { read_text(in, to.config_fault); }},
    {"runtime_dir", [](JsonCursor& in, DaemonStatus& to) { read_text(in, to.runtime_dir); }},
    {"socket", [](JsonCursor& in, DaemonStatus& to) { read_text(in, to.socket); }},
    {"shutting_down", [](JsonCursor& in, DaemonStatus& to) { in.read(to.shutting_down); }},
    {"clients", [](JsonCursor& in, DaemonStatus& to) { in.read(to.clients); }},
    {"keeper_pid", [](JsonCursor& in, DaemonStatus& to) { in.read(to.keeper_pid); }},
    {"cgroup_home", [](JsonCursor& in, DaemonStatus& to) { read_text(in, to.cgroup_home); }},
    {"features",
     [](JsonCursor& in, DaemonStatus& to) { read_objects<FeatureState>(in, to.features, kFeatureFields); }},
    {"tasks", read_tasks},
    {"dropped", read_dropped},
    {"loop", [](JsonCursor& in, DaemonStatus& to) { read_loop(in, to.load); }},
    {"queues", [](JsonCursor& in, DaemonStatus& to) { read_queues(in, to.load); }},
}};

}  // namespace

const std::array<DropCounterName, 7>& drop_counters() noexcept {
    return kDropCounters;
}

void write_hello(json::Writer& out, const Hello& hello) {
    out.begin_object().member("name", hello.name).member("version", hello.version).member("api", hello.api);
    out.end_object();
}

Result<Hello, std::string> parse_hello(std::string_view result) {
    return read_whole<Hello>(result, kHelloFields);
}

void write_daemon_status(json::Writer& out, const DaemonStatus& status) {
    out.begin_object().member("name", "vigild").member("version", status.version).member("api", kApiVersion);
    out.member("pid", status.pid).member("started_at", Rfc3339(status.started_at).view());
    out.member("uptime_ms", status.uptime.count()).key("config_files").begin_array();
    for (const std::string& file : status.config_files) out.value(file);
    out.end_array().member("config_changed", status.config_changed);
    write_text(out, "config_fault", status.config_fault);
    write_text(out, "runtime_dir", status.runtime_dir);
    write_text(out, "socket", status.socket);
    out.member("shutting_down", status.shutting_down).member("clients", status.clients);
    out.member("keeper_pid", status.keeper_pid);
    write_text(out, "cgroup_home", status.cgroup_home);
    out.key("features").begin_array();
    for (const FeatureState& feature : status.features)
        out.begin_object().member("name", feature.name).member("state", feature.state).end_object();
    out.end_array();

    const auto& counts = status.tasks_by_state;
    out.key("tasks").begin_object();
    out.member("total", std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
    for (std::size_t i = 0; i < kStates; ++i)
        out.member(core::to_string(static_cast<core::StateName>(i)), i < counts.size() ? counts[i] : 0);
    out.end_object().key("dropped").begin_object();
    for (const DropCounterName& counter : kDropCounters)
        out.member(counter.name, status.dropped.*counter.member);
    out.end_object();
    write_daemon_load(out, status.load);
    out.end_object();
}

Result<DaemonStatus, std::string> parse_daemon_status(std::string_view result) {
    return read_whole<DaemonStatus>(result, kStatusFields);
}

}  // namespace vigil::protocol
