#include "ctl/daemon_page.hpp"

#include <algorithm>
#include <numeric>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "core/state.hpp"

namespace vigil::ctl {
namespace {

using protocol::DaemonStatus;

constexpr std::size_t kLabelWidth = 12;

void add(std::string& page, std::string_view label, const std::string& text) {
    std::string padded(label);
    padded.resize(kLabelWidth, ' ');
    page.append("  ").append(padded).append(text).append("\n");
}

/// Adds "3 name" to a list; nothing of none.
void add_count(std::string& list, std::uint64_t count, std::string_view name) {
    if (count == 0) return;
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    list.append(list.empty() ? "" : ", ").append(std::to_string(count)).append(" ").append(words);
}

std::string or_nothing(const std::string& list) {
    return list.empty() ? "nothing" : list;
}

std::string files_text(const DaemonStatus& status) {
    std::string text;
    for (const std::string& file : status.config_files)
        text.append(text.empty() ? "" : ", ").append(escape_for_display(file));
    if (!status.config_fault.empty())
        text +=
            " (cannot be used, the last good configuration runs: " + escape_for_display(status.config_fault) +
            ")";
    else if (status.config_changed)
        text += " (changed on the disk)";
    return text;
}

std::string tasks_text(const DaemonStatus& status) {
    const auto& counts = status.tasks_by_state;
    std::string list;
    for (std::size_t state = 0; state < counts.size(); ++state)
        add_count(list, counts[state], core::to_string(static_cast<core::StateName>(state)));
    return std::to_string(std::accumulate(counts.begin(), counts.end(), std::size_t{0})) +
           (list.empty() ? "" : ": " + list);
}

std::string text_of(const protocol::DurationSummary& durations) {
    if (durations.count == 0) return "none";
    return std::to_string(durations.count) + ": half within " + format_duration_rough(durations.p50) +
           ", 99% within " + format_duration_rough(durations.p99) + ", longest " +
           format_duration_rough(durations.max);
}

std::string queues_text(const DaemonStatus& status) {
    std::string list;
    for (const auto& queue : protocol::queue_depths())
        add_count(list, status.load.queues.*queue.member, queue.name);
    return or_nothing(list);
}

std::string dropped_text(const DaemonStatus& status) {
    std::string list;
    for (const auto& counter : protocol::drop_counters())
        add_count(list, status.dropped.*counter.member, counter.name);
    return or_nothing(list);
}

}  // namespace

std::string render_daemon(const DaemonStatus& status) {
    std::string page = "vigild " + escape_for_display(status.version) + ", pid " +
                       std::to_string(status.pid) + (status.shutting_down ? ", shutting down\n" : "\n");
    add(page, "started",
        std::string(protocol::Rfc3339(status.started_at).view()) + " (up " +
            format_duration_rough(status.uptime) + ")");
    add(page, "files", files_text(status));
    add(page, "socket", escape_for_display(status.socket));
    add(page, "keeper", status.keeper_pid ? "pid " + std::to_string(*status.keeper_pid) : "none");
    add(page, "tasks", tasks_text(status));
    add(page, "clients", std::to_string(status.clients));
    add(page, "waiting", queues_text(status));
    add(page, "dropped", dropped_text(status));
    add(page, "turns", text_of(status.load.turns));
    add(page, "  recent", text_of(status.load.recent_turns));
    add(page, "  own work", text_of(status.load.turns_cpu));
    add(page, "timers late", text_of(status.load.timer_lateness));
    return page;
}

}  // namespace vigil::ctl
