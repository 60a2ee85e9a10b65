// Layer protocol. The effective specification of a task, in the words of the configuration: what `vigilctl
// show` prints, and what task.add takes.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/spec.hpp"
#include "json/writer.hpp"

namespace vigil::protocol {

/// Environment values are shown to those who may run code as the daemon, and masked for all others.
enum class EnvValues : std::uint8_t { shown, masked };
/// What stands in place of a masked value.
inline constexpr std::string_view kMasked = "***";

/// The object as it stands under "tasks" in a configuration, every default written out. Only what has no
/// default to write (an absent user, nice, heartbeat) is left out.
void write_task_spec(json::Writer& out, const core::TaskSpec& spec, EnvValues env);

}  // namespace vigil::protocol
