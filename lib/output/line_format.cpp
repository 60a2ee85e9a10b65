#include "output/line_format.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/text.hpp"
#include "json/parse.hpp"
#include "json/writer.hpp"
#include "output/collector.hpp"

namespace vigil::output {
namespace {

constexpr std::size_t kTimeBytes = 24;
constexpr std::string_view kGoesOn = " \\";

/// The end of `text` moved back to where no UTF-8 sequence is cut; where it is not UTF-8 at all, as it is.
std::size_t whole_characters(std::string_view text, std::size_t end) noexcept {
    for (std::size_t back = 1; back <= 3 && back < end; ++back) {
        const auto lead = static_cast<unsigned char>(text[end - back]);
        if ((lead & 0xC0U) == 0x80U) continue;
        const std::size_t length = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : lead >= 0xC0U ? 2 : 1;
        return length > back ? end - back : end;
    }
    return end;
}

std::string text_of_json(std::string_view line) {
    const auto document = json::parse(line);
    if (!document) return std::string(line);
    const json::Value* text = document->root.find("text");
    const std::string* string = text == nullptr ? nullptr : text->as_string();
    return string == nullptr ? std::string(line) : *string;
}

}  // namespace

std::optional<Piece> next_piece(std::string_view input, Unended unended) noexcept {
    const std::size_t end = input.substr(0, kMostLineBytes + 1).find('\n');
    if (end != std::string_view::npos) return Piece{input.substr(0, end), end + 1, false};
    if (input.size() > kMostLineBytes) {
        const std::size_t cut = whole_characters(input, kMostLineBytes);
        return Piece{input.substr(0, cut), cut, true};
    }
    if (input.empty() || unended == Unended::wait) return std::nullopt;
    return Piece{input, input.size(), unended == Unended::partly};
}

std::int64_t wall_now() {
    using namespace std::chrono;
    return floor<milliseconds>(system_clock::now()).time_since_epoch().count();
}

std::string time_text(std::int64_t at) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds{at}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return text;
}

void append_line(std::string& out, core::OutputFormat format, const Speaker& speaker, std::string_view time,
                 const Piece& piece) {
    if (format == core::OutputFormat::json) {
        json::Writer writer(out);
        writer.begin_object().member("time", time).member("task", speaker.task).member("pid", speaker.pid);
        writer.member("stream", speaker.stream);
        if (piece.partial) writer.member("partial", true);
        writer.member("text", piece.text).end_object();
        out += '\n';
        return;
    }
    out += time;
    out += ' ';
    if (format == core::OutputFormat::prefix) {
        out.append(speaker.task).append("[").append(std::to_string(speaker.pid)).append("] ");
        out.append(speaker.stream).append(": ");
    }
    out += piece.text;
    if (piece.partial) out += kGoesOn;
    out += '\n';
}

std::string text_of(std::string_view line, core::OutputFormat format) {
    if (format == core::OutputFormat::raw) return std::string(line);
    if (format == core::OutputFormat::json) return text_of_json(line);
    if (line.size() <= kTimeBytes || line[kTimeBytes] != ' ' || line[kTimeBytes - 1] != 'Z')
        return std::string(line);
    std::string_view text = line.substr(kTimeBytes + 1);
    if (format == core::OutputFormat::prefix) {
        // Neither a task's name nor the rest of the prefix holds a colon.
        const std::size_t colon = text.find(": ");
        if (colon == std::string_view::npos) return std::string(line);
        text.remove_prefix(colon + 2);
    }
    return std::string(text);
}

}  // namespace vigil::output
