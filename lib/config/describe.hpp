// Layer config. From specs back to configuration: what `show` prints and what a reload would change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/keys.hpp"
#include "core/spec.hpp"
#include "json/writer.hpp"

namespace vigil::config {

enum class EnvValues : std::uint8_t { shown, masked };

/// Every effective value of a spec as the object that could stand under `tasks`; parse_task reads it back to
/// an equal spec (unless masked: then each value of `env` is "***").
[[nodiscard]] std::string describe(const core::TaskSpec& spec, EnvValues env = EnvValues::masked);
/// The same, as a value of a larger text.
void describe(json::Writer& out, const core::TaskSpec& spec, EnvValues env = EnvValues::masked);

/// A whole configuration as one document, which load() reads back to equal specs and settings. What is not a
/// spec or a setting is kept where nothing reads it: the defaults, which have gone into the specs already,
/// under "x-defaults", the files that it was read from under "x-files".
[[nodiscard]] std::string describe(const DaemonSettings& settings, const std::vector<core::SpecPtr>& tasks,
                                   const TaskDefaults& defaults, const std::vector<std::string>& files);

/// One key whose value differs between two specs or settings.
struct Difference {
    std::string key;     ///< "restart.base_delay"; "daemon.control.mode"
    Change change;       ///< whether it takes effect at once or by a restart
    std::string before;  ///< JSON text; "***" where it is masked
    std::string after;
};

/// What distinguishes two specs of one task, in the order of the key table; empty when they are equal.
[[nodiscard]] std::vector<Difference> differences(const core::TaskSpec& before, const core::TaskSpec& after,
                                                  EnvValues env = EnvValues::masked);
[[nodiscard]] std::vector<Difference> differences(const DaemonSettings& before, const DaemonSettings& after);

}  // namespace vigil::config
