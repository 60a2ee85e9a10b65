// Layer daemon. A reload as it is told: to a client, and in the log.
#pragma once

#include "config/describe.hpp"
#include "logger.hpp"
#include "protocol/reload_report.hpp"
#include "reload/reloader.hpp"

namespace vigil::daemon {

/// Environment values in it are masked or not.
[[nodiscard]] protocol::ReloadReport report_of(const config::ReloadPlan& plan, config::EnvValues env);

/// "2 added, 1 removed, 3 changed (1 restarts), 40 unchanged"
[[nodiscard]] std::string summary_of(const config::ReloadPlan& plan);

/// Counts and each changed task with the keys that differ (never their values), or why nothing was changed.
void say_judgement(spdlog::logger& log, const Reloader::Judgement& judgement);

}  // namespace vigil::daemon
