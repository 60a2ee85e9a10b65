#include "supervision/announcer.hpp"

#include <fmt/format.h>

#include "base/quantity.hpp"

namespace vigil::daemon {
namespace {

using core::StateName;

spdlog::level::level_enum level_of(const core::effect::Announce& change) {
    if (!change.to) return spdlog::level::info;
    if (*change.to == StateName::failed) return spdlog::level::warn;
    if (*change.to == StateName::dead && !change.cause.by_operator()) return spdlog::level::err;
    if (*change.to == StateName::created || *change.to == StateName::starting) return spdlog::level::debug;
    return spdlog::level::info;
}

}  // namespace

std::string describe_change(const core::effect::Announce& change) {
    if (!change.to) return "removed";
    std::string line(core::to_string(*change.to));
    if (change.pid != 0) line += fmt::format(", pid {}", change.pid);
    // So that every start in the log can be told from every other.
    if (*change.to == StateName::starting)
        line += fmt::format(", generation {}", static_cast<std::uint64_t>(change.generation));
    if (const std::string why = core::explain(change.cause); !why.empty()) line += ": " + why;
    if (change.next_start_in) {
        line += "; next start in " + format_duration_rough(*change.next_start_in);
        if (change.attempts > 0 && change.max_attempts)
            line += fmt::format(" (attempt {} of {})", change.attempts, *change.max_attempts);
        else if (change.attempts > 0)
            line += fmt::format(" (attempt {})", change.attempts);
    }
    return line;
}

void Announcer::announce(const core::effect::Announce& change) {
    const auto level = level_of(change);
    if (log_->should_log(level)) log_->log(level, "{}: {}", change.name, describe_change(change));
    for (const Listener& listener : listeners_) listener(change);
}

}  // namespace vigil::daemon
