// The decoder of `stop.signals`: an array of steps, each an object.
#include "base/text.hpp"
#include "config/decode.hpp"

namespace vigil::config {
namespace {

constexpr std::string_view kShape = "{\"signal\": \"TERM\", \"wait\": \"10s\"}";
constexpr Key kWait{.scope = Scope::task,
                    .path = "wait",
                    .kind = Kind::duration,
                    .fallback = "",
                    .change = Change::live,
                    .text = ""};

/// Puts the step's own path before what a decoder of one value reported.
void move_below(Faults& faults, std::size_t from, const std::string& path) {
    for (std::size_t i = from; i < faults.size(); ++i) faults[i].member = path + faults[i].member;
}

void decode_step(const json::Object& members, const json::Place& place, const std::string& path,
                 Faults& faults, core::StopStep& step) {
    bool has_signal = false;
    bool has_wait = false;
    for (const json::Member& member : members) {
        const std::size_t before = faults.size();
        const std::string below = path + "." + escape_for_display(member.key);
        if (member.key == "signal") {
            has_signal = true;
            step.signal = decode_signal(member.value, faults).value_or(step.signal);
        } else if (member.key == "wait") {
            has_wait = true;
            step.wait = decode_duration(kWait, member.value, faults).value_or(step.wait);
        } else if (!is_free_key(member.key)) {
            faults.push_back({member.place, {}, "unknown key; a step has \"signal\" and \"wait\""});
        }
        move_below(faults, before, below);
    }
    if (!has_signal || !has_wait)
        faults.push_back({place, path,
                          std::string("has no \"") + (has_signal ? "wait" : "signal") + "\"; write " +
                              std::string(kShape)});
}

}  // namespace

std::optional<std::vector<core::StopStep>> decode_stop_steps(const json::Value& value, Faults& faults) {
    const json::Array* elements = value.as_array();
    if (elements == nullptr || elements->empty()) {
        const std::string found = elements == nullptr ? wrong_type("an array", value) : "the array is empty";
        faults.push_back({value.place, {}, found + "; write [" + std::string(kShape) + "]"});
        return std::nullopt;
    }
    const std::size_t before = faults.size();
    std::vector<core::StopStep> steps;
    for (std::size_t i = 0; i < elements->size(); ++i) {
        const json::Value& element = (*elements)[i];
        const std::string path = "[" + std::to_string(i) + "]";
        const json::Object* members = element.as_object();
        if (members == nullptr) {
            faults.push_back(
                {element.place, path, wrong_type("an object such as " + std::string(kShape), element)});
            continue;
        }
        core::StopStep step;
        decode_step(*members, element.place, path, faults, step);
        steps.push_back(step);
    }
    return faults.size() == before ? std::optional(std::move(steps)) : std::nullopt;
}

}  // namespace vigil::config
