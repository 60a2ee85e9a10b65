#include "ctl/status_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/quantity.hpp"
#include "base/signal_name.hpp"
#include "base/text.hpp"

namespace vigil::ctl {
namespace {

using protocol::TaskStatus;

constexpr std::array<std::string_view, 7> kTitles = {"NAME",     "STATE",     "PID",   "UPTIME",
                                                     "RESTARTS", "HEARTBEAT", "DETAIL"};

void add(std::string& detail, const std::string& part) {
    if (part.empty()) return;
    if (!detail.empty()) detail += "; ";
    detail += part;
}

std::string one_line(std::string_view raw) {
    std::string text = escape_for_display(raw);
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text;
}

std::string attempt_text(const TaskStatus& task) {
    if (task.restart_attempts == 0) return {};
    std::string text = "attempt " + std::to_string(task.restart_attempts);
    if (task.max_restart_attempts) text += " of " + std::to_string(*task.max_restart_attempts);
    return text;
}

std::string next_start_text(const TaskStatus& task) {
    std::string text = attempt_text(task);
    if (!task.next_start_in) return text;
    return text.append(text.empty() ? "" : ", ").append("next start in ") +
           format_duration_rough(*task.next_start_in);
}

/// What sets a cause apart that is worth a line while the task runs: not that somebody started it.
bool is_trouble(const protocol::CauseView& cause) {
    return cause.kind != "operator" && cause.kind != "adopted" && cause.kind != "config-reload";
}

std::string running_detail(const TaskStatus& task) {
    std::string detail = one_line(task.status_text);
    if (!task.cause) return detail;
    if (!is_trouble(*task.cause)) {
        if (task.cause->kind == "adopted") add(detail, one_line(task.cause->text));
        return detail;
    }
    add(detail, "restarted after " + one_line(task.cause->text));
    add(detail, attempt_text(task));
    return detail;
}

std::string uptime_of(const TaskStatus& task) {
    return task.uptime ? format_duration_rough(*task.uptime) : "-";
}

}  // namespace

std::string detail_of(const TaskStatus& task) {
    std::string detail;
    if (task.output && !task.output->fault.empty())
        add(detail, "output is lost: " + one_line(task.output->fault));
    else if (task.output && task.output->dropped != 0)
        add(detail, std::to_string(task.output->dropped_lines) + " lines of output were lost");
    if (task.status == "healthy" || task.status == "starting") {
        add(detail, running_detail(task));
        return detail;
    }
    if (task.waiting_turn) add(detail, "waiting its turn to start");
    if (task.cause) add(detail, one_line(task.cause->text));
    if (task.status == "failed") add(detail, next_start_text(task));
    if (task.stop_kill_in) add(detail, "SIGKILL in " + format_duration_rough(*task.stop_kill_in));
    if (task.status == "stopping") add(detail, one_line(task.status_text));
    return detail;
}

std::string heartbeat_of(const TaskStatus& task) {
    if (!task.heartbeat_timeout) return "-";
    const std::string limit = format_duration(*task.heartbeat_timeout);
    return (task.last_heartbeat_age ? format_duration_rough(*task.last_heartbeat_age) : "-") + "/" + limit;
}

std::string restarts_of(const TaskStatus& task) {
    std::string text = std::to_string(task.restarts_total);
    if (task.restart_attempts == 0) return text;
    text += " (" + std::to_string(task.restart_attempts);
    if (task.max_restart_attempts) text += "/" + std::to_string(*task.max_restart_attempts);
    return text + ")";
}

std::string exit_text(const core::ExitStatus& status) {
    switch (status.kind) {
        case core::ExitStatus::Kind::code: return "exit code " + std::to_string(status.code);
        case core::ExitStatus::Kind::signal:
            return "killed by " + signal_name(status.signal) + (status.core ? " (core dumped)" : "");
        case core::ExitStatus::Kind::unknown: break;
    }
    return "exit status unknown";
}

Colour colour_of(std::string_view state) {
    if (state == "healthy" || state == "completed") return Colour::green;
    if (state == "starting" || state == "stopping") return Colour::yellow;
    if (state == "failed" || state == "dead") return Colour::red;
    if (state == "created") return Colour::blue;
    return Colour::dim;
}

StateCounts::StateCounts() {
    // In the order of the states' table, then whatever a newer daemon knows.
    for (int i = 0; i <= static_cast<int>(core::StateName::dead); ++i)
        counts_.emplace_back(core::to_string(static_cast<core::StateName>(i)), 0);
}

void StateCounts::add(const TaskStatus& task) {
    ++total_;
    auto found =
        std::find_if(counts_.begin(), counts_.end(), [&](const auto& c) { return c.first == task.status; });
    if (found == counts_.end()) found = counts_.emplace(found, one_line(task.status), 0);
    ++found->second;
}

std::string StateCounts::summary() const {
    if (total_ == 0) return "no tasks";
    std::string text = std::to_string(total_) + (total_ == 1 ? " task" : " tasks");
    std::string_view separator = ": ";
    for (const auto& [state, count] : counts_) {
        if (count == 0) continue;
        text.append(separator).append(std::to_string(count)).append(" ").append(state);
        separator = ", ";
    }
    return text;
}

StatusTable::StatusTable() : table_(kTitles) {}

void StatusTable::add(const TaskStatus& task) {
    counts_.add(task);
    table_.add(one_line(task.name));
    const Colour colour = colour_of(task.status);
    if (task.paused)
        table_.add(one_line(task.status) + " (paused)", colour);
    else
        table_.add(one_line(task.status), colour);
    table_.add(task.pid ? std::to_string(*task.pid) : "-");
    table_.add(uptime_of(task));
    table_.add(restarts_of(task));
    table_.add(heartbeat_of(task));
    table_.add(detail_of(task));
}

std::string StatusTable::render(const TableStyle& style) const {
    if (counts_.total() == 0) return counts_.summary() + "\n";
    return table_.render(style).append("\n").append(counts_.summary()).append("\n");
}

}  // namespace vigil::ctl
