// Layer config, private. What binds each key of the table to a member of a spec or of the settings.
#pragma once

#include <span>
#include <string_view>

#include "config/config.hpp"
#include "config/describe.hpp"
#include "config/reader.hpp"
#include "core/spec.hpp"
#include "json/writer.hpp"

namespace vigil::config {

/// A key of scope task. Reading happens in the order of the list: what a default depends on comes first.
struct TaskField {
    std::string_view path;
    void (*read)(const Reader& from, std::string_view path, core::TaskSpec& into);
    void (*write)(json::Writer& out, const core::TaskSpec& spec, EnvValues env);
};
[[nodiscard]] std::span<const TaskField> task_fields() noexcept;

/// A key of scope daemon.
struct DaemonField {
    std::string_view path;
    void (*read)(const Reader& from, std::string_view path, DaemonSettings& into);
    void (*write)(json::Writer& out, const DaemonSettings& settings);
};
[[nodiscard]] std::span<const DaemonField> daemon_fields() noexcept;

/// "0660"
void write_mode(json::Writer& out, mode_t mode);
/// null for an empty text
void write_text_or_null(json::Writer& out, const std::string& text);

}  // namespace vigil::config
