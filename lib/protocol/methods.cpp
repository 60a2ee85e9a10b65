#include "protocol/methods.hpp"

#include <array>

#include "base/nearest.hpp"

namespace vigil::protocol {
namespace {

using Type = ParameterType;

constexpr Parameter kName = {"name", Type::patterns, true,
                             "which tasks: a shell pattern, or an array of them"};
constexpr Parameter kNames = {"name", Type::patterns, false, "which tasks (default: all)"};
constexpr Parameter kWait = {"wait", Type::boolean, false,
                             "answer when the outcome is reached (default: true)"};
constexpr Parameter kTimeout = {"timeout", Type::duration, false,
                                "how long to wait at most (default: no limit)"};

constexpr std::array<Parameter, 1> kPath = {
    {{"path", Type::text, false, "an absolute path (default: the daemon's own file)"}}};
constexpr std::array<Parameter, 1> kProgram = {
    {{"program", Type::text, false,
      "an absolute path (default: the program that runs, as it is on the disk now)"}}};
constexpr std::array<Parameter, 1> kNow = {
    {{"now", Type::boolean, false, "SIGKILL to everything at once (default: false)"}}};
constexpr std::array<Parameter, 5> kAdd = {
    {{"name", Type::text, true, "the new task's name"},
     {"spec", Type::object, true, "the task as it stands under \"tasks\""},
     {"persist", Type::boolean, false, "also write it to conf.d/NAME.json (default: false)"},
     kWait,
     kTimeout}};
constexpr std::array<Parameter, 4> kRemove = {
    {kName,
     {"persist", Type::boolean, false, "also take conf.d/NAME.json away (default: false)"},
     kWait,
     kTimeout}};
constexpr std::array<Parameter, 3> kReload = {
    {{"dry_run", Type::boolean, false, "only tell what would change (default: false)"}, kWait, kTimeout}};
constexpr std::array<Parameter, 3> kOrder = {{kName, kWait, kTimeout}};
constexpr std::array<Parameter, 4> kKill = {
    {kName, {"now", Type::boolean, false, "SIGKILL at once (default: false)"}, kWait, kTimeout}};
constexpr std::array<Parameter, 2> kSignal = {
    {kName, {"signal", Type::signal, true, "\"HUP\", \"SIGHUP\" or 1"}}};
constexpr std::array<Parameter, 4> kStatus = {
    {kNames,
     {"spec", Type::boolean, false, "add the effective specification to each task (default: false)"},
     {"details", Type::boolean, false, "add resources used and the last lines printed (default: false)"},
     {"fields", Type::members, false, "only these members, and of them what applies (default: all)"}}};
constexpr std::array<Parameter, 1> kOnlyName = {{kName}};
constexpr std::array<Parameter, 3> kTaskWait = {
    {kName, {"for", Type::wait_for, true, "healthy, stopped, completed or exit"}, kTimeout}};
constexpr std::array<Parameter, 1> kOnlyNames = {{kNames}};

constexpr std::span<const Parameter> kNone;

constexpr std::array<MethodInfo, 19> kMethods = {{
    {Method::daemon_hello, "daemon.hello", Right::read, kNone, "name, version and api of the daemon"},
    {Method::daemon_status, "daemon.status", Right::read, kNone, "the daemon itself, and tasks by state"},
    {Method::daemon_check, "daemon.check", Right::admin, kPath, "judge a configuration without using it"},
    {Method::daemon_shutdown, "daemon.shutdown", Right::admin, kNow, "stop every task, then end"},
    {Method::task_add, "task.add", Right::admin, kAdd, "add a task"},
    {Method::task_remove, "task.remove", Right::admin, kRemove, "stop tasks and forget them"},
    {Method::task_start, "task.start", Right::operate, kOrder, "start tasks; resets their attempts"},
    {Method::task_stop, "task.stop", Right::operate, kOrder, "end tasks gracefully and leave them stopped"},
    {Method::task_restart, "task.restart", Right::operate, kOrder, "stop what runs, then start"},
    {Method::task_kill, "task.kill", Right::operate, kKill, "end tasks for good: they stay dead"},
    {Method::task_signal, "task.signal", Right::operate, kSignal, "send a signal to the main process"},
    {Method::task_status, "task.status", Right::read, kStatus, "where tasks are, and why"},
    {Method::task_wait, "task.wait", Right::read, kTaskWait, "answer when tasks get somewhere"},
    {Method::task_pause, "task.pause", Right::operate, kOnlyName,
     "freeze all processes of tasks; their heartbeats are not judged meanwhile"},
    {Method::task_resume, "task.resume", Right::operate, kOnlyName, "let frozen tasks go on"},
    {Method::task_logs, "task.logs", Right::read, kOnlyNames, "where what tasks print is kept"},
    {Method::events_subscribe, "events.subscribe", Right::read, kOnlyNames, "be told every change of state"},
    {Method::daemon_upgrade, "daemon.upgrade", Right::admin, kProgram,
     "go on as another program: same pid, same tasks"},
    {Method::daemon_reload, "daemon.reload", Right::admin, kReload,
     "take over the changed configuration, whole or not at all"},
}};

constexpr bool in_order_of_method() {
    for (std::size_t i = 0; i < kMethods.size(); ++i)
        if (static_cast<std::size_t>(kMethods[i].id) != i) return false;
    return true;
}
static_assert(in_order_of_method());

RpcError not_found(std::string message) {
    return {.code = ErrorCode::method_not_found, .message = std::move(message)};
}

}  // namespace

std::string_view to_string(Right right) noexcept {
    switch (right) {
        case Right::read: return "read";
        case Right::operate: return "operate";
        case Right::admin: return "admin";
    }
    return {};
}

std::span<const MethodInfo> methods() noexcept {
    return kMethods;
}

const MethodInfo& info(Method method) noexcept {
    return kMethods[static_cast<std::size_t>(method)];
}

const MethodInfo* find_method(std::string_view name) noexcept {
    for (const MethodInfo& method : kMethods)
        if (method.name == name) return &method;
    return nullptr;
}

Result<const MethodInfo*, RpcError> resolve(const Request& request) {
    const MethodInfo* method = find_method(request.method);
    if (method == nullptr) {
        std::array<std::string_view, kMethods.size()> names;
        for (std::size_t i = 0; i < names.size(); ++i) names[i] = kMethods[i].name;
        // What comes back in a message is bounded, whatever was sent.
        std::string message = "there is no method \"" + request.method.substr(0, 64) + "\"";
        if (const std::string_view nearest = nearest_word(request.method, names); !nearest.empty())
            message.append("; did you mean ").append(nearest).append("?");
        return Failure{not_found(std::move(message))};
    }
    return method;
}

}  // namespace vigil::protocol
