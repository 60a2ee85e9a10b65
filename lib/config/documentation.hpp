// Layer config. Texts for people and editors, derived from the key table.
#pragma once

#include <string>

namespace vigil::config {

/// JSON Schema (draft 2020-12) of a main configuration file, pretty-printed. It accepts what load() accepts,
/// but for what a schema cannot say: rules between keys, paths that must exist, numbers written as 1.0.
[[nodiscard]] std::string schema();

/// The reference of all keys as Markdown.
[[nodiscard]] std::string reference();

}  // namespace vigil::config
