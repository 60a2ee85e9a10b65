#include "ctl/task_page.hpp"

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "ctl/status_text.hpp"
#include "json/parse.hpp"
#include "json/writer.hpp"

namespace vigil::ctl {
namespace {

using protocol::Rfc3339;
using protocol::TaskStatus;

constexpr std::size_t kLabelWidth = 12;

/// Adds "  label       text"; nothing for an empty text.
void add(std::string& page, std::string_view label, const std::string& text) {
    if (text.empty()) return;
    std::string padded(label);
    padded.resize(kLabelWidth, ' ');
    page.append("  ").append(padded).append(text).append("\n");
}

std::string state_text(const TaskStatus& task, bool colours) {
    std::string state = escape_for_display(task.status);
    if (colours) state = coloured(state, colour_of(task.status));
    if (task.paused) state += ", paused";
    if (task.waiting_turn) state += ", waiting its turn to start";
    if (!task.desired.empty()) state += " (desired: " + escape_for_display(task.desired) + ")";
    return state;
}

std::string process_text(const TaskStatus& task) {
    std::string text = task.pid ? "pid " + std::to_string(*task.pid) + ", " : std::string();
    if (task.generation == 0) return "never started";
    return text + "generation " + std::to_string(task.generation);
}

std::string started_text(const TaskStatus& task) {
    if (!task.started_at) return {};
    std::string text(Rfc3339(*task.started_at).view());
    if (task.uptime) text += " (up " + format_duration_rough(*task.uptime) + ")";
    return text;
}

std::string restarts_text(const TaskStatus& task) {
    const std::string limit =
        task.max_restart_attempts ? " of " + std::to_string(*task.max_restart_attempts) : " (no limit)";
    return std::to_string(task.restarts_total) + " in all; attempt " + std::to_string(task.restart_attempts) +
           limit + " in the present series";
}

std::string heartbeat_text(const TaskStatus& task) {
    if (!task.heartbeat_timeout) return "not asked for";
    const std::string limit = "due every " + format_duration(*task.heartbeat_timeout);
    if (!task.last_heartbeat_age) return limit;
    return limit + "; last one " + format_duration_rough(*task.last_heartbeat_age) + " ago";
}

std::string last_exit_text(const TaskStatus& task) {
    if (!task.last_exit) return {};
    std::string text = exit_text(task.last_exit->status);
    if (task.last_exit->at) text.append(" at ").append(Rfc3339(*task.last_exit->at).view());
    return text;
}

std::string usage_text(const TaskStatus& task) {
    if (!task.resources) return {};
    const protocol::Resources& used = *task.resources;
    return std::to_string(used.processes) + (used.processes == 1 ? " process, " : " processes, ") +
           format_size_rough(used.memory) + " of memory, " + format_duration_rough(used.cpu) + " of CPU time";
}

std::string last_usage_text(const TaskStatus& task) {
    if (!task.last_exit || !task.last_exit->user || !task.last_exit->system) return {};
    std::string text = format_duration_rough(*task.last_exit->user) + " user, " +
                       format_duration_rough(*task.last_exit->system) + " system";
    if (task.last_exit->max_rss) text += ", at most " + format_size_rough(*task.last_exit->max_rss);
    return text;
}

std::string output_text(const TaskStatus& task) {
    if (!task.output) return {};
    std::string text = format_size_rough(task.output->written) + " written";
    if (task.output->dropped != 0)
        text += ", " + std::to_string(task.output->dropped_lines) + " lines (" +
                format_size_rough(task.output->dropped) + ") dropped";
    if (!task.output->fault.empty()) text += "; " + escape_for_display(task.output->fault);
    return text;
}

/// What the run that ended last printed before its end.
void add_last_lines(std::string& page, const TaskStatus& task) {
    if (!task.last_exit || task.last_exit->lines.empty()) return;
    page += "  its last lines\n";
    for (const std::string& line : task.last_exit->lines)
        page.append("    | ").append(escape_for_display(line)).append("\n");
}

/// The specification comes from the daemon as one line of JSON.
std::string pretty(const std::string& spec) {
    auto document = json::parse(spec);
    return document ? json::to_text(document->root, json::Style::pretty) : escape_for_display(spec);
}

}  // namespace

std::string render_page(const TaskStatus& task, bool colours) {
    std::string page = escape_for_display(task.name) + "\n";
    add(page, "state", state_text(task, colours));
    add(page, "cause", task.cause ? escape_for_display(task.cause->text) : std::string());
    if (task.next_start_in) add(page, "next start", "in " + format_duration_rough(*task.next_start_in));
    if (task.stop_kill_in) add(page, "SIGKILL", "in " + format_duration_rough(*task.stop_kill_in));
    add(page, "process", process_text(task));
    add(page, "started", started_text(task));
    add(page, "restarts", restarts_text(task));
    add(page, "heartbeat", heartbeat_text(task));
    add(page, "says", escape_for_display(task.status_text));
    add(page, "uses", usage_text(task));
    add(page, "output", output_text(task));
    add(page, "last exit", last_exit_text(task));
    add(page, "which used", last_usage_text(task));
    add_last_lines(page, task);
    if (!task.spec.empty()) page.append("  specification\n").append(pretty(task.spec)).append("\n");
    return page;
}

}  // namespace vigil::ctl
