#include "config/describe.hpp"

#include "config/fields.hpp"

namespace vigil::config {
namespace {

std::string_view section_of(std::string_view path) noexcept {
    const std::size_t dot = path.find('.');
    return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::string value_text(const TaskField& field, const core::TaskSpec& spec, EnvValues env) {
    std::string out;
    json::Writer writer(out);
    field.write(writer, spec, env);
    return out;
}

std::string value_text(const DaemonField& field, const DaemonSettings& settings) {
    std::string out;
    json::Writer writer(out);
    field.write(writer, settings);
    return out;
}

}  // namespace

void describe(json::Writer& out, const core::TaskSpec& spec, EnvValues env) {
    std::string_view open;
    out.begin_object();
    for (const TaskField& field : task_fields()) {
        const std::string_view section = section_of(field.path);
        if (!open.empty() && section != open) {
            out.end_object();
            open = {};
        }
        // An armed heartbeat shows by its members, which follow; one that is not has none.
        if (field.path == "heartbeat" && spec.heartbeat) continue;
        if (section == "heartbeat" && !spec.heartbeat) continue;
        if (!section.empty() && open.empty()) {
            out.key(section).begin_object();
            open = section;
        }
        out.key(last_part(field.path));
        field.write(out, spec, env);
    }
    if (!open.empty()) out.end_object();
    out.end_object();
}

std::string describe(const core::TaskSpec& spec, EnvValues env) {
    std::string out;
    json::Writer writer(out, json::Style::pretty);
    describe(writer, spec, env);
    return out;
}

std::vector<Difference> differences(const core::TaskSpec& before, const core::TaskSpec& after,
                                    EnvValues env) {
    std::vector<Difference> out;
    for (const TaskField& field : task_fields()) {
        if (value_text(field, before, EnvValues::shown) == value_text(field, after, EnvValues::shown))
            continue;
        out.push_back({std::string(field.path), find_key(Scope::task, field.path)->change,
                       value_text(field, before, env), value_text(field, after, env)});
    }
    return out;
}

std::vector<Difference> differences(const DaemonSettings& before, const DaemonSettings& after) {
    std::vector<Difference> out;
    for (const DaemonField& field : daemon_fields()) {
        std::string old_text = value_text(field, before);
        std::string new_text = value_text(field, after);
        if (old_text == new_text) continue;
        out.push_back({"daemon." + std::string(field.path), find_key(Scope::daemon, field.path)->change,
                       std::move(old_text), std::move(new_text)});
    }
    return out;
}

}  // namespace vigil::config
