// Layer config, private. The parts in which tasks are alike, held once for all of them.
#pragma once

#include "core/spec.hpp"

namespace vigil::config {

/// Lets the parts of `spec` be one with those of specs that were made before, be it for the same
/// configuration or for one that it takes the place of, where they are equal. Only a few of those are
/// remembered, and none is held for that: what it costs is bounded, and tasks that are alike tend to be made
/// together. Thread-safe.
void share_parts(core::TaskSpec& spec);

}  // namespace vigil::config
