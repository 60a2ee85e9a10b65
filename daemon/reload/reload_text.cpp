#include "reload/reload_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vigil::daemon {
namespace {

std::vector<protocol::ReloadField> fields_of(const std::vector<config::Difference>& differences) {
    std::vector<protocol::ReloadField> fields;
    fields.reserve(differences.size());
    for (const config::Difference& difference : differences)
        fields.push_back({.key = difference.key,
                          .before = difference.before,
                          .after = difference.after,
                          .change = std::string(config::change_name(difference.change))});
    return fields;
}

std::string keys_of(const std::vector<config::Difference>& differences) {
    std::string keys;
    for (const config::Difference& difference : differences)
        keys.append(keys.empty() ? "" : ", ").append(difference.key);
    return keys;
}

void say_change(spdlog::logger& log, const config::TaskChange& change) {
    std::string what = change.at_run_time ? "was added at run time and is in the configuration now" : "";
    if (!change.fields.empty())
        what.append(what.empty() ? "" : "; ")
            .append(change.restart ? "restarted if it runs: " : "changed as it is: ")
            .append(keys_of(change.fields));
    log.info("reload: {}: {}", change.after->name, what);
}

}  // namespace

protocol::ReloadReport report_of(const config::ReloadPlan& plan, config::EnvValues env) {
    protocol::ReloadReport report;
    for (const core::SpecPtr& spec : plan.added) report.added.push_back(spec->name);
    report.removed = plan.removed;
    for (const config::TaskChange& change : plan.changed)
        report.changed.push_back(
            {.name = change.after->name,
             .restart = change.restart,
             .added_at_run_time = change.at_run_time,
             .fields = fields_of(env == config::EnvValues::shown
                                     ? change.fields
                                     : config::differences(*change.before, *change.after, env))});
    report.daemon = fields_of(plan.daemon);
    report.unchanged = plan.unchanged;
    return report;
}

std::string summary_of(const config::ReloadPlan& plan) {
    const auto restarts = std::count_if(plan.changed.begin(), plan.changed.end(),
                                        [](const config::TaskChange& change) { return change.restart; });
    return fmt::format("{} added, {} removed, {} changed ({} by a restart), {} unchanged", plan.added.size(),
                       plan.removed.size(), plan.changed.size(), restarts, plan.unchanged);
}

void say_judgement(spdlog::logger& log, const Reloader::Judgement& judgement) {
    using Verdict = Reloader::Verdict;
    if (judgement.verdict == Verdict::busy) return log.warn("not reloaded: {}", judgement.why);
    if (judgement.verdict == Verdict::invalid) {
        // The first line of a problem is its place and what is wrong; the source line below it is for people
        // at a terminal.
        for (const std::string& problem : judgement.problems)
            log.error("reload: {}", problem.substr(0, problem.find('\n')));
        return log.error("not reloaded: {} {}; the configuration that runs stays", judgement.problems.size(),
                         judgement.problems.size() == 1 ? "problem" : "problems");
    }
    const config::ReloadPlan& plan = judgement.plan;
    log.info("reloaded: {}", summary_of(plan));
    for (const std::string& name : plan.removed) log.info("reload: {}: removed", name);
    for (const config::TaskChange& change : plan.changed) say_change(log, change);
    for (const core::SpecPtr& spec : plan.added) log.info("reload: {}: added", spec->name);
    for (const config::Difference& field : plan.daemon) {
        if (field.change == config::Change::daemon_restart)
            log.warn("reload: {} stays {} until vigild is restarted; the configuration says {}", field.key,
                     field.before, field.after);
        else
            log.info("reload: {} is {} now, and was {}", field.key, field.after, field.before);
    }
}

}  // namespace vigil::daemon
