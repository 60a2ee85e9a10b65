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

/// The keys of an object, each section of them an object of its own.
class SectionWriter {
  public:
    explicit SectionWriter(json::Writer& out) : out_(out) { out_.begin_object(); }
    SectionWriter(const SectionWriter&) = delete;
    SectionWriter& operator=(const SectionWriter&) = delete;
    ~SectionWriter() {
        close();
        out_.end_object();
    }

    void key(std::string_view path) {
        const std::string_view section = section_of(path);
        if (section != open_) close();
        if (!section.empty() && open_.empty()) out_.key(section).begin_object();
        open_ = section;
        out_.key(last_part(path));
    }

  private:
    void close() {
        if (!open_.empty()) out_.end_object();
        open_ = {};
    }

    json::Writer& out_;
    std::string_view open_;
};

}  // namespace

void describe(json::Writer& out, const core::TaskSpec& spec, EnvValues env) {
    SectionWriter sections(out);
    for (const TaskField& field : task_fields()) {
        // An armed heartbeat shows by its members, which follow; one that is not has none.
        if (field.path == "heartbeat" && spec.heartbeat) continue;
        if (section_of(field.path) == "heartbeat" && !spec.heartbeat) continue;
        sections.key(field.path);
        field.write(out, spec, env);
    }
}

std::string describe(const DaemonSettings& settings, const std::vector<core::SpecPtr>& tasks,
                     const TaskDefaults& defaults, const std::vector<std::string>& files) {
    std::string text;
    json::Writer out(text, json::Style::pretty);
    out.begin_object().member("version", 1).key("x-files").begin_array();
    for (const std::string& file : files) out.value(file);
    out.end_array();
    if (defaults.object) out.member("x-defaults", *defaults.object);
    out.key("daemon");
    {
        SectionWriter sections(out);
        for (const DaemonField& field : daemon_fields()) {
            sections.key(field.path);
            field.write(out, settings);
        }
    }
    out.key("tasks").begin_object();
    for (const core::SpecPtr& task : tasks) {
        out.key(task->name);
        describe(out, *task, EnvValues::shown);
    }
    out.end_object().end_object();
    text.push_back('\n');
    return text;
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
