// vigilctl. The options of `add` that stand for keys of a task, and the specification they amount to.
#pragma once

#include <string>

#include "base/result.hpp"
#include "ctl/options.hpp"
#include "json/value.hpp"

namespace CLI {
class App;
}

namespace vigil::ctl {

/// Declares them on `app`; they store into `options`.
void add_spec_options(CLI::App& app, Options& options);

/// The task's object as it would stand under "tasks". The error is a sentence about wrong usage. Whether the
/// values are right is for the daemon to say: it alone knows them all.
[[nodiscard]] Result<json::Value, std::string> spec_of(const Options& options);

/// Where `options` say anything that belongs into a specification.
[[nodiscard]] bool describes_spec(const Options& options);

}  // namespace vigil::ctl
