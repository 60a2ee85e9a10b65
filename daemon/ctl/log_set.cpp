#include "ctl/log_set.hpp"

#include <chrono>

#include "base/text.hpp"
#include "client/channel.hpp"

namespace vigil::ctl {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t milliseconds_of(protocol::WallTime at) {
    return std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

}  // namespace

LogSet::LogSet(const Options& options, const Terminal& terminal)
    : options_(options), terminal_(terminal), lines_({.json = options.json, .colours = terminal.colours()}) {}

bool LogSet::is_new(const protocol::LogPlace& place) {
    return places_.insert({place.name, place.stream, place.to, place.path}).second;
}

Result<logs::Range> LogSet::range_of(const protocol::LogPlace& place,
                                     std::optional<protocol::WallTime> from) const {
    if (!from) from = options_.since;
    if (from) return logs::from_time(place.path, milliseconds_of(*from));
    if (options_.lines) return logs::from_last_lines(place.path, *options_.lines);
    return logs::from_oldest(place.path);
}

void LogSet::add(const std::vector<protocol::LogPlace>& places, std::optional<protocol::WallTime> from) {
    for (const protocol::LogPlace& place : places) {
        if (!is_new(place)) continue;
        if (!options_.stream.empty() && place.stream != options_.stream) continue;
        if (place.to != "file") {
            terminal_.complain(elsewhere(place));
            continue;
        }
        if (!place.fault.empty())
            terminal_.complain(escape_for_display(place.name) +
                               ": what it prints now is lost: " + escape_for_display(place.fault));
        auto range = range_of(place, from);
        if (!range) {
            terminal_.complain(unreadable(place, range.error()));
            failed_ = true;
            continue;
        }
        lines_.expect(place.name);
        const auto end = options_.follow ? std::nullopt : std::optional(range->end);
        logs_.push_back({.place = place, .follower = logs::LogFollower(place.path, range->begin, end)});
    }
}

bool LogSet::interrupted() const {
    return !client::pause({.until = Clock::now(), .interrupt_fd = terminal_.interrupt_fd()}).ok();
}

bool LogSet::print(Log& log, const logs::LogFollower::Batch& batch) {
    std::string out;
    for (const logs::LogItem& item : batch.items) {
        if (item.kind == logs::LogItem::Kind::line) {
            lines_.append(out, log.place, item);
            continue;
        }
        if (item.kind == logs::LogItem::Kind::unreadable) failed_ = true;
        // What was printed before it comes before it.
        if (!out.empty() && !terminal_.print(out)) return false;
        out.clear();
        terminal_.complain(note_of(log.place, item));
    }
    return out.empty() || terminal_.print(out);
}

bool LogSet::print_present() {
    for (Log& log : logs_) {
        if (log.printed) continue;
        log.printed = true;
        for (bool more = true; more;) {
            if (interrupted()) return false;
            auto batch = log.follower.poll(Clock::now());
            more = batch.more;
            if (!more && !options_.follow)
                if (auto rest = log.follower.finish()) batch.items.push_back(std::move(*rest));
            if (!print(log, batch)) return false;
        }
    }
    return true;
}

bool LogSet::print_new(bool& more) {
    more = false;
    const auto now = Clock::now();
    for (Log& log : logs_) {
        const auto batch = log.follower.poll(now);
        more = more || batch.more;
        if (!print(log, batch)) return false;
    }
    return true;
}

}  // namespace vigil::ctl
