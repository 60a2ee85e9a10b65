#include "recovery/stored_spec.hpp"

#include "config/config.hpp"
#include "config/describe.hpp"
#include "json/parse.hpp"
#include "json/writer.hpp"

namespace vigil::daemon {

std::string stored_text(const core::TaskSpec& spec) {
    std::string text;
    json::Writer line(text);
    config::describe(line, spec, config::EnvValues::shown);
    return text;
}

core::SpecPtr read_stored_spec(const state::StoredSpec& stored, spdlog::logger& log) {
    auto reading = json::parse(stored.json);
    if (!reading) return nullptr;
    auto spec = config::parse_task(reading->root, stored.name, {}, "specs");
    if (spec) return *std::move(spec);
    log.warn("{}: what it was started with cannot be read: {}", stored.name, spec.error().front().message);
    return nullptr;
}

}  // namespace vigil::daemon
