#include "ctl/reload_text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vigil::ctl {
namespace {

std::string need_of(const std::string& change) {
    if (change == "live") return "live";
    if (change == "task") return "restart";
    return "at the next start of vigild";
}

std::string line_of(const protocol::ReloadField& field) {
    return "    " + escape_for_display(field.key) + ": " + escape_for_display(field.before) + " -> " +
           escape_for_display(field.after) + "  (" + need_of(field.change) + ")\n";
}

std::string heading(const char* what, const std::string& name, const std::string& how) {
    std::string line = what;
    line.resize(9, ' ');
    return line + escape_for_display(name) + (how.empty() ? "" : ": " + how) + "\n";
}

std::string how_of(const protocol::ReloadChange& change) {
    std::string how = change.restart ? "restarts if it runs" : change.fields.empty() ? "" : "live";
    if (change.added_at_run_time)
        how.append(how.empty() ? "" : "; ").append("was added at run time, now in the configuration");
    return how;
}

}  // namespace

std::string render_differences(const protocol::ReloadReport& report) {
    std::string out;
    for (const std::string& name : report.removed) out += heading("removed", name, "is stopped");
    for (const protocol::ReloadChange& change : report.changed) {
        out += heading("changed", change.name, how_of(change));
        for (const protocol::ReloadField& field : change.fields) out += line_of(field);
    }
    for (const std::string& name : report.added) out += heading("added", name, "");
    if (!report.daemon.empty()) out += "daemon\n";
    for (const protocol::ReloadField& field : report.daemon) out += line_of(field);
    return out + summary_of(report) + "\n";
}

std::string summary_of(const protocol::ReloadReport& report) {
    if (!report.differs())
        return "no differences (" + std::to_string(report.unchanged) +
               (report.unchanged == 1 ? " task)" : " tasks)");
    const auto restarts = std::count_if(report.changed.begin(), report.changed.end(),
                                        [](const protocol::ReloadChange& change) { return change.restart; });
    std::string text = std::to_string(report.added.size()) + " added, " +
                       std::to_string(report.removed.size()) + " removed, " +
                       std::to_string(report.changed.size()) + " changed";
    if (restarts != 0) text += " (" + std::to_string(restarts) + " by a restart)";
    return text + ", " + std::to_string(report.unchanged) + " unchanged";
}

}  // namespace vigil::ctl
