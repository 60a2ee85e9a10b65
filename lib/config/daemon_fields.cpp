#include <array>
#include <cstdio>

#include "config/fields.hpp"

namespace vigil::config {
namespace {

constexpr DaemonField kFields[] = {
    {"runtime_dir",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.runtime_dir = from.string(path).value_or("");
     },
     [](json::Writer& out, const DaemonSettings& s) { write_text_or_null(out, s.runtime_dir); }},
    {"state_dir",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.state_dir = from.string(path).value_or("");
     },
     [](json::Writer& out, const DaemonSettings& s) { write_text_or_null(out, s.state_dir); }},
    {"log_dir",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.log_dir = from.string(path).value_or("");
     },
     [](json::Writer& out, const DaemonSettings& s) { write_text_or_null(out, s.log_dir); }},
    {"control.mode",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.control.mode = from.mode(path);
     },
     [](json::Writer& out, const DaemonSettings& s) { write_mode(out, s.control.mode); }},
    {"control.group",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.control.group = from.string(path);
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(s.control.group); }},
    {"control.read_group",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.control.read_group = from.string(path);
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(s.control.read_group); }},
    {"log.level",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.log_level = from.word<LogLevel>(path).value_or(LogLevel::info);
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(log_level_name(s.log_level)); }},
    {"max_dead_fraction",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.max_dead_fraction = from.fraction(path);
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(s.max_dead_fraction); }},
    {"max_starting",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         if (const auto count = from.integer(path)) into.max_starting = static_cast<unsigned>(*count);
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(s.max_starting); }},
    {"cgroup",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.cgroup = from.string(path).value_or("auto");
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(s.cgroup); }},
    {"orphan_policy",
     [](const Reader& from, std::string_view path, DaemonSettings& into) {
         into.orphan_policy = from.word<OrphanPolicy>(path).value_or(OrphanPolicy::adopt);
     },
     [](json::Writer& out, const DaemonSettings& s) { out.value(orphan_policy_name(s.orphan_policy)); }},
};

}  // namespace

std::span<const DaemonField> daemon_fields() noexcept {
    return kFields;
}

void write_mode(json::Writer& out, mode_t mode) {
    std::array<char, 16> text;
    std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode));
    out.value(text.data());
}

void write_text_or_null(json::Writer& out, const std::string& text) {
    if (text.empty())
        out.null();
    else
        out.value(text);
}

}  // namespace vigil::config
