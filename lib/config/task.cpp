#include "config/task.hpp"

#include <memory>

#include "base/quantity.hpp"
#include "config/check.hpp"
#include "config/fields.hpp"
#include "config/reader.hpp"
#include "config/spec_parts.hpp"

namespace vigil::config {
namespace {

/// Rules between keys, which no key can be judged by alone. Each is reported at the task, wherever its parts
/// come from: a default may be right for one task and wrong for another.
class CrossCheck {
  public:
    CrossCheck(Reporter& reporter, const TaskSource& task, const Reader& reader, const core::TaskSpec& spec)
        : reporter_(reporter), task_(task), reader_(reader), spec_(spec) {}

    void run() {
        if (spec_.command.empty()) report("command", "is missing; write [\"program\", \"argument\"]");
        ready();
        heartbeat();
        restart();
        rlimits();
        stop();
        output();
    }

  private:
    void ready() {
        if (spec_.ready.on == core::ReadyOn::heartbeat && !spec_.heartbeat)
            report("ready.on", "is \"heartbeat\", but this task has none; add \"heartbeat\": {}");
        const json::Value* timeout = reader_.own("ready.timeout");
        if (spec_.ready.on == core::ReadyOn::exec && timeout != nullptr && !timeout->is_null())
            report("ready.timeout",
                   "has no meaning for a task that is ready at its exec; set \"ready\": {\"on\": "
                   "\"notify\"} or add \"heartbeat\": {}");
    }

    void heartbeat() {
        if (spec_.heartbeat && spec_.heartbeat->interval > spec_.heartbeat->timeout)
            report("heartbeat.interval", "is " + format_duration(spec_.heartbeat->interval) +
                                             ", longer than heartbeat.timeout (" +
                                             format_duration(spec_.heartbeat->timeout) + ")");
    }

    void restart() {
        const core::RestartRule& rule = *spec_.restart;
        if (rule.base_delay > rule.max_delay)
            report(reader_.own("restart.base_delay") != nullptr ? "restart.base_delay" : "restart.max_delay",
                   "restart.base_delay (" + format_duration(rule.base_delay) +
                       ") must not be longer than restart.max_delay (" + format_duration(rule.max_delay) +
                       ")");
    }

    void rlimits() {
        for (const LimitSides& sides : reader_.rlimits("rlimits")) {
            std::string_view name;
            for (const LimitName& known : limit_names())
                if (known.resource == sides.resource) name = known.name;
            const std::string path = "rlimits." + std::string(name);
            if (!sides.soft || !sides.hard) {
                report(path, sides.soft ? "has no \"hard\"; write both, or one value for both"
                                        : "has no \"soft\"; write both, or one value for both");
                continue;
            }
            const bool above = *sides.hard && (!*sides.soft || **sides.soft > **sides.hard);
            if (above) report(path, "the soft limit is above the hard limit");
        }
    }

    [[nodiscard]] bool own(std::string_view path) const {
        const json::Value* value = reader_.own(path);
        return value != nullptr && !value->is_null();
    }

    void stop() {
        if (!reader_.has("stop.signals")) return;
        // What is written twice must say the same, so that a description of a task can be read back. Steps of
        // the task's own replace a signal of the defaults; a signal of its own does not replace their steps.
        const core::StopStep first = reader_.stop_steps("stop.signals").front();
        const bool own_steps = own("stop.signals");
        const auto counts = [&](std::string_view path) { return own_steps ? own(path) : reader_.has(path); };
        const std::string way_out =
            own_steps ? "; write one of the two" : " of the defaults; write \"signals\": null beside it";
        if (counts("stop.signal") && reader_.signal("stop.signal") != first.signal)
            report("stop.signal", "is not the first of stop.signals" + way_out);
        if (counts("stop.timeout") && reader_.duration("stop.timeout") != first.wait)
            report("stop.timeout", "is not the first wait of stop.signals" + way_out);
    }

    void output() {
        const core::OutputRule& rule = spec_.launch->output;
        if (rule.to == core::OutputTo::file) return;
        if (own("output.path"))
            report("output.path", "has a meaning only where output.to is \"file\"; remove one of the two");
    }

    void report(std::string_view path, std::string message) {
        const json::Value* own = reader_.own(path);
        reporter_.report(task_.source, own != nullptr && own->place.known() ? own->place : task_.place,
                         task_.where + std::string(path) + ": " + message);
    }

    Reporter& reporter_;
    const TaskSource& task_;
    const Reader& reader_;
    const core::TaskSpec& spec_;
};

}  // namespace

core::SpecPtr compile_task(Reporter& reporter, const TaskSource& task) {
    const std::size_t before = reporter.count();
    check_section(reporter, task.source, Scope::task, {}, task.object, task.where);
    if (reporter.count() != before) return nullptr;
    const Reader reader(Scope::task, &task.object, task.defaults);
    auto spec = std::make_shared<core::TaskSpec>();
    spec->name = task.name;
    for (const TaskField& field : task_fields())
        if (field.path != "command" || reader.has("command")) field.read(reader, field.path, *spec);
    CrossCheck(reporter, task, reader, *spec).run();
    share_parts(*spec);
    return reporter.count() == before ? spec : nullptr;
}

Result<core::SpecPtr, std::vector<Problem>> parse_task(const json::Value& object, std::string_view name,
                                                       const TaskDefaults& defaults,
                                                       std::string_view file_label) {
    Reporter reporter;
    const SourceId source = reporter.add_source(std::string(file_label), {});
    if (std::string fault = task_name_fault(name); !fault.empty())
        reporter.report(source, {}, std::move(fault));
    core::SpecPtr spec =
        compile_task(reporter, {name, object, object.place, defaults.object.get(), source, std::string()});
    if (reporter.count() != 0) return Failure{reporter.take()};
    return spec;
}

}  // namespace vigil::config
