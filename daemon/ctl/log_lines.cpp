#include "ctl/log_lines.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/text.hpp"
#include "ctl/display_width.hpp"
#include "json/writer.hpp"

namespace vigil::ctl {
namespace {

constexpr std::string_view kPlain = "\033[0m";
// Foreground colours that are told apart on dark and on light ground; red is for trouble.
constexpr std::array<std::string_view, 6> kNameColours = {"\033[36m", "\033[33m", "\033[32m",
                                                          "\033[35m", "\033[34m", "\033[96m"};

bool ends_in_the_midst(const logs::LogItem& line) {
    return line.cut && line.text.size() >= logs::kMostLineBytes;
}

}  // namespace

std::string_view name_colour(std::string_view task) noexcept {
    // FNV-1a, 32 bits: std::hash may differ from one build to the next.
    std::uint32_t hash = 2166136261U;
    for (const char c : task) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
    return kNameColours[hash % kNameColours.size()];
}

void LogLines::expect(const std::string& task) {
    tasks_.insert(task);
    width_ = std::max(width_, display_width(escape_for_display(task)));
}

void LogLines::append(std::string& out, const protocol::LogPlace& place, const logs::LogItem& line) const {
    if (style_.json) {
        json::Writer writer(out);
        writer.begin_object().member("task", place.name).member("stream", place.stream);
        writer.member("text", line.text).end_object();
        out.push_back('\n');
        return;
    }
    if (tasks_.size() > 1) {
        const std::string name = escape_for_display(place.name);
        if (style_.colours) out.append(name_colour(place.name));
        out.append(name).append(width_ - std::min(width_, display_width(name)), ' ').append(" |");
        if (style_.colours) out.append(kPlain);
        out.push_back(' ');
    }
    out.append(escape_for_display(line.text));
    out.append(ends_in_the_midst(line) ? "\u2026\n" : "\n");
}

std::string unreadable(const protocol::LogPlace& place, const Error& error) {
    // The place of the error is the log, or its directory, or a part of it: the log is what was asked for.
    if (error.code == 0) return escape_for_display(error.doing);
    std::string text = "cannot read " + escape_for_display(place.path) + ": ";
    text.append(errno_text(error.code));
    if (error.code == EACCES || error.code == EPERM)
        text.append("; log files belong to root and to daemon.control.group");
    return text;
}

std::string note_of(const protocol::LogPlace& place, const logs::LogItem& item) {
    const std::string name = escape_for_display(place.name) + ": ";
    switch (item.kind) {
        case logs::LogItem::Kind::line: break;
        case logs::LogItem::Kind::gap:
            return name + std::to_string(item.files) +
                   (item.files == 1 ? " file of its log was" : " files of its log were") +
                   " removed before they could be read";
        case logs::LogItem::Kind::truncated:
            return name + "its log was truncated; reading from its beginning";
        case logs::LogItem::Kind::unreadable: return name + unreadable(place, item.error);
    }
    return {};
}

std::string elsewhere(const protocol::LogPlace& place) {
    const std::string name = escape_for_display(place.name);
    if (place.to == "file") return {};
    if (place.to == "journal") return name + ": its output goes to the journal: journalctl -t " + name;
    if (place.to == "inherit") return name + ": its output goes to the daemon's own, wherever that goes";
    if (place.to == "null") return name + ": its output is thrown away";
    return name + ": its output goes to " + escape_for_display(place.to);
}

}  // namespace vigil::ctl
