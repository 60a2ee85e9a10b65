// The client's side of task_status.hpp.
#include <array>

#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

// In the order of write_task_status, which makes each found at once.
constexpr std::array<Field<OutputFacts>, 4> kOutputFields = {{
    {"written_bytes", [](JsonCursor& in, OutputFacts& to) { in.read(to.written); }},
    {"dropped_bytes", [](JsonCursor& in, OutputFacts& to) { in.read(to.dropped); }},
    {"dropped_lines", [](JsonCursor& in, OutputFacts& to) { in.read(to.dropped_lines); }},
    {"fault", [](JsonCursor& in, OutputFacts& to) { read_text(in, to.fault); }},
}};

constexpr std::array<Field<Resources>, 3> kResourceFields = {{
    {"processes", [](JsonCursor& in, Resources& to) { in.read(to.processes); }},
    {"memory_bytes", [](JsonCursor& in, Resources& to) { in.read(to.memory); }},
    {"cpu_ms", [](JsonCursor& in, Resources& to) { in.read(to.cpu); }},
}};

/// An object or null.
template <typename T>
void read_part(JsonCursor& in, std::optional<T>& to, std::span<const Field<T>> fields) {
    to.reset();
    if (!in.take_null()) read_object(in, to.emplace(), fields);
}

constexpr std::array<Field<TaskStatus>, 22> kFields = {{
    {"name", [](JsonCursor& in, TaskStatus& to) { in.read(to.name); }},
    {"status", [](JsonCursor& in, TaskStatus& to) { in.read(to.status); }},
    {"paused", [](JsonCursor& in, TaskStatus& to) { in.read(to.paused); }},
    {"desired", [](JsonCursor& in, TaskStatus& to) { in.read(to.desired); }},
    {"waiting_turn", [](JsonCursor& in, TaskStatus& to) { in.read(to.waiting_turn); }},
    {"cause", [](JsonCursor& in, TaskStatus& to) { read_cause(in, to.cause); }},
    {"pid", [](JsonCursor& in, TaskStatus& to) { in.read(to.pid); }},
    {"generation", [](JsonCursor& in, TaskStatus& to) { in.read(to.generation); }},
    {"restart_attempts", [](JsonCursor& in, TaskStatus& to) { in.read(to.restart_attempts); }},
    {"max_restart_attempts", [](JsonCursor& in, TaskStatus& to) { in.read(to.max_restart_attempts); }},
    {"restarts_total", [](JsonCursor& in, TaskStatus& to) { in.read(to.restarts_total); }},
    {"started_at", [](JsonCursor& in, TaskStatus& to) { read_time(in, to.started_at); }},
    {"uptime_ms", [](JsonCursor& in, TaskStatus& to) { in.read(to.uptime); }},
    {"last_heartbeat_age_ms", [](JsonCursor& in, TaskStatus& to) { in.read(to.last_heartbeat_age); }},
    {"heartbeat_timeout_ms", [](JsonCursor& in, TaskStatus& to) { in.read(to.heartbeat_timeout); }},
    {"next_start_in_ms", [](JsonCursor& in, TaskStatus& to) { in.read(to.next_start_in); }},
    {"stop_kill_in_ms", [](JsonCursor& in, TaskStatus& to) { in.read(to.stop_kill_in); }},
    {"status_text", [](JsonCursor& in, TaskStatus& to) { read_text(in, to.status_text); }},
    {"last_exit", [](JsonCursor& in, TaskStatus& to) { read_last_exit(in, to.last_exit); }},
    {"output", [](JsonCursor& in, TaskStatus& to) { read_part<OutputFacts>(in, to.output, kOutputFields); }},
    {"resources",
     [](JsonCursor& in, TaskStatus& to) { read_part<Resources>(in, to.resources, kResourceFields); }},
    {"spec", [](JsonCursor& in, TaskStatus& to) { to.spec = in.skip(); }},
}};

std::optional<std::string> fault_of(const TaskStatus& task) {
    if (task.name.empty()) return "\"name\" is missing";
    if (task.status.empty()) return "\"status\" of " + task.name + " is missing";
    return std::nullopt;
}

}  // namespace

Result<TaskStatus, std::string> parse_task_status(std::string_view object) {
    auto task = read_whole<TaskStatus>(object, kFields);
    if (!task) return task;
    if (auto fault = fault_of(*task)) return Failure{std::move(*fault)};
    return task;
}

Result<std::vector<TaskStatus>, std::string> parse_task_statuses(std::string_view result) {
    std::vector<TaskStatus> tasks;
    auto done = take_task_statuses(result, [&tasks](TaskStatus& task) { tasks.push_back(std::move(task)); });
    if (!done) return Failure{std::move(done).error()};
    return tasks;
}

Result<void, std::string> take_task_statuses(std::string_view result,
                                             const std::function<void(TaskStatus&)>& take) {
    JsonCursor in(result);
    bool found = false;
    if (in.enter_object()) {
        while (const auto key = in.next_member()) {
            if (*key != "tasks") {
                (void)in.skip();
                continue;
            }
            found = true;
            if (!in.enter_array()) break;
            while (in.next_element()) {
                TaskStatus task;
                read_object<TaskStatus>(in, task, kFields);
                if (!in.ok()) break;
                if (auto fault = fault_of(task)) return Failure{std::move(*fault)};
                take(task);
            }
        }
    }
    in.expect_end();
    if (!in.ok()) return Failure{in.error()};
    if (!found) return Failure{std::string("\"tasks\" is missing")};
    return {};
}

}  // namespace vigil::protocol
