#include "ctl/log_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/quantity.hpp"
#include "logs/log_start.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t kToSeconds = std::string_view("2026-03-01T12:00:00").size();
constexpr std::size_t kMilliseconds = 3;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "Z" or "+01:00"; "+0100" is none.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
    if (text == "Z" || text == "z") return std::chrono::minutes(0);
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    for (const std::size_t at : {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{5}})
        if (!is_digit(text[at])) return std::nullopt;
    const int hours = (text[1] - '0') * 10 + (text[2] - '0');
    const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
    if (hours > 23 || minutes > 59) return std::nullopt;
    const std::chrono::minutes offset(hours * 60 + minutes);
    return text[0] == '-' ? -offset : offset;
}

std::optional<protocol::WallTime> parse_moment(std::string_view text) {
    if (text.size() <= kToSeconds) return std::nullopt;
    std::string exact(text.substr(0, kToSeconds));
    if (exact[10] == ' ' || exact[10] == 't') exact[10] = 'T';
    text.remove_prefix(kToSeconds);
    std::string fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        while (!text.empty() && is_digit(text.front())) {
            fraction.push_back(text.front());
            text.remove_prefix(1);
        }
        if (fraction.empty()) return std::nullopt;
    }
    fraction.resize(kMilliseconds, '0');
    const auto offset = parse_offset(text);
    const auto at = protocol::parse_rfc3339(exact.append(".").append(fraction).append("Z"));
    if (!offset || !at) return std::nullopt;
    return *at - *offset;
}

}  // namespace

Result<protocol::WallTime, std::string> parse_since(std::string_view text, protocol::WallTime now) {
    if (const auto at = parse_moment(text)) return *at;
    const auto ago = parse_duration(text);
    if (ago) return now - std::chrono::duration_cast<protocol::WallTime::duration>(*ago);
    if (text.find_first_of("-:") != std::string_view::npos)
        return Failure{"\"" + std::string(text) +
                       "\" is no moment; write 2026-03-01T12:00:00Z, or 10m for ten minutes ago"};
    return Failure{ago.error()};
}

void add_log_options(CLI::App& app, Options& options, std::string& lines, std::string& since) {
    app.add_flag("-f,--follow", options.follow, "Go on with what is printed from now on, until Ctrl-C");
    auto* last = app.add_option("-n,--lines", lines, "The last N lines of each log (default 10), or \"all\"");
    last->type_name("N");
    app.add_option("--since", since, "All since then: 10m (ago), or 2026-03-01T12:00:00Z")
        ->type_name("TIME")
        ->excludes(last);
    app.add_option("--stream", options.stream, "Of tasks that keep stdout and stderr apart: out or err")
        ->type_name("STREAM");
}

std::string understand_log_options(const std::string& lines, const std::string& since, Options& options) {
    if (lines == "all") {
        options.lines.reset();
    } else {
        std::size_t count = 0;
        const char* end = lines.data() + lines.size();
        const auto [stopped, error] = std::from_chars(lines.data(), end, count);
        if (error != std::errc{} || stopped != end || count > logs::kMostLines)
            return "--lines: \"" + lines + "\" is neither \"all\" nor a number up to " +
                   std::to_string(logs::kMostLines);
        options.lines = count;
    }
    if (!since.empty()) {
        auto at = parse_since(since, std::chrono::system_clock::now());
        if (!at) return "--since: " + at.error();
        options.since = *at;
    }
    if (!options.stream.empty() && options.stream != "out" && options.stream != "err")
        return "--stream: \"" + options.stream + "\" is neither out nor err";
    return {};
}

}  // namespace vigil::ctl
