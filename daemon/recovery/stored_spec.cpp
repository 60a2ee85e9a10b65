#include "recovery/stored_spec.hpp"

#include "config/config.hpp"
#include "json/parse.hpp"

namespace vigil::daemon {

core::SpecPtr read_stored_spec(const state::StoredSpec& stored, spdlog::logger& log) {
    auto reading = json::parse(stored.json);
    if (!reading) return nullptr;
    auto spec = config::parse_task(reading->root, stored.name, {}, "specs");
    if (spec) return *std::move(spec);
    log.warn("{}: what it was started with cannot be read: {}", stored.name, spec.error().front().message);
    return nullptr;
}

}  // namespace vigil::daemon
