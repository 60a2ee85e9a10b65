// Parameters: JSON -> structs, checked against the table of methods.hpp.
#include <algorithm>
#include <array>

#include "protocol/methods.hpp"
#include "protocol/params_reader.hpp"

namespace vigil::protocol {
namespace {

constexpr std::array kWaitFor = {params::TaskWait::For::healthy, params::TaskWait::For::stopped,
                                 params::TaskWait::For::completed, params::TaskWait::For::exit};

Params read_order(ParamsReader& in) {
    params::TaskOrder order;
    in.read("name", order.names);
    in.read("wait", order.wait);
    in.read("timeout", order.timeout);
    in.read("now", order.now);
    in.read("persist", order.persist);
    return order;
}

Params read_reload(ParamsReader& in) {
    params::DaemonReload reload;
    in.read("dry_run", reload.dry_run);
    in.read("wait", reload.wait);
    in.read("timeout", reload.timeout);
    return reload;
}

Params read_add(ParamsReader& in) {
    params::TaskAdd add;
    in.read("name", add.name);
    in.read_object("spec", add.spec);
    in.read("persist", add.persist);
    in.read("wait", add.wait);
    in.read("timeout", add.timeout);
    return add;
}

Params read_signal_order(ParamsReader& in) {
    params::TaskSignal order;
    in.read("name", order.names);
    in.read_signal("signal", order.signal);
    return order;
}

Params read_wait(ParamsReader& in) {
    params::TaskWait wait;
    in.read("name", wait.names);
    in.read("for", wait.what);
    in.read("timeout", wait.timeout);
    return wait;
}

Params read_status(ParamsReader& in) {
    params::TaskStatus status;
    in.read("name", status.names);
    in.read("spec", status.spec);
    in.read("details", status.details);
    in.read("fields", status.fields);
    return status;
}

Params read_check(ParamsReader& in) {
    params::DaemonCheck check;
    in.read("path", check.path);
    return check;
}

Params read_shutdown(ParamsReader& in) {
    params::DaemonShutdown shutdown;
    in.read("now", shutdown.now);
    return shutdown;
}

Params read_upgrade(ParamsReader& in) {
    params::DaemonUpgrade upgrade;
    in.read("program", upgrade.program);
    return upgrade;
}

/// For parameters that are patterns and nothing else.
template <typename T>
Params read_names(ParamsReader& in) {
    T params;
    in.read("name", params.names);
    return params;
}

Params read_params(const MethodInfo& method, ParamsReader& in) {
    switch (method.id) {
        case Method::daemon_check: return read_check(in);
        case Method::daemon_shutdown: return read_shutdown(in);
        case Method::daemon_reload: return read_reload(in);
        case Method::daemon_upgrade: return read_upgrade(in);
        case Method::task_add: return read_add(in);
        case Method::task_remove:
        case Method::task_start:
        case Method::task_stop:
        case Method::task_restart:
        case Method::task_kill: return read_order(in);
        case Method::task_signal: return read_signal_order(in);
        case Method::task_status: return read_status(in);
        case Method::task_wait: return read_wait(in);
        case Method::task_pause:
        case Method::task_resume: return read_names<params::TaskFreeze>(in);
        case Method::task_logs: return read_names<params::TaskLogs>(in);
        case Method::events_subscribe: return read_names<params::EventsSubscribe>(in);
        case Method::daemon_hello:
        case Method::daemon_status: break;
    }
    return params::None{};
}

}  // namespace

Result<Params, RpcError> decode(const MethodInfo& method, const json::Value* given) {
    ParamsReader in(method, given);
    in.check_names();
    if (in.fault()) return Failure{std::move(*in.fault())};
    Params params = read_params(method, in);
    if (in.fault()) return Failure{std::move(*in.fault())};
    return params;
}

std::string_view to_string(params::TaskWait::For what) noexcept {
    switch (what) {
        case params::TaskWait::For::healthy: return "healthy";
        case params::TaskWait::For::stopped: return "stopped";
        case params::TaskWait::For::completed: return "completed";
        case params::TaskWait::For::exit: return "exit";
    }
    return {};
}

std::optional<params::TaskWait::For> parse_wait_for(std::string_view text) noexcept {
    for (const params::TaskWait::For what : kWaitFor)
        if (to_string(what) == text) return what;
    return std::nullopt;
}

}  // namespace vigil::protocol
